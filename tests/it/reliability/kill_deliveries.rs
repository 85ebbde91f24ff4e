//! R1, the way out: the server is killed again and again under load; every receiver is told of everything, in order,
//! and what it is told twice has the same id.

use std::{path::Path, time::Duration};

use super::{
    arrivals,
    load::{self, Target},
    rounds,
};
use crate::harness::{http::Client, postgres::database, process::Process, receiver::Receiver};

/// Calls that may be under way to one receiver when the server dies.
const IN_FLIGHT: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_kill_9_of_the_server_leaves_no_receiver_untold() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let http = Client::new(server.text("/base_url"));
    let listen = server.text("/base_url").trim_start_matches("http://").to_owned();
    let receivers = [Receiver::start().await, Receiver::start().await];
    for (receiver, user) in receivers.iter().zip(["/bot/token", "/agent/token"]) {
        arrivals::register(&http, &server.text(user), receiver).await;
    }
    let target = Target {
        http,
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    // 20 senders at 100 ms: about 200 a second.
    let load = load::start(&target, 20, Duration::from_millis(100), 100);
    let kills = rounds(4, 50);
    for round in 0..kills {
        tokio::time::sleep(Duration::from_millis(500 + 37 * (round as u64 % 9))).await;
        server.kill();
        server = restart(data.path(), &listen, &database.url).await;
        load.next_acknowledgement().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let acknowledged = load.finish().await;
    assert!(acknowledged.len() > 100, "only {} messages came through: no load", acknowledged.len());
    load::settle(&database.pool).await;
    for receiver in &receivers {
        // A dead server's lease has to run out after each kill.
        arrivals::wait_for(receiver, acknowledged.len(), Duration::from_secs(90)).await;
        let repeats = arrivals::check(&database.pool, receiver).await;
        assert!(repeats <= kills * IN_FLIGHT, "{repeats} repeats after {kills} kills");
    }
}

async fn restart(data: &Path, listen: &str, url: &str) -> Process {
    let (data, listen, url) = (data.to_owned(), listen.to_owned(), url.to_owned());
    let start = tokio::task::spawn_blocking(move || Process::start(&data, &listen, Some(&url)));
    start.await.expect("the server starts again")
}
