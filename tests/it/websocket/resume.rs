//! R21: the server is killed under load; a client that comes again and catches up over REST misses nothing (R-WS-7).

use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{Heard, Socket};
use crate::{
    harness::{http::Client, inbox::now, postgres::database, process::Process},
    reliability::load::{self, Target},
};

/// What a client knows, however it came to know it.
struct Reader {
    http: Client,
    token: String,
    known: HashSet<String>,
    since: i64,
}

impl Reader {
    fn learn(&mut self, messages: &Value) {
        let ids =
            messages.as_array().into_iter().flatten().filter_map(|message| message["waba_payload"]["id"].as_str());
        self.known.extend(ids.map(str::to_owned));
    }

    /// Reads over REST what was said since the last look.
    async fn catch_up(&mut self) {
        let began = now();
        for page in 0.. {
            let path = format!("messages/?since_time={}&limit=200&offset={}", self.since, page * 200);
            let answer = self.http.call(Method::GET, &path, Some(&self.token), None).await.expect(200);
            self.learn(&answer["results"]);
            if answer["next"].is_null() {
                break;
            }
        }
        // What was recorded late may be a little older.
        self.since = began - 5;
    }

    /// Listens until the connection breaks, or it is over.
    async fn listen(&mut self, until: Instant) {
        let Ok(socket) = Socket::try_open(&self.http.base_url, "/ws/", &[]).await else { return };
        let mut socket = socket.let_in(&json!({"token": self.token, "dialect": "classic"})).await;
        // After the token, so that nothing falls between the two.
        self.catch_up().await;
        while let Ok(heard) = tokio::time::timeout_at(until.into(), socket.listen()).await {
            let Heard::Frame(frame) = heard else { return };
            self.learn(&frame["waba_payload"]["incoming_messages"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_r_ws_7_a_client_that_comes_again_and_catches_up_over_rest_misses_nothing() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let base_url = server.text("/base_url");
    let listen = base_url.trim_start_matches("http://").to_owned();
    let http = Client::new(base_url);
    let target = Target {
        http: http.clone(),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    let mut reader = Reader { http, token: server.text("/admin/token"), known: HashSet::new(), since: now() - 60 };
    let load = load::start(&target, 5, Duration::from_millis(50), 50);
    for _ in 0..3 {
        let killed = async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            server.kill();
        };
        tokio::join!(reader.listen(Instant::now() + Duration::from_secs(10)), killed);
        server = restart(data.path(), &listen, &database.url).await;
        load.next_acknowledgement().await;
    }
    let (acknowledged, ()) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            load.finish().await
        },
        // Longer than the last message may take on a busy machine.
        reader.listen(Instant::now() + Duration::from_secs(8)),
    );
    assert!(acknowledged.len() > 50, "only {} messages came through: no load", acknowledged.len());
    let missed: Vec<&String> = acknowledged.iter().filter(|id| !reader.known.contains(*id)).collect();
    assert!(missed.is_empty(), "{} of {} missed", missed.len(), acknowledged.len());
    drop(server);
}

async fn restart(data: &Path, listen: &str, url: &str) -> Process {
    let (data, listen, url) = (data.to_owned(), listen.to_owned(), url.to_owned());
    let start = tokio::task::spawn_blocking(move || Process::start(&data, &listen, Some(&url)));
    start.await.expect("the server starts again")
}
