//! `GET /chats/` at 200,000 chats and 1,000,000 messages: first page and search, and the lists of users who may read
//! some of them only.

use std::time::{Duration, Instant};

use super::{
    Size,
    client::{Outcome, call_at, customer, request, send, webhook},
    server::Server,
};

/// Messages in a call while the data are made.
const BATCH: usize = 50;
/// The messages are of so many seconds until now, but a quarter of the chats has been silent since a day more: their
/// conversations are over, those of the others active.
const SPAN: usize = 12 * 3_600;
const SILENT: usize = 24 * 3_600;

/// Runs it.
pub async fn run(size: Size) {
    let (chats, messages) = (size.of(200_000), size.of(1_000_000));
    println!("== GET /chats/ at {chats} chats and {messages} messages of 36 hours ==");
    let server = Server::start().await;
    let (secret, number) = (server.text("/whatsapp/app_secret"), server.text("/whatsapp/phone_number_id"));
    let since = Instant::now();
    let now = chrono::Utc::now().timestamp();
    for part in 0..10 {
        let per_part = messages / BATCH / 10;
        let calls = (0..per_part)
            .map(|i| {
                let first = (part * per_part + i) * BATCH;
                let batch: Vec<_> =
                    (0..BATCH).map(|j| (customer((first + j) % chats), format!("c{}", first + j))).collect();
                let ago = SPAN - first * SPAN / messages + if first / BATCH % 4 == 3 { SILENT } else { 0 };
                webhook(secret, &call_at(number, now - i64::try_from(ago).unwrap_or_default(), &batch))
            })
            .collect();
        send(address(&server), calls, 16, None).await;
    }
    server.settle().await;
    println!("  made in {:.0} s", since.elapsed().as_secs_f64());
    let first = gets(&server, 400, |_| "/api/v1/chats/".to_owned()).await;
    print("first page of 100 (bar: p50 5 ms, p99 20 ms)", &first);
    let small = gets(&server, 400, |_| "/api/v1/chats/?limit=20".to_owned()).await;
    print("first page of 20", &small);
    let search = gets(&server, 200, |i| format!("/api/v1/chats/?limit=20&search={}", customer(i * 37 % chats))).await;
    print("search (bar: p99 50 ms)", &search);
    service(&server, chats).await;
    restricted(&server, chats).await;
    let naive = naive(&server).await;
    println!("  comparator: the same first page counted and sorted at read time, SQL alone: {naive:.1} ms");
    println!("  ratio: {:.3}\n", first.percentile(50.0) / naive);
}

/// Tags of many chats and of few.
const TAGS: [(&str, usize); 2] = [("often", 4), ("seldom", 1_000)];

