//! R-ANA-1 … R-ANA-6: how many messages came and went, and how conversations were served.

use std::collections::BTreeSet;

use chatledger_application::Context;
use chatledger_domain::{Actor, MessageId, Permissions, Role, TenantId, WaId};
use chrono::{DateTime, Days, NaiveDate, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{ANA, EVA, RUI, Shop};
use crate::harness::inbox::{now, text_message};

/// A moment of the day before yesterday's week, well in the past.
fn at(date: &str, time: &str) -> i64 {
    format!("{date}T{time}Z").parse::<DateTime<Utc>>().expect("a time").timestamp()
}

impl Shop {
    async fn wrote(&self, from: &str, timestamp: i64) {
        let message = text_message(from, &format!("wamid.{from}.{timestamp}"), timestamp, "Hello");
        self.inbox.bring(json!({"messages": [message]})).await;
        self.inbox.settle().await;
    }

    async fn figures(&self, query: &str) -> Value {
        self.get(&format!("analytics/{query}")).await
    }
}

fn rows(figures: &Value) -> Vec<(String, i64, i64)> {
    let metrics = figures["metrics"].as_array().expect("a list");
    let row = |metric: &Value| {
        let count = |key: &str| metric[key].as_i64().expect("a number");
        assert_eq!(count("totalCount"), count("inboundCount") + count("outboundCount"), "{metric}");
        (metric["date"].as_str().expect("a date").to_owned(), count("inboundCount"), count("outboundCount"))
    };
    metrics.iter().map(row).collect()
}

fn row(date: &str, inbound: i64, outbound: i64) -> (String, i64, i64) {
    (date.to_owned(), inbound, outbound)
}

#[tokio::test]
async fn r_ana_1_the_interval_is_half_open_and_a_bare_date_is_its_whole_day() {
    let shop = Shop::start().await;
    for time in ["00:00:00", "11:59:59", "12:00:00", "23:59:59"] {
        shop.wrote(RUI, at("2026-01-14", time)).await;
    }
    shop.wrote(RUI, at("2026-01-15", "00:00:00")).await;
    for (query, inbound) in [
        ("startDate=2026-01-14&endDate=2026-01-14", 4),
        ("startDate=2026-01-14&endDate=2026-01-15", 5),
        ("startDate=2026-01-14T12:00:00Z&endDate=2026-01-15T00:00:00Z", 2),
        ("startDate=2026-01-14T12:00:00Z&endDate=2026-01-15T00:00:01Z", 3),
        ("startDate=2026-01-14T00:00:00.001Z&endDate=2026-01-14T12:00:00Z", 1),
        ("startDate=2026-01-14T02:00:00%2B02:00&endDate=2026-01-14T09:00:00-03:00", 2),
    ] {
        let figures = shop.figures(&format!("messages?{query}")).await;
        assert_eq!(figures["summary"]["totalInbound"], inbound, "{query}");
    }
    for (query, code) in [
        ("startDate=2026-01-15&endDate=2026-01-14", "INVALID_PARAMETER"),
        ("startDate=2026-01-15T00:00:00Z&endDate=2026-01-15T00:00:00Z", "INVALID_PARAMETER"),
        ("startDate=yesterday", "INVALID_PARAMETER"),
        ("startDate=2025-01-01&endDate=2026-01-02", "OUT_OF_RANGE"),
    ] {
        for path in ["messages", "conversations"] {
            let path = format!("analytics/{path}?{query}");
            let refused = shop.call(Method::GET, &shop.admin, &path, None).await.expect(400);
            assert_eq!(refused["details"]["code"], code, "{path}");
        }
    }
    shop.figures("messages?startDate=2025-01-01&endDate=2026-01-01").await;
}

#[tokio::test]
async fn r_ana_2_there_is_a_row_for_every_hour_day_and_week() {
    let shop = Shop::start().await;
    // 2026-01-18 is a Sunday.
    shop.wrote(RUI, at("2026-01-16", "10:30:00")).await;
    shop.wrote(RUI, at("2026-01-18", "23:59:59")).await;
    shop.phone_wrote(RUI, "wamid.e", at("2026-01-19", "00:00:00")).await;
    let days = shop.figures("messages?startDate=2026-01-16&endDate=2026-01-19").await;
    assert_eq!(
        rows(&days),
        [row("2026-01-16", 1, 0), row("2026-01-17", 0, 0), row("2026-01-18", 1, 0), row("2026-01-19", 0, 1)]
    );
    let weeks = shop.figures("messages?startDate=2026-01-15&endDate=2026-01-27&groupBy=week").await;
    assert_eq!(rows(&weeks), [row("2026-01-12", 2, 0), row("2026-01-19", 0, 1), row("2026-01-26", 0, 0)]);
    let span = "startDate=2026-01-18T22:30:00Z&endDate=2026-01-19T01:00:00Z";
    let hours = shop.figures(&format!("messages?{span}&groupBy=hour")).await;
    assert_eq!(
        rows(&hours),
        [row("2026-01-18T22:00:00Z", 0, 0), row("2026-01-18T23:00:00Z", 1, 0), row("2026-01-19T00:00:00Z", 0, 1)]
    );
    let refused = shop.call(Method::GET, &shop.admin, "analytics/messages?groupBy=month", None).await.expect(400);
    assert_eq!(refused["details"], json!({"field": "groupBy", "code": "INVALID_PARAMETER"}));
    // Without dates: seven days, the last of them today.
    let today = rows(&shop.figures("messages").await);
    let last: NaiveDate = today.last().expect("a row").0.parse().expect("a date");
    assert_eq!((today.len(), today[0].0.parse().ok()), (7, last.checked_sub_days(Days::new(6))));
    assert!((Utc::now().date_naive() - last).num_days().abs() <= 1);
}

#[tokio::test]
async fn r_ana_3_the_average_is_per_day_of_the_interval() {
    let shop = Shop::start().await;
    for second in 0..5 {
        shop.wrote(RUI, at("2026-01-14", "10:00:00") + second).await;
    }
    for (end, average) in [("2026-01-14", 5), ("2026-01-15", 3), ("2026-01-17", 1), ("2026-01-30", 0)] {
        let figures = shop.figures(&format!("messages?startDate=2026-01-14&endDate={end}")).await;
        let summary = json!({"totalInbound": 5, "totalOutbound": 0, "averagePerDay": average});
        assert_eq!(figures["summary"], summary, "{end}");
    }
}

#[tokio::test]
async fn r_ana_4_outbound_is_what_whatsapp_took_and_did_not_report_as_failed() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    inbox.customer_writes(RUI, "Hello").await;
    let text = json!({"wa_id": RUI, "type": "text", "text": {"body": "Hi"}});
    let today = || async { shop.figures("messages").await["summary"]["totalOutbound"].clone() };
    inbox.behave(json!({"fail_next": {"code": 131_026}})).await;
    inbox.post(&inbox.admin, "messages/", text.clone()).await.expect(400);
    assert_eq!(today().await, 0, "refused");
    let sent = inbox.post(&inbox.admin, "messages/", text).await.expect(201);
    assert_eq!(today().await, 1);
    let message = inbox.get(&inbox.admin, &format!("messages/{RUI}/?from_us=true")).await.expect(200);
    let waba_id = message["results"][0]["waba_payload"]["id"].as_str().expect("an id").to_owned();
    assert!(sent["id"].is_string());
    // The failure comes later, and takes the message out of the figures of its time.
    inbox.status(&waba_id, RUI, "failed", now() + 1).await;
    assert_eq!(today().await, 0, "failed");
    shop.phone_wrote(RUI, "wamid.phone", at("2026-01-14", "10:00:00")).await;
    inbox.status("wamid.phone", RUI, "failed", at("2026-01-20", "10:00:00")).await;
    let past = shop.figures("messages?startDate=2026-01-14&endDate=2026-01-20").await;
    assert_eq!(past["summary"]["totalOutbound"], 0);
}

