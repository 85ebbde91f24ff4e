//! What became of deliveries: lists, bodies, attempts, and replays by id, chat and time.

use chatledger_api::bootstrap::Login;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::inbox::{Inbox, now};

pub const RUI: &str = "351912000111";
pub const ANA: &str = "351912000222";

/// A delivery to be put into the tables, where the dispatcher would.
pub struct Made<'a> {
    pub state: &'a str,
    pub wa_id: &'a str,
    pub made_at: i64,
    pub attempts: i32,
    pub log: Value,
}

impl Default for Made<'_> {
    fn default() -> Self {
        Self { state: "dead", wa_id: RUI, made_at: now(), attempts: 12, log: json!([failed(503)]) }
    }
}

pub fn failed(status: u16) -> Value {
    json!({"at": 1_767_693_600, "status": status, "ms": 41, "answer": "try later \u{0}", "error": null})
}

impl Inbox {
    /// A webhook of a user; its path and its id. Nobody calls it: some other server has the tenant's deliveries.
    pub async fn hook_of(&self, user: &Login) -> (String, i64) {
        sqlx::query(
            "INSERT INTO outbound.cursors AS c (tenant_id, reactor, position, holder, fence, lease_until)
             VALUES ($1, 'webhooks', 0, $2, 1, now() + interval '1 day') ON CONFLICT (tenant_id, reactor)
             DO UPDATE SET holder = excluded.holder, fence = c.fence + 1, lease_until = excluded.lease_until",
        )
        .bind(self.tenant)
        .bind(Uuid::new_v4())
        .execute(&self.pool)
        .await
        .expect("taken");
        let made = self.post(user, "webhooks/waba/", json!({"url": "http://127.0.0.1:18080/hook"})).await.expect(201);
        let id = made["id"].as_i64().expect("a number");
        (format!("webhooks/waba/{id}/"), id)
    }

    pub async fn listed_as(&self, user: &Login, path: &str) -> Value {
        self.get(user, path).await.expect(200)
    }

    /// Puts a delivery into the tables at a place of its order; its id.
    pub async fn put_delivery(&self, webhook: i64, position: i64, made: Made<'_>) -> Uuid {
        let (id, body) = (Uuid::new_v4(), Uuid::new_v4());
        let text = format!(r#"{{"incoming_messages": [{{"n":  {position}.0}}]}}"#);
        sqlx::query("INSERT INTO outbound.bodies (tenant_id, id, body) VALUES ($1, $2, $3)")
            .bind(self.tenant)
            .bind(body)
            .bind(text)
            .execute(&self.pool)
            .await
            .expect("a body");
        sqlx::query(
            "INSERT INTO outbound.deliveries (tenant_id, receiver, position, part, id, wa_ids, keys, body_id, state,
                 attempts, log, made_at, done_at, not_before)
             VALUES ($1, $2, $3, 0, $4, ARRAY[$5], '{incoming_messages}', $6, $7, $8, $9::json, to_timestamp($10),
                 CASE WHEN $7 <> 'pending' THEN now() END, now() + interval '1 hour')",
        )
        .bind(self.tenant)
        .bind(webhook)
        .bind(position)
        .bind(id)
        .bind(made.wa_id)
        .bind(body)
        .bind(made.state)
        .bind(made.attempts)
        .bind(made.log.to_string())
        .bind(made.made_at)
        .execute(&self.pool)
        .await
        .expect("a delivery");
        id
    }

    pub async fn listed_deliveries(&self, user: &Login, list: &str) -> Vec<(String, String)> {
        let page = self.listed_as(user, list).await;
        let rows = page["results"].as_array().expect("a list").clone();
        let text = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
        rows.iter().map(|row| (text(row, "id"), text(row, "state"))).collect()
    }
}

