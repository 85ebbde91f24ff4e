//! R14 and R15: two servers on one database deliver everything once; one that sleeps past its lease disturbs nobody.

use std::time::Duration;

use super::{
    arrivals,
    load::{self, Target},
    rounds,
};
use crate::harness::{http::Client, postgres::database, process::Process, receiver::Receiver};

/// Calls that may be under way to one receiver.
const IN_FLIGHT: usize = 16;

/// Two processes on one database, a load on both, and a receiver.
struct Pair {
    database: crate::harness::postgres::TestDatabase,
    _data: tempfile::TempDir,
    servers: [Process; 2],
    receiver: Receiver,
    loads: Vec<load::Load>,
}

async fn pair() -> Pair {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let servers = [0, 1].map(|_| Process::start(data.path(), "127.0.0.1:0", Some(&database.url)));
    let receiver = Receiver::start().await;
    let http = servers.each_ref().map(|server| Client::new(server.text("/base_url")));
    arrivals::register(&http[0], &servers[0].text("/bot/token"), &receiver).await;
    let loads = http.into_iter().zip(&servers).enumerate().map(|(number, (http, server))| {
        let target = Target {
            http,
            app_secret: server.text("/whatsapp/app_secret"),
            phone_number_id: server.text("/whatsapp/phone_number_id"),
        };
        load::start_as(&target, &format!("of-{number}-"), 5, Duration::from_millis(50), 40)
    });
    Pair { loads: loads.collect(), database, _data: data, servers, receiver }
}

impl Pair {
    /// Ends the loads and checks; how many calls were repeats.
    async fn finish(&mut self) -> usize {
        let mut acknowledged = 0;
        for load in self.loads.drain(..) {
            acknowledged += load.finish().await.len();
        }
        assert!(acknowledged > 100, "only {acknowledged} messages came through: no load");
        load::settle(&self.database.pool).await;
        arrivals::wait_for(&self.receiver, acknowledged, Duration::from_secs(60)).await;
        // A second delivery would come behind.
        tokio::time::sleep(Duration::from_secs(2)).await;
        arrivals::check(&self.database.pool, &self.receiver).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_two_servers_without_faults_deliver_and_project_everything_once() {
    let mut pair = pair().await;
    tokio::time::sleep(Duration::from_secs(rounds(5, 600) as u64)).await;
    assert_eq!(pair.finish().await, 0, "deliveries were made twice");
    let applied: i64 =
        sqlx::query_scalar("SELECT count(*) - count(DISTINCT waba_id) FROM read_models.messages WHERE NOT from_us")
            .fetch_one(&pair.database.pool)
            .await
            .unwrap();
    assert_eq!(applied, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_a_server_that_sleeps_past_its_lease_repeats_no_more_than_it_had_in_flight() {
    let mut pair = pair().await;
    let mut repeats = 0;
    for round in 0..rounds(1, 10) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // The first holds the work to begin with, then whoever took it over.
        let sleeper = &pair.servers[round % 2];
        sleeper.signal("STOP");
        let before = pair.receiver.count();
        // The load on the sleeping server waits with it; the other's goes on, and so must its deliveries: within 30 s.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let told = pair.receiver.count() - before;
        assert!(told > 100, "only {told} calls while a server slept: nobody took its work over");
        sleeper.signal("CONT");
        tokio::time::sleep(Duration::from_secs(2)).await;
        repeats += IN_FLIGHT;
    }
    let made = pair.finish().await;
    assert!(made <= repeats, "{made} repeats, at most {repeats} are explained by what was in flight");
}
