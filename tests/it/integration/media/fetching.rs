//! Files that customers send: fetched once, whatever WhatsApp does meanwhile (R-MED-3).

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::*;
use crate::harness::{http::Client, postgres::database, process::Process};

const STORED: &str = "SELECT count(*) FROM ledger.events WHERE event_type = 'MediaStored'";

/// A customer's file at WhatsApp.
struct Theirs {
    id: String,
    sha256: String,
}

/// Has the simulator keep a file.
async fn at_whatsapp(simulator_url: &str, bytes: &[u8], mime_type: &str, id: &str) -> Theirs {
    let client = Client::new(simulator_url.to_owned());
    let request = client.raw.post(format!("{simulator_url}/simulator/media{id}")).header("Content-Type", mime_type);
    let kept = client.send(request.body(bytes.to_vec())).await.expect(200);
    Theirs { id: kept["id"].as_str().unwrap().to_owned(), sha256: kept["sha256"].as_str().unwrap().to_owned() }
}

/// A customer sends a picture that is at WhatsApp.
async fn sends(simulator_url: &str, theirs: &Theirs, sha256: &str) {
    let client = Client::new(simulator_url.to_owned());
    let image = json!({"id": theirs.id, "mime_type": "image/png", "sha256": sha256, "caption": "receipt"});
    let inbound = json!({"type": "image", "from": RUI, "image": image});
    let request = client.raw.post(format!("{simulator_url}/simulator/inbound")).json(&inbound);
    assert_eq!(client.send(request).await.expect(200)["status"], 200);
}

impl Inbox {
    async fn gets_picture(&self) -> Theirs {
        let theirs = at_whatsapp(&self.simulator_url, PNG, "image/png", "").await;
        sends(&self.simulator_url, &theirs, &theirs.sha256).await;
        self.settle().await;
        theirs
    }

    /// The link in the newest message.
    async fn newest_link(&self) -> String {
        let page = self.page(&self.admin, "messages/").await;
        page["results"][0]["waba_payload"]["image"]["link"].as_str().expect("a link").to_owned()
    }

    /// Waits until a file answers so; the answers before must say that it is pending.
    async fn until_answered(&self, link: &str, status: u16, pending: bool) -> File {
        let since = Instant::now();
        loop {
            let file = self.file(Method::GET, link, &[]).await;
            if file.status == status && file.header("retry-after").is_empty() != pending {
                return file;
            }
            assert_eq!((file.status, file.header("retry-after")), (404, "5"), "neither there nor pending");
            assert!(since.elapsed() < Duration::from_secs(30), "still {}", file.status);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn r_med_3_a_customers_file_is_fetched_once_and_one_link_serves_before_and_after() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"media": {"fault": "slow", "ms": 1500}})).await;
    let theirs = inbox.gets_picture().await;
    let link = inbox.newest_link().await;
    assert!(link.starts_with(&format!("{}/api/v1/media/{}/?exp=", inbox.http.base_url, theirs.id)), "{link}");
    let pending = inbox.until_answered(&link, 404, true).await;
    assert_eq!(pending.bytes, NOT_FOUND.as_bytes());
    let file = inbox.until_answered(&link, 200, false).await;
    assert_eq!((&*file.bytes, file.header("content-type")), (PNG, "image/png"));
    assert_eq!(file.header("etag"), format!("\"{}\"", hex::encode(Sha256::digest(PNG))));
    // What the Web Inbox makes itself of the raw webhook's id.
    let token = credential(&inbox.bot);
    let bare = inbox.file(Method::GET, &format!("media/{}", theirs.id), &[("Authorization", &token)]).await;
    assert_eq!((bare.status, &*bare.bytes), (200, PNG));
    assert_eq!(inbox.newest_link().await.split_once('?').unwrap().0, link.split_once('?').unwrap().0);
    // The same file in another message, and the same message again, are fetched no more.
    sends(&inbox.simulator_url, &theirs, &theirs.sha256).await;
    inbox.settle().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(inbox.count(STORED).await, 1);
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.media").await, 1);
    let folder = inbox.data_dir().join("media").join(inbox.tenant.to_string());
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[tokio::test]
async fn r_med_3_a_file_comes_in_the_end_whatever_whatsapp_does_first() {
    let inbox = Inbox::start().await;
    for fault in ["busy", "missing", "cut", "wrong", "elsewhere"] {
        inbox.behave(json!({"media": {"fault": fault}})).await;
        inbox.gets_picture().await;
        let file = inbox.until_answered(&inbox.newest_link().await, 200, false).await;
        assert_eq!(&*file.bytes, PNG, "{fault}");
    }
    // A hash that is none is no reason to do without the file.
    let theirs = at_whatsapp(&inbox.simulator_url, PNG, "image/png", "").await;
    sends(&inbox.simulator_url, &theirs, "no hash").await;
    inbox.settle().await;
    inbox.until_answered(&inbox.newest_link().await, 200, false).await;
    assert_eq!(inbox.count(STORED).await, 6);
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.fetches").await, 0);
    let folder = inbox.data_dir().join("media").join(inbox.tenant.to_string());
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 6, "bytes that nobody names are removed");
}