/// Puts tags on every fourth chat, and on every thousandth.
async fn tag(server: &Server, chats: usize) {
    let admin = credential(server, "admin");
    let post = |path: &str, body: String| request("POST", path, &admin, &body);
    let names = TAGS.map(|(name, _)| post("/api/v1/tags/", format!(r#"{{"name":"{name}"}}"#)));
    send(address(server), names.into(), 1, None).await;
    server.settle().await;
    for (name, every) in TAGS {
        let id = server.count(&format!("SELECT id FROM read_models.tags WHERE name = '{name}'")).await;
        let put = |chat: usize| post("/api/v1/chat_tagging/", format!(r#"{{"tag":{id},"chat":"{}"}}"#, customer(chat)));
        let done = send(address(server), (0..chats).step_by(every).map(put).collect(), 16, None).await;
        assert_eq!(done.failed, 0, "chats are tagged");
    }
    server.settle().await;
}

/// The lists of the Service API, with as many conversations and customers as there are chats.
async fn service(server: &Server, chats: usize) {
    let lists = [
        ("first conversations", "conversations?".to_owned()),
        ("first active conversations", "conversations?status=active&".to_owned()),
        ("first expired conversations", "conversations?status=expired&".to_owned()),
        ("first customers", "customers?".to_owned()),
        ("customers by number", format!("customers?search={}&", customer(chats / 3))),
        ("customers with a frequent tag", "customers?tags=often&".to_owned()),
        ("customers with a rare tag", "customers?tags=seldom&".to_owned()),
    ];
    tag(server, chats).await;
    for (what, list) in lists {
        asked(server, "admin", what, &list).await;
    }
}

/// A list of the Service API, as somebody is shown it.
async fn asked(server: &Server, who: &str, what: &str, list: &str) {
    let name = |of: &str| server.text(&format!("/{who}/{of}"));
    let login = serde_json::json!({"username": name("username"), "password": name("password")});
    let url = format!("{}/api/v1/whatsapp/auth/token", server.base_url());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::Client::new().post(url).json(&login).send().await.expect("an answer");
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    let token = format!("Authorization: Bearer {}\r\n", answer["data"]["accessToken"].as_str().expect("a token"));
    let path = format!("/api/v1/whatsapp/{list}take=100&shopId={}", server.text("/tenant/id"));
    for count in [20, 300] {
        let requests = (0..count).map(|_| request("GET", &path, &token, "")).collect();
        let outcome = send(address(server), requests, 1, None).await;
        if count == 300 {
            let bar = if list.contains("search") { "p99 50 ms" } else { "p50 5 ms, p99 20 ms" };
            print(&format!("Service API: {what} (bar: {bar})"), &outcome);
        }
    }
}

/// Chats of the agent, and of the agent's group.
const OWN: usize = 50;
const GROUP: usize = 20_000;

/// The lists of a user who may read its own chats, or its group's, and an admin's list of its own.
async fn restricted(server: &Server, chats: usize) {
    let id = |who: &str| server.ready[who]["id"].as_i64().expect("an id");
    let group = server.count("SELECT id FROM read_models.groups WHERE built_in = 'user'").await;
    let admin = credential(server, "admin");
    let assign = |chat: usize, body: String| {
        request("PATCH", &format!("/api/v1/chat_assignment/{}/", customer(chat)), &admin, &body)
    };
    let step = (chats / GROUP).max(1);
    let of_group = (0..GROUP.min(chats)).map(|i| assign(i * step, format!(r#"{{"assigned_group":{group}}}"#)));
    let own = (0..OWN).map(|i| assign(i * 37 % chats, format!(r#"{{"assigned_to_user":{}}}"#, id("agent"))));
    let mine = (0..OWN).map(|i| assign(i * 37 % chats + 1, format!(r#"{{"assigned_to_user":{}}}"#, id("admin"))));
    send(address(server), of_group.chain(own).chain(mine).collect(), 16, None).await;
    let by_number = format!("customers?search={}&", customer(chats / 3));
    for scope in ["user", "group"] {
        let body = format!(r#"{{"permissions":{{"can_read_chats":"{scope}"}}}}"#);
        let path = format!("/api/v1/users/{}/", id("agent"));
        send(address(server), vec![request("PATCH", &path, &admin, &body)], 1, None).await;
        server.settle().await;
        for list in ["chats", "messages"] {
            let outcome = gets_as(server, "agent", 400, |_| format!("/api/v1/{list}/")).await;
            print(
                &format!("first {list} of a user who may read those of its {scope} (bar: p50 5 ms, p99 20 ms)"),
                &outcome,
            );
        }
        let lists = [
            ("conversations", "conversations?"),
            ("active conversations", "conversations?status=active&"),
            ("expired conversations", "conversations?status=expired&"),
            ("customers", "customers?"),
            ("customers by number", by_number.as_str()),
            ("customers with a frequent tag", "customers?tags=often&"),
            ("customers with a rare tag", "customers?tags=seldom&"),
        ];
        for (what, list) in lists {
            let what = format!("first {what} of an agent who may read those of its {scope}");
            asked(server, "agent", &what, list).await;
        }
    }
    let assigned = format!("conversations?assignedAgentId={}&", id("agent"));
    asked(server, "admin", "first conversations of one agent", &assigned).await;
    let mine = gets(server, 400, |_| "/api/v1/chats/?assigned_to_me=true".to_owned()).await;
    print("an admin's own chats (bar: p50 5 ms, p99 20 ms)", &mine);
}

/// What a peer does: count all, find each chat's newest message, count its unread ones, sort, take a page.
async fn naive(server: &Server) -> f64 {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let since = Instant::now();
        sqlx::query(
            "SELECT (SELECT count(*) FROM read_models.chats), p.wa_id, p.name, m.newest, m.unread
               FROM read_models.persons p
               JOIN (SELECT tenant_id, wa_id, max(timestamp) AS newest, count(*) FILTER (WHERE NOT from_us) AS unread
                       FROM read_models.messages GROUP BY tenant_id, wa_id) m USING (tenant_id, wa_id)
              ORDER BY m.newest DESC, p.wa_id LIMIT 100",
        )
        .fetch_all(&server.pool)
        .await
        .expect("the database answers");
        times.push(since.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

async fn gets(server: &Server, count: usize, path: impl Fn(usize) -> String) -> Outcome {
    gets_as(server, "admin", count, path).await
}

fn credential(server: &Server, who: &str) -> String {
    format!("Authorization: Token {}\r\n", server.text(&format!("/{who}/token")))
}

/// Asks so often, after as many questions as every connection needs to have planned them.
async fn gets_as(server: &Server, who: &str, count: usize, path: impl Fn(usize) -> String) -> Outcome {
    let token = credential(server, who);
    let requests = |count: usize| (0..count).map(|i| request("GET", &path(i), &token, "")).collect();
    send(address(server), requests(20), 1, None).await;
    send(address(server), requests(count), 1, None).await
}

fn address(server: &Server) -> &str {
    server.base_url().trim_start_matches("http://")
}

fn print(what: &str, outcome: &Outcome) {
    println!(
        "  {what}: p50 {:.1} ms, p99 {:.1} ms, {} failed",
        outcome.percentile(50.0),
        outcome.percentile(99.0),
        outcome.failed
    );
}
