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