#[tokio::test]
async fn r_ana_5_response_times_are_those_of_turns_that_began_in_the_interval() {
    let shop = Shop::start().await;
    let none = json!({"averageResponseTime": "0s", "averageResolutionTime": "0s", "automationResolutionRate": 0.0,
                      "aiResolutionRate": 0.0, "humanHandoffRate": 0.0});
    assert_eq!(shop.figures("conversations").await, none);
    let day = |time: &str| at("2026-01-14", time);
    // Began before the interval, and is not begun anew in it.
    shop.wrote(RUI, day("00:00:00") - 60).await;
    shop.wrote(RUI, day("00:01:00")).await;
    shop.phone_wrote(RUI, "wamid.a", day("00:02:00")).await;
    // 150 seconds.
    shop.wrote(ANA, day("10:00:00")).await;
    shop.wrote(ANA, day("10:01:00")).await;
    shop.phone_wrote(ANA, "wamid.b", day("10:02:30")).await;
    // Nobody's answer, as it failed; the next one comes after the interval: 600 seconds.
    shop.wrote(EVA, day("23:59:00")).await;
    shop.phone_wrote(EVA, "wamid.c", day("23:59:30")).await;
    shop.inbox.status("wamid.c", EVA, "failed", day("23:59:40")).await;
    shop.phone_wrote(EVA, "wamid.d", day("23:59:00") + 600).await;
    // Never answered.
    shop.wrote(RUI, day("12:00:00")).await;
    let figures = shop.figures("conversations?startDate=2026-01-14&endDate=2026-01-14").await;
    assert_eq!(figures["averageResponseTime"], "6m 15s");
    let whole = shop.figures("conversations?startDate=2026-01-13&endDate=2026-01-15").await;
    let view = "SELECT round(avg(answer_seconds))::bigint FROM analytics.response_times";
    assert_eq!((whole["averageResponseTime"].as_str(), shop.inbox.count(view).await), (Some("5m 10s"), 310));
}