#[tokio::test]
async fn r_out_4_a_dead_delivery_is_kept_and_seen_with_every_attempt() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    let list = format!("{hook}deliveries/");
    assert_eq!(inbox.listed_as(&inbox.agent, &list).await["count"], 0);
    let log = json!([failed(500), {"at": 1_767_693_700, "status": null, "ms": 10_000, "error": "time-out"}]);
    let dead =
        inbox.put_delivery(id, 1_000, Made { log: log.clone(), made_at: 1_767_693_600, ..Made::default() }).await;
    let pending = Made { state: "pending", wa_id: ANA, attempts: 1, log: json!([failed(503)]), ..Made::default() };
    let pending = inbox.put_delivery(id, 1_001, pending).await;
    let page = inbox.listed_as(&inbox.agent, &list).await;
    assert_eq!((&page["count"], &page["next"], &page["previous"]), (&json!(2), &Value::Null, &Value::Null));
    assert_eq!(page["results"][0]["id"], pending.to_string(), "the newest first");
    let shown = json!({
        "id": dead, "state": "dead", "keys": ["incoming_messages"], "wa_ids": [RUI], "created_at": 1_767_693_600,
        "attempts": 12, "next_attempt_at": null, "last_status": null, "last_error": "time-out"
    });
    assert_eq!(page["results"][1], shown);
    let next = page["results"][0]["next_attempt_at"].as_i64().expect("a time");
    assert!((next - now() - 3_600).abs() < 60 && page["results"][0]["last_status"] == 503, "{page}");
    let answer = inbox.get(&inbox.agent, &format!("{list}{dead}/")).await;
    assert!(
        answer.text.contains(r#""body":{"incoming_messages": [{"n":  1000.0}]}"#),
        "as it is sent: {}",
        answer.text
    );
    let detail = answer.expect(200);
    let expected = json!([
        {"at": 1_767_693_600, "status": 500, "duration_ms": 41, "answer": "try later \u{0}", "error": null},
        {"at": 1_767_693_700, "status": null, "duration_ms": 10_000, "answer": null, "error": "time-out"},
    ]);
    assert_eq!(detail["log"], expected);
    // One that waits for the outcome of its message has no body yet.
    let sql = format!("UPDATE outbound.deliveries SET body_id = NULL WHERE id = '{pending}'");
    sqlx::query(&sql).execute(&inbox.pool).await.expect("updated");
    assert_eq!(inbox.get(&inbox.agent, &format!("{list}{pending}/")).await.expect(200)["body"], Value::Null);
    let unknown = format!("{list}{}/", Uuid::new_v4());
    for path in [unknown, format!("{list}nonsense/"), format!("webhooks/waba/{}/deliveries/", id + 1)] {
        assert_eq!(inbox.get(&inbox.agent, &path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn users_see_their_own_webhooks_deliveries_and_admins_all() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    let (other, _) = inbox.hook_of(&inbox.bot).await;
    let dead = inbox.put_delivery(id, 1_000, Made::default()).await;
    let enable = json!({"replay": true});
    for (path, body) in [
        (format!("{hook}deliveries/"), None),
        (format!("{hook}deliveries/{dead}/"), None),
        (format!("{hook}status/"), None),
        (format!("{hook}deliveries/replay/"), Some(json!({"ids": [dead]}))),
        (format!("{hook}enable/"), Some(enable)),
    ] {
        for (user, status) in [(&inbox.bot, 404), (&inbox.admin, 200), (&inbox.agent, 200)] {
            let answer = match body.clone() {
                None => inbox.get(user, &path).await,
                Some(body) => inbox.post(user, &path, body).await,
            };
            let expected = if status == 200 && path.ends_with("replay/") { 202 } else { status };
            assert_eq!(answer.status, expected, "{path}: {}", answer.text);
        }
    }
    // A delivery of one webhook is no delivery of another.
    assert_eq!(inbox.get(&inbox.bot, &format!("{other}deliveries/{dead}/")).await.status, 404);
    assert_eq!(inbox.listed_as(&inbox.bot, &format!("{other}deliveries/")).await["count"], 0);
    // Not even what a body should hold is told to whose it is not.
    assert_eq!(inbox.post(&inbox.bot, &format!("{hook}enable/"), json!({})).await.status, 404);
    assert_eq!(inbox.delete(&inbox.agent, &hook).await.status, 204);
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.deliveries WHERE state <> 'pending'").await, 0);
    assert_eq!(inbox.get(&inbox.agent, &format!("{hook}deliveries/")).await.status, 404);
}

#[tokio::test]
async fn deliveries_are_found_by_state_chat_and_time() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    let mut ids = Vec::new();
    for (n, (state, wa_id)) in [("dead", RUI), ("delivered", ANA), ("pending", RUI), ("dead", ANA)].iter().enumerate() {
        let made_at = 1_000 + i64::try_from(n).unwrap() * 100;
        let made = Made { state, wa_id, made_at, ..Made::default() };
        ids.push(inbox.put_delivery(id, made_at, made).await.to_string());
    }
    for (query, expected) in [
        ("", vec![3, 2, 1, 0]),
        ("state=dead", vec![3, 0]),
        ("state=pending", vec![2]),
        ("state=delivered", vec![1]),
        ("wa_id=%2B351+912+000+111", vec![2, 0]),
        ("wa_id=nobody", vec![]),
        ("since_time=1100&before_time=1300", vec![2, 1]),
        ("since_time=1300&wa_id=351912000222", vec![3]),
        ("since_time=-9223372036854775808&before_time=9223372036854775807", vec![3, 2, 1, 0]),
        ("limit=2&offset=1", vec![2, 1]),
    ] {
        let found = inbox.listed_deliveries(&inbox.agent, &format!("{hook}deliveries/?{query}")).await;
        let found: Vec<_> = found.into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, expected.iter().map(|n: &usize| ids[*n].clone()).collect::<Vec<_>>(), "{query}");
    }
    let part = inbox.listed_as(&inbox.agent, &format!("{hook}deliveries/?limit=2&state=dead&offset=1")).await;
    assert_eq!((&part["count"], part["results"].as_array().map(Vec::len)), (&json!(2), Some(1)));
    let previous = part["previous"].as_str().expect("a link");
    assert!(previous.ends_with("?limit=2&state=dead"), "{previous}");
    let told = inbox.get(&inbox.agent, &format!("{hook}deliveries/?state=lost&since_time=x")).await.expect(400);
    assert_eq!(told["state"], json!(["Select a valid choice. lost is not one of the available choices."]));
    assert_eq!(told["since_time"], json!(["A valid integer is required."]));
}

#[tokio::test]
async fn r_out_4_a_replay_goes_by_id_chat_and_time() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    let place = format!("{hook}deliveries/replay/");
    let mut ids = Vec::new();
    for (n, (state, wa_id)) in
        [("dead", RUI), ("delivered", RUI), ("dead", ANA), ("dead", RUI), ("pending", ANA)].iter().enumerate()
    {
        let made_at = 1_000 + i64::try_from(n).unwrap() * 100;
        ids.push(inbox.put_delivery(id, made_at, Made { state, wa_id, made_at, ..Made::default() }).await);
    }
    let back = "UPDATE outbound.deliveries SET attempts = 12, state = CASE position WHEN 1100 THEN 'delivered'
                WHEN 1400 THEN 'pending' ELSE 'dead' END";
    for (order, expected) in [
        (json!({"ids": [ids[0], ids[1], Uuid::new_v4()]}), vec![0, 1]),
        (json!({"ids": [ids[0], ids[1]], "states": ["dead"]}), vec![0]),
        (json!({"ids": [ids[4]]}), vec![]),
        (json!({"wa_id": RUI}), vec![0, 3]),
        (json!({"wa_id": RUI, "states": ["dead", "delivered"]}), vec![0, 1, 3]),
        (json!({"wa_id": RUI, "since_time": 1_001}), vec![3]),
        (json!({"since_time": 1_000, "before_time": 1_300}), vec![0, 2]),
        (json!({"since_time": 1_100, "before_time": 1_200, "states": ["delivered"]}), vec![1]),
        (json!({"before_time": 1_100}), vec![0]),
    ] {
        sqlx::query(back).execute(&inbox.pool).await.expect("as before");
        let answer = inbox.post(&inbox.agent, &place, order.clone()).await.expect(202);
        assert_eq!(answer["replayed"], json!(expected.len()), "{order}");
        let replayed: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM outbound.deliveries WHERE state = 'pending' AND attempts = 0 AND done_at IS NULL
             AND not_before <= now() AND json_array_length(log) = 1 ORDER BY position",
        )
        .fetch_all(&inbox.pool)
        .await
        .expect("an answer");
        assert_eq!(replayed, expected.iter().map(|n: &usize| ids[*n]).collect::<Vec<_>>(), "{order}");
        let gone = "UPDATE outbound.deliveries SET done_at = now(), not_before = now() + interval '1 hour'";
        sqlx::query(gone).execute(&inbox.pool).await.expect("as before");
    }
    // What was delivered and forgotten since is no more there to be replayed, and the answer says so.
    let all = json!({"since_time": 1, "states": ["delivered"]});
    assert_eq!(inbox.post(&inbox.agent, &place, all).await.expect(202)["forgotten_before"], 1_000);
    let kept = json!({"since_time": 1_000, "states": ["delivered"]});
    assert_eq!(inbox.post(&inbox.agent, &place, kept).await.expect(202)["forgotten_before"], Value::Null);
}

