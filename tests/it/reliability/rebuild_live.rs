//! R24: read models are rebuilt while webhooks, writes and reads go on: no error, no read that is older than one's own
//! write (R-CST-1), and what answers afterwards is what live projection would have made.

use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    load::{self, Target},
    rounds,
};
use crate::harness::{
    http::{Answer, Client},
    postgres::database,
    process::{Process, binary},
};

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("no JSON: {}", answer.text))
}

/// The name of a tag, as the list of them shows it.
async fn tag_named(http: &Client, token: &str, id: i64) -> Option<String> {
    let list = http.call(Method::GET, "/api/v1/tags/?limit=100", Some(token), None).await;
    assert_eq!(list.status, 200, "{}", list.text);
    let list = json_of(&list);
    let of = list["results"].as_array()?.iter().find(|tag| tag["id"] == id)?;
    Some(of["name"].as_str()?.to_owned())
}

/// Writes, and reads what was written, until told to stop: how often.
async fn write_and_read(http: Client, token: String, stop: Arc<AtomicBool>) -> usize {
    let mut done = 0;
    while !stop.load(Ordering::SeqCst) {
        let name = format!("Tag {done}");
        let body = Some(json!({"name": name, "web_inbox_color": null}));
        let made = http.call(Method::POST, "/api/v1/tags/", Some(&token), body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = json_of(&made)["id"].as_i64().expect("an id");
        let read = http.call(Method::GET, &format!("/api/v1/tags/{id}/"), Some(&token), None).await;
        assert_eq!(
            (read.status, json_of(&read)["name"].as_str()),
            (200, Some(name.as_str())),
            "one's own write is seen"
        );
        let gone = http.call(Method::DELETE, &format!("/api/v1/tags/{id}/"), Some(&token), None).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        assert_eq!(tag_named(&http, &token, id).await, None, "what was deleted is gone");
        done += 1;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    done
}

/// Reads lists until told to stop, and counts answers that are none.
async fn read(http: Client, token: String, stop: Arc<AtomicBool>, reads: Arc<AtomicUsize>) {
    let mut newest = 0;
    while !stop.load(Ordering::SeqCst) {
        for path in ["/api/v1/chats/", "/api/v1/messages/", "/api/v1/persons/", "/api/v1/users/"] {
            let answer = http.call(Method::GET, path, Some(&token), None).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            if path == "/api/v1/messages/" {
                let count = json_of(&answer)["count"].as_i64().expect("a count");
                assert!(count >= newest, "a list went back from {newest} to {count} messages");
                newest = count;
            }
            reads.fetch_add(1, Ordering::SeqCst);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r24_rebuilds_under_load_show_nobody_an_error_or_the_past() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let http = Client::new(server.text("/base_url"));
    let token = server.text("/admin/token");
    let target = Target {
        http: http.clone(),
        app_secret: server.text("/whatsapp/app_secret"),
        phone_number_id: server.text("/whatsapp/phone_number_id"),
    };
    let load = load::start(&target, 4, Duration::from_millis(40), 50);
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writing = tokio::spawn(write_and_read(http.clone(), token.clone(), stop.clone()));
    let reading = tokio::spawn(read(http.clone(), token.clone(), stop.clone(), reads.clone()));
    let since = Instant::now();
    let mut rebuilt = 0;
    while rebuilt < rounds(4, 40) {
        let mut command = Command::new(binary());
        command.args(["projections", "rebuild", "--all", "--if-equal"]).env("DATABASE_URL", &database.url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("a thread");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        rebuilt += 1;
    }
    let took = since.elapsed();
    stop.store(true, Ordering::SeqCst);
    let unanswered = load.unanswered.load(Ordering::SeqCst);
    let acknowledged = load.finish().await;
    let written = writing.await.expect("every write was seen");
    reading.await.expect("every list was answered");
    assert_eq!(unanswered, 0, "webhooks that were not answered with 200");
    assert!(
        acknowledged.len() > 50 && written > 5 && reads.load(Ordering::SeqCst) > 50,
        "{} webhooks, {written} writes, {reads:?} reads in {took:?}: no load",
        acknowledged.len()
    );
    load::settle(&database.pool).await;
    load::check(&database.pool, &acknowledged).await;
}
