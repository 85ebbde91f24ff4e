//! R-IN-2, R-IN-4: 200 means durable, 503 comes at once, and nothing is throttled.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};
use url::Url;

use super::{ANA, at_channel, messages_of};
use crate::harness::{
    inbox::{Inbox, now, text_message},
    postgres::with_database,
};

#[tokio::test]
async fn r_in_2_when_200_is_answered_the_message_is_in_the_ledger() {
    let inbox = Inbox::start().await;
    for i in 0..20 {
        let message = text_message(ANA, &format!("wamid.{i}"), now(), "Hi");
        let answer = inbox.deliver(&inbox.call(json!({"messages": [message]})).to_string()).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"success":true}"#));
        let kind = answer.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{kind}");
        let recorded = "SELECT count(*) FROM ledger.events WHERE event_type = 'MessageReceived'";
        assert_eq!(inbox.count(recorded).await, i + 1);
    }
}

#[tokio::test]
async fn r_in_2_without_the_database_503_comes_at_once_and_a_repeat_is_recorded_later() {
    let inbox = Inbox::start().await;
    inbox.customer_writes(ANA, "before").await;
    let database = Database::of(&inbox).await;
    let call = inbox.call(json!({"messages": [text_message(ANA, "wamid.away", now(), "while away")]})).to_string();
    let flat = json!({"messages": [text_message(ANA, "wamid.flat", now(), "while away too")]}).to_string();
    let mut admin = database.close().await;
    for _ in 0..5 {
        let since = Instant::now();
        let (cloud, channel) = tokio::join!(inbox.deliver(&call), at_channel(&inbox, &inbox.channel_secret, &flat));
        assert_eq!((cloud.status, channel.status), (503, 503), "{} {}", cloud.text, channel.text);
        assert!(cloud.body["success"] == false && channel.body["success"] == false, "{}", cloud.text);
        assert!(since.elapsed() < Duration::from_secs(2), "503 came after {:?}", since.elapsed());
    }
    // What is no call is not lost either: it is kept, or WhatsApp comes again.
    assert_eq!(inbox.deliver("not JSON").await.status, 503);
    database.open(&mut admin).await;
    assert_eq!(until_taken(&inbox, &call).await, 200);
    assert_eq!(at_channel(&inbox, &inbox.channel_secret, &flat).await.status, 200);
    // The test's own connections are dead as well.
    for _ in 0..20 {
        let _ = sqlx::query("SELECT 1").execute(&inbox.pool).await;
    }
    inbox.settle().await;
    // So are some of the server's, each of which costs a reader one 503.
    for _ in 0..50 {
        if inbox.get(&inbox.admin, "messages/").await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(messages_of(&inbox, ANA).await.len(), 3);
}

async fn until_taken(inbox: &Inbox, call: &str) -> u16 {
    for _ in 0..50 {
        let answer = inbox.deliver(call).await;
        if answer.status != 503 {
            return answer.status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    503
}

/// A database that can be taken away while its cluster goes on.
struct Database {
    admin_url: String,
    name: String,
}

impl Database {
    async fn of(inbox: &Inbox) -> Self {
        let url: Url = inbox.database_url.parse().unwrap();
        let name = url.path().trim_start_matches('/').to_owned();
        Self { admin_url: with_database(&inbox.database_url, "postgres"), name }
    }

    async fn close(&self) -> PgConnection {
        let mut admin = PgConnection::connect(&self.admin_url).await.expect("the cluster lets us in");
        admin.execute(&*format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", self.name)).await.unwrap();
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        for _ in 0..3 {
            admin.execute(&*end).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        admin
    }

    async fn open(&self, admin: &mut PgConnection) {
        admin.execute(&*format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name)).await.unwrap();
    }
}

#[tokio::test]
async fn r_in_4_whatsapp_is_never_throttled() {
    let inbox = Inbox::start_with(|config| config.sandbox_requests_per_minute = 10).await;
    let calls = (0..60).map(|i| {
        let message = text_message(ANA, &format!("wamid.{i}"), now(), "Hi");
        let (inbox, cloud) = (&inbox, inbox.call(json!({"messages": [message.clone()]})).to_string());
        let flat = json!({"messages": [message]}).to_string();
        async move { [inbox.deliver(&cloud).await.status, at_channel(inbox, &inbox.channel_secret, &flat).await.status] }
    });
    assert_eq!(join_all(calls).await, vec![[200, 200]; 60]);
}