#[tokio::test]
async fn a_replay_of_nothing_in_particular_is_refused() {
    let inbox = Inbox::start().await;
    let (hook, id) = inbox.hook_of(&inbox.agent).await;
    inbox.put_delivery(id, 1_000, Made::default()).await;
    let (neither, both) = ("Give ids, a wa_id, or a time.", "Give either ids, or a wa_id and times.");
    for (order, field, text) in [
        (json!({}), "non_field_errors", neither),
        (json!({"ids": null}), "non_field_errors", neither),
        (json!({"since_time": null, "states": ["dead"]}), "non_field_errors", neither),
        (json!({"ids": [Uuid::new_v4()], "wa_id": RUI}), "non_field_errors", both),
        (json!({"ids": [Uuid::new_v4()], "since_time": 1}), "non_field_errors", both),
        (json!({"ids": []}), "ids", "This list may not be empty."),
        (json!({"ids": "x"}), "ids", "Expected a list of items but got type \"str\"."),
        (json!({"ids": ["x"]}), "ids", "\"x\" is not a valid id."),
        (json!({"wa_id": "?"}), "wa_id", "Enter a valid WhatsApp id."),
        (json!({"wa_id": null}), "wa_id", "This field may not be null."),
        (
            json!({"wa_id": RUI, "states": ["pending"]}),
            "states",
            "Select a valid choice. pending is not one of the available choices.",
        ),
    ] {
        let told = inbox.post(&inbox.agent, &format!("{hook}deliveries/replay/"), order.clone()).await.expect(400);
        assert_eq!(told[field], json!([text]), "{order}");
    }
    let many: Vec<Uuid> = (0..1_001).map(|_| Uuid::new_v4()).collect();
    let told = inbox.post(&inbox.agent, &format!("{hook}deliveries/replay/"), json!({"ids": many})).await.expect(400);
    assert_eq!(told["ids"], json!(["Ensure this field has no more than 1000 elements."]));
    assert_eq!(inbox.count("SELECT count(*) FROM outbound.deliveries WHERE state = 'dead'").await, 1);
}