#[tokio::test]
async fn r_med_3_what_whatsapp_does_not_have_is_not_waited_for() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"media": {"fault": "gone"}})).await;
    inbox.gets_picture().await;
    let gone = inbox.newest_link().await;
    assert_eq!(inbox.until_answered(&gone, 404, false).await.bytes, NOT_FOUND.as_bytes());
    // Bytes that never are what the message tells.
    inbox.behave(json!({"media": {"fault": "wrong", "count": 1000}})).await;
    inbox.gets_picture().await;
    let wrong = inbox.newest_link().await;
    inbox.until_answered(&wrong, 404, true).await;
    sqlx::query("UPDATE outbound.fetches SET attempts = 4, not_before = now()").execute(&inbox.pool).await.unwrap();
    inbox.until_answered(&wrong, 404, false).await;
    let failed = "SELECT count(*) FROM ledger.events WHERE event_type = 'MediaFetchFailed'";
    assert_eq!((inbox.count(failed).await, inbox.count(STORED).await), (2, 0));
    let folder = inbox.data_dir().join("media").join(inbox.tenant.to_string());
    assert_eq!(std::fs::read_dir(folder).map(Iterator::count).unwrap_or_default(), 0);
}

#[tokio::test]
async fn another_inbox_does_not_learn_of_a_customers_file() {
    let inbox = Inbox::start().await;
    inbox.add_tenant("acme", "acme.example", "5550001").await;
    let other = inbox.add_user_to("acme", "zoe", chatledger_domain::Role::Admin).await;
    inbox.behave(json!({"media": {"fault": "slow", "ms": 1000}})).await;
    let theirs = inbox.gets_picture().await;
    let unknown = inbox.read_file(&other, "1234567890").await;
    for _ in 0..2 {
        let foreign = inbox.read_file(&other, &theirs.id).await;
        assert_eq!((foreign.status, foreign.header("retry-after")), (404, ""));
        assert_eq!(foreign.bytes, unknown.bytes);
        inbox.until_answered(&inbox.newest_link().await, 200, false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_while_a_file_is_fetched_loses_nothing() {
    let database = database().await;
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(data.path(), "127.0.0.1:0", Some(&database.url));
    let listen = server.text("/base_url").trim_start_matches("http://").to_owned();
    let simulator = server.text("/simulator_url");
    let theirs = at_whatsapp(&simulator, PNG, "image/png", "?id=5551234").await;
    let client = Client::new(simulator.clone());
    let slow = json!({"media": {"fault": "slow", "ms": 60_000}});
    client.send(client.raw.post(format!("{simulator}/simulator/behaviour")).json(&slow)).await.expect(200);
    sends(&simulator, &theirs, &theirs.sha256).await;
    let claimed = "SELECT count(*) FROM outbound.fetches WHERE attempts = 1 AND lease_until > now()";
    let count = async |sql: &str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&database.pool).await.unwrap();
    let until = async |sql: &str| {
        let since = Instant::now();
        while count(sql).await != 1 {
            assert!(since.elapsed() < Duration::from_secs(30), "{sql}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    until(claimed).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.kill();
    assert_eq!(count(STORED).await, 0);
    let server = Process::start(data.path(), &listen, Some(&database.url));
    at_whatsapp(&server.text("/simulator_url"), PNG, "image/png", "?id=5551234").await;
    // The lease of the dead runs out by itself after 25 s.
    sqlx::query("UPDATE outbound.fetches SET lease_until = now()").execute(&database.pool).await.unwrap();
    until(STORED).await;
    until("SELECT count(*) FROM read_models.media WHERE blob IS NOT NULL AND waba_id = '5551234'").await;
    let blob: uuid::Uuid =
        sqlx::query_scalar("SELECT blob FROM read_models.media").fetch_one(&database.pool).await.unwrap();
    let folder = std::fs::read_dir(data.path().join("media")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read(folder.join(blob.to_string())).unwrap(), PNG);
}
