//! The figures that peers fail: many first messages at once, each delivered three times, a kill after the last 200.

use futures_util::stream::{self, StreamExt};

use super::{
    load::{self, Target, body},
    rounds,
};
use crate::harness::{http::Client, postgres::database, process::Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_is_there_once_after_a_kill_right_behind_the_last_answer() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let target = Target {
        http: Client::new(server.text("/base_url")),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    // Five messages from each new contact, interleaved, so that first messages meet.
    let messages = rounds(2_000, 10_000);
    let contacts = messages / 5;
    deliver(&target, (0..messages).map(|i| (i % contacts, i))).await;
    // Each of these three times at once.
    let thrice = rounds(300, 1_500);
    deliver(&target, (0..thrice).flat_map(|i| [(i % contacts, messages + i); 3])).await;
    server.kill();

    let server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    load::settle(&database.pool).await;
    let ids = (0..messages + thrice).map(|i| format!("wamid.h{i}")).collect();
    load::check(&database.pool, &ids).await;
    let chats: i64 =
        sqlx::query_scalar("SELECT count(*) FROM read_models.chats").fetch_one(&database.pool).await.unwrap();
    assert_eq!(usize::try_from(chats).unwrap(), contacts);
    drop(server);
}

async fn deliver(target: &Target, messages: impl Iterator<Item = (usize, usize)>) {
    let deliveries = messages.map(|(contact, id)| {
        let body = body(target, &format!("3519{contact:08}"), &format!("wamid.h{id}"));
        async move { target.http.try_signed(&target.app_secret, body).await }
    });
    let statuses: Vec<Option<u16>> = stream::iter(deliveries).buffer_unordered(32).collect().await;
    assert!(statuses.iter().all(|status| *status == Some(200)), "not everything was acknowledged");
}