#[tokio::test]
async fn r_ana_5_resolution_times_are_those_of_conversations_closed_in_the_interval() {
    let shop = Shop::start().await;
    let inbox = &shop.inbox;
    shop.wrote(RUI, now() - 900).await;
    shop.wrote(ANA, now() - 900).await;
    let opened: uuid::Uuid = sqlx::query_scalar("SELECT opened_by FROM read_models.conversations WHERE wa_id = $1")
        .bind(RUI)
        .fetch_one(&inbox.pool)
        .await
        .expect("a conversation");
    let tools = inbox.tools().await;
    let (user, permissions) = (inbox.admin.id, Permissions::ADMIN);
    let actor = Actor { user, role: Role::Admin, groups: BTreeSet::new(), permissions };
    let (tenant, correlation_id) = (TenantId(inbox.tenant), "test".to_owned());
    let context = Context { tenant, actor, family: "test", correlation_id };
    let wa_id = WaId::parse(RUI).expect("an id");
    tools.application.close_conversation(&context, &wa_id, MessageId(opened)).await.expect("closed");
    tools.close().await;
    inbox.settle().await;
    let seconds = inbox.count("SELECT closed_at - opened_at FROM read_models.conversations WHERE closed_at > 0").await;
    let words = if seconds == 900 { "15m".to_owned() } else { format!("15m {}s", seconds - 900) };
    assert_eq!(shop.figures("conversations").await["averageResolutionTime"], words);
    let past = shop.figures("conversations?startDate=2026-01-14&endDate=2026-01-14").await;
    assert_eq!(past["averageResolutionTime"], "0s");
}

#[tokio::test]
async fn r_ana_6_and_r_cst_2_figures_are_at_most_five_seconds_behind() {
    let shop = Shop::start().await;
    let message = text_message(RUI, "wamid.now", now(), "Hello");
    shop.inbox.bring(json!({"messages": [message]})).await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while shop.figures("messages").await["summary"]["totalInbound"] != 1 {
        assert!(std::time::Instant::now() < until, "it is not counted");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
