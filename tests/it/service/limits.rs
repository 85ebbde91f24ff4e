//! R-SVC-6 and R-LIM-*: how often a shop may ask, counted over all servers.

use std::sync::Arc;

use chatledger_api::bootstrap::Config;
use chatledger_application::ports::rate_limits::{Rate, RateLimits};
use chatledger_domain::TenantId;
use chatledger_infrastructure::postgres::{PgRateLimits, connect};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::asking::{add_shop, beside_with, inbox_with, service};
use crate::harness::{
    http::Answer,
    inbox::Inbox,
    postgres::{TestDatabase, database},
};

async fn limited() -> Inbox {
    inbox_with(|config| config.service_api.sandbox_requests_per_minute = 60).await
}

#[tokio::test]
async fn r_svc_6_a_shop_may_ask_sixty_times_a_minute() {
    let inbox = limited().await;
    let path = format!("accounts/{}", inbox.tenant);
    for left in (0..60).rev() {
        let answer = service(&inbox, Method::GET, &path, None).await;
        assert_eq!(
            (answer.status, &answer.headers["x-ratelimit-remaining"]),
            (200, &left.to_string().parse().unwrap())
        );
        assert_eq!(answer.headers["x-ratelimit-limit"], "60");
    }
    for _ in 0..2 {
        let refused = service(&inbox, Method::DELETE, &path, None).await;
        assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
        let reset: i64 = refused.headers["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&(reset - Utc::now().timestamp())), "{reset}");
        let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(
            refused.expect(429),
            json!({"success": false, "data": null, "error": "Rate limit exceeded", "pagination": null,
                "details": {"code": "RATE_LIMIT_EXCEEDED", "retryAfter": wait}})
        );
    }
    let other = add_shop(&inbox, "umbra").await;
    service(&inbox, Method::GET, &format!("accounts/{other}"), None).await.expect(404);
    sqlx::query("UPDATE outbound.rate_limits SET begun_at = begun_at - interval '61 s'")
        .execute(&inbox.pool)
        .await
        .unwrap();
    let answer = service(&inbox, Method::GET, &path, None).await;
    assert_eq!(answer.headers["x-ratelimit-remaining"], "59", "a new minute");
    assert_eq!(answer.expect(200)["data"]["status"], "active", "what was refused has changed nothing");
}

/// How many requests an answer says are left.
fn left(answer: &Answer) -> i64 {
    let header = answer.headers.get("x-ratelimit-remaining").unwrap_or_else(|| panic!("no header: {}", answer.text));
    header.to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn r_lim_3_and_5_what_names_no_shop_counts_on_the_token_and_is_told_what_is_left() {
    let inbox = limited().await;
    let paths = [
        (Method::GET, "conversations"),
        (Method::GET, "customers"),
        (Method::GET, "customers/351912000111"),
        (Method::PUT, "customers/351912000111/tags"),
        (Method::PUT, "customers/351912000111/opt-in"),
        (Method::GET, "analytics/messages"),
        (Method::GET, "analytics/conversations"),
    ];
    let document = chatledger_api::openapi(chatledger_api::docs::Documented::Service);
    let document = serde_json::to_value(document).unwrap();
    let of_query = |operation: &&serde_json::Value| {
        let parameters = operation["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "shopId" && one["in"] == "query"))
    };
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    assert_eq!(operations.filter(of_query).count(), paths.len(), "one of them is not asked");
    let mut general = 60;
    let mut analytics = 60;
    for (method, path) in paths {
        let most = if path.starts_with("analytics") { &mut analytics } else { &mut general };
        for (query, code) in [("", "MISSING_PARAMETER"), ("?shopId=x", "INVALID_PARAMETER")] {
            let answer = service(&inbox, method.clone(), &format!("{path}{query}"), Some(json!({}))).await;
            *most -= 1;
            assert_eq!(left(&answer), *most, "{path}{query}");
            assert_eq!(answer.expect(400)["details"], json!({"field": "shopId", "code": code}), "{path}{query}");
        }
    }
}

#[tokio::test]
async fn r_lim_3_a_log_in_counts_on_its_shop_and_a_failed_one_on_its_address() {
    let inbox = inbox_with(|config| {
        config.service_api.sandbox_requests_per_minute = 60;
        config.failed_authentications_per_minute = 300;
    })
    .await;
    let log_in = |password: &str, shop: String| {
        let body = json!({"username": inbox.agent.username, "password": password, "shopId": shop});
        let request = inbox.http.raw.post(inbox.http.url("whatsapp/auth/token")).json(&body);
        inbox.http.send(request)
    };
    let (right, own) = (inbox.agent.password.as_str(), inbox.tenant.to_string());
    let answer = log_in(right, own.clone()).await;
    assert_eq!(left(&answer), 59);
    answer.expect(200);
    let failed = log_in("wrong", own.clone()).await;
    let failures = left(&failed);
    assert_ne!(failed.headers["x-ratelimit-limit"], "60", "another limit");
    failed.expect(401);
    let elsewhere = log_in(right, uuid::Uuid::new_v4().to_string()).await;
    assert_eq!(left(&elsewhere), failures - 1);
    elsewhere.expect(401);
    let unreadable = log_in("", own.clone()).await;
    assert_eq!(left(&unreadable), failures - 1, "no failure");
    unreadable.expect(422);
    for _ in 0..9 {
        log_in("wrong", own.clone()).await.expect(401);
    }
    let refused = log_in(right, own.clone()).await;
    assert_eq!((left(&refused), refused.headers.contains_key("retry-after")), (failures - 10, true));
    refused.expect(429);
    let account = service(&inbox, Method::GET, &format!("accounts/{own}"), None).await;
    assert_eq!(left(&account), 58, "what fails uses up no shop's limit");
}

#[tokio::test]
async fn r_lim_2_and_5_a_conversation_counts_on_the_shop_that_has_it_whatever_others_are_called() {
    let inbox = limited().await;
    inbox.customer_writes("351912000111", "Hello").await;
    inbox.settle().await;
    let own = inbox.tenant.to_string();
    // Their ids begin as ours does, and stand before and behind it.
    let others =
        ["0000-4000-8000-000000000000", "ffff-4fff-bfff-ffffffffffff"].map(|rest| format!("{}-{rest}", &own[..8]));
    for other in &others {
        add_shop(&inbox, other).await;
    }
    let conversations = format!("conversations?shopId={own}");
    let listed = service(&inbox, Method::GET, &conversations, None).await.expect(200);
    let id = listed["data"]["conversations"][0]["id"].as_str().unwrap();
    for n in 0..2 {
        let answer = service(&inbox, Method::GET, &format!("conversations/{id}"), None).await;
        assert_eq!(left(&answer), 58 - n);
        answer.expect(200);
    }
    let nobodys = format!("conversations/{}{}", &own[..8], &uuid::Uuid::new_v4().to_string()[8..]);
    for (path, n) in [(&*nobodys, 59), ("conversations/x", 58)] {
        let answer = service(&inbox, Method::GET, path, None).await;
        assert_eq!(left(&answer), n, "on the token");
        answer.expect(404);
    }
    for other in &others {
        let answer = service(&inbox, Method::GET, &format!("accounts/{other}"), None).await;
        assert_eq!(left(&answer), 59, "nobody has used it up");
    }
    assert_eq!(left(&service(&inbox, Method::GET, &conversations, None).await), 56);
}

#[tokio::test]
async fn r_lim_1_the_next_request_is_refused_on_whichever_of_two_servers_it_arrives() {
    let defaults = Config::load(None).expect("the defaults are valid").service_api;
    let limits = [
        (60, defaults.requests_per_minute, "accounts/"),
        (10, defaults.analytics_per_minute, "analytics/messages?shopId="),
    ];
    for (limit, default, path) in limits {
        assert_eq!(default, limit, "the contract's number is what a server begins with");
        let inbox = inbox_with(|config| config.service_api.sandbox_requests_per_minute = limit).await;
        let beside = beside_with(&inbox, |config| config.service_api.sandbox_requests_per_minute = limit).await;
        let servers = [&inbox, &beside];
        let path = format!("{path}{}", inbox.tenant);
        for n in 0..limit {
            let answer = service(servers[n as usize % 2], Method::GET, &path, None).await;
            assert_eq!(answer.headers["x-ratelimit-remaining"], (limit - 1 - n).to_string(), "{path}");
            answer.expect(200);
        }
        for server in servers {
            let refused = service(server, Method::GET, &path, None).await.expect(429);
            assert_eq!(refused["details"]["code"], "RATE_LIMIT_EXCEEDED", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_lim_1_of_parallel_requests_on_two_servers_exactly_the_limit_passes() {
    let TestDatabase { pool, url } = database().await;
    let servers = [PgRateLimits::new(pool), PgRateLimits::new(connect(&url, 4).unwrap())].map(Arc::new);
    let (tenant, now) = (TenantId::of_slug("acme"), Utc::now());
    let mut callers = JoinSet::new();
    for n in 0..200 {
        let limits = servers[n % 2].clone();
        callers.spawn(async move { limits.take(tenant, "service:", 60, now).await.unwrap() });
    }
    let rates = callers.join_all().await;
    assert_eq!(rates.iter().filter(|rate| rate.within).count(), 60);
    let mut left: Vec<u32> = rates.iter().filter(|rate| rate.within).map(|rate| rate.remaining).collect();
    left.sort_unstable();
    assert_eq!(left, (0..60).collect::<Vec<_>>(), "each request has a place of its own");
    // The database keeps microseconds.
    let off = |rate: &Rate| (rate.resets_at - now - TimeDelta::seconds(60)).abs();
    assert!(rates.iter().all(|rate| off(rate) < TimeDelta::milliseconds(1)));
}

#[tokio::test]
async fn r_lim_1_the_window_has_sixty_seconds_and_refused_requests_do_not_count() {
    let TestDatabase { pool, .. } = database().await;
    let limits = PgRateLimits::new(pool.clone());
    let (tenant, begun) = (TenantId::of_slug("acme"), Utc::now());
    let take = async |seconds| limits.take(tenant, "service:", 2, begun + TimeDelta::seconds(seconds)).await.unwrap();
    let within: Vec<bool> =
        [take(0).await, take(1).await, take(2).await, take(59).await].map(|rate| rate.within).into();
    assert_eq!(within, [true, true, false, false]);
    let next = take(60).await;
    assert!(next.within && next.remaining == 1, "{next:?}");
    let removed = limits.forget(begun + TimeDelta::seconds(200)).await.unwrap();
    assert_eq!(removed, 1, "what is over is removed");
}

#[tokio::test]
async fn r_lim_2_shops_and_counters_are_independent() {
    let TestDatabase { pool, .. } = database().await;
    let (limits, now) = (PgRateLimits::new(pool), Utc::now());
    let [acme, umbra] = ["acme", "umbra"].map(TenantId::of_slug);
    for (tenant, key) in [(acme, "service:"), (acme, "analytics:"), (umbra, "service:"), (acme, "service:somebody")] {
        assert!(limits.take(tenant, key, 1, now).await.unwrap().within, "{tenant} {key}");
        assert!(!limits.take(tenant, key, 1, now).await.unwrap().within, "{tenant} {key}");
    }
}
