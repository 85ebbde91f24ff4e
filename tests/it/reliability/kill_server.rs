//! R1: the server is killed again and again under load; nothing that it acknowledged is lost or stored twice.

use std::{path::Path, time::Duration};

use super::{
    load::{self, Target},
    rounds,
};
use crate::harness::{http::Client, postgres::database, process::Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_kill_9_of_the_server_loses_nothing_that_was_acknowledged() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let base_url = server.text("/base_url");
    let listen = base_url.trim_start_matches("http://").to_owned();
    let target = Target {
        http: Client::new(base_url),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    // 20 senders at 100 ms: about 200 a second.
    let load = load::start(&target, 20, Duration::from_millis(100), 500);
    for round in 0..rounds(5, 50) {
        tokio::time::sleep(Duration::from_millis(500 + 37 * (round as u64 % 9))).await;
        server.kill();
        server = restart(data.path(), &listen, &database.url).await;
        load.next_acknowledgement().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let acknowledged = load.finish().await;
    assert!(acknowledged.len() > 100, "only {} messages came through: no load", acknowledged.len());
    load::settle(&database.pool).await;
    load::check(&database.pool, &acknowledged).await;
}

async fn restart(data: &Path, listen: &str, url: &str) -> Process {
    let (data, listen, url) = (data.to_owned(), listen.to_owned(), url.to_owned());
    let start = tokio::task::spawn_blocking(move || Process::start(&data, &listen, Some(&url)));
    start.await.expect("the server starts again")
}
