//! The forms in which histories are taken away: CSV, NDJSON, HTML. None of them lets a customer's text do anything.

use chatledger_infrastructure::postgres::verify;
use serde_json::{Value, json};

use super::{RUI, audit, audited, history, new_tag, tag_chat};
use crate::harness::inbox::{Inbox, contact, now, text_message};

/// Texts that break what is not careful.
const HOSTILE: [&str; 7] = [
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "a,b;c\n\"d\"\r\ne",
    "\u{1b}[2J\u{202e}terminal",
    "&lt;b&gt; ]]> --> {{7*7}}",
    "\u{0}nul",
];

async fn hostile() -> (Inbox, i64) {
    let inbox = Inbox::start().await;
    for (n, text) in HOSTILE.iter().enumerate() {
        let message = text_message(RUI, &format!("wamid.hostile{n}"), now(), text);
        inbox.bring(json!({"contacts": [contact(RUI, &format!("=1+1{text}"))], "messages": [message]})).await;
    }
    inbox.settle().await;
    let tag = new_tag(&inbox, "<script>alert(2)</script>", Some("#00ff00")).await;
    tag_chat(&inbox, &inbox.agent, RUI, tag).await;
    (inbox, tag)
}

fn rows(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().expect("columns").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
    (columns, rows)
}

#[tokio::test]
async fn csv_parses_back_has_stable_columns_and_no_formula() {
    let (inbox, _) = hostile().await;
    let (columns, rows) = rows(&audited(&inbox, &["chat", RUI, "--format", "csv"]).await);
    assert_eq!(
        columns.join(","),
        "position,recorded_at,occurred_at,kind,version,stream,sequence,who_kind,who_id,who,on_behalf_of_id,\
         on_behalf_of,what,family,correlation_id,causation,hash,erased_at"
    );
    let told = history(&inbox, &format!("chats/{RUI}/")).await;
    assert_eq!(rows.len(), told.len());
    let column = |name: &str| columns.iter().position(|column| column == name).expect("a column");
    for (row, entry) in rows.iter().zip(&told) {
        assert_eq!(row[column("position")], entry["position"].to_string());
        assert_eq!(row[column("what")], entry["what"].as_str().expect("words"));
        assert_eq!(row[column("hash")], entry["hash"].as_str().expect("a hash"));
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
        assert!(row.iter().all(|cell| !cell.contains(|c: char| c.is_control())), "{row:?}");
        chrono::DateTime::parse_from_rfc3339(&row[column("recorded_at")]).expect("a time");
    }
    // Also where a cell is nothing but what somebody else wrote.
    let request = inbox.http.raw.post(inbox.http.url("chat_tagging/")).header("X-Request-ID", "=2+2");
    let request = request.header("Authorization", format!("Token {}", inbox.agent.token));
    let tag = new_tag(&inbox, "Plain", None).await;
    inbox.http.send(request.json(&json!({"tag": tag, "chat": RUI}))).await.expect(201);
    let answer = inbox.get(&inbox.admin, &format!("audit/tags/{tag}/?format=csv")).await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers["content-disposition"], format!("attachment; filename=\"tag-{tag}.csv\""));
    let (again, rows) = self::rows(&answer.text);
    assert_eq!((again, rows[1][column("correlation_id")].as_str()), (columns.clone(), "'=2+2"));
}

#[tokio::test]
async fn ndjson_has_everything_that_is_stored_one_event_a_line() {
    let (inbox, _) = hostile().await;
    // WhatsApp's own objects may have line breaks between their values.
    let call = inbox.call(json!({"messages": [text_message(RUI, "wamid.pretty", now(), "pretty")]}));
    let pretty = serde_json::to_string_pretty(&call).expect("JSON");
    assert_eq!(inbox.deliver(&pretty).await.status, 200);
    inbox.settle().await;
    let text = audited(&inbox, &["chat", RUI, "--format", "ndjson"]).await;
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    type Row = (i64, String, String, Option<String>, String, String);
    let stored: Vec<Row> = sqlx::query_as(
        "SELECT position, payload::text, metadata::text, idempotency_key, encode(payload_hash, 'hex'), encode(hash, 'hex')
           FROM ledger.events WHERE tenant_id = $1 AND aggregate_type IN ('Chat', 'Contact') AND aggregate_id = $2
          ORDER BY position",
    )
    .bind(inbox.tenant)
    .bind(RUI)
    .fetch_all(&inbox.pool)
    .await
    .expect("rows");
    assert_eq!(lines.len(), stored.len());
    for (line, (position, payload, metadata, key, payload_hash, hash)) in lines.iter().zip(stored) {
        let tree = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert_eq!(line["position"], position);
        assert_eq!((&line["payload"], &line["metadata"]), (&tree(&payload), &tree(&metadata)), "{position}");
        assert_eq!((&line["payload_hash"], &line["hash"]), (&json!(payload_hash), &json!(hash)));
        assert_eq!(line["idempotency_key"], json!(key));
    }
    let answer = inbox.http.raw.get(inbox.http.url(&format!("audit/chats/{RUI}/?limit=2")));
    let answer = answer.header("Authorization", format!("Token {}", inbox.admin.token));
    let answer = inbox.http.send(answer.header("Accept", "application/x-ndjson")).await;
    assert_eq!((answer.status, answer.text.lines().count()), (200, 2), "{}", answer.text);
    assert_eq!(answer.text.lines().next(), text.lines().next(), "by command and over REST alike");
    let link = answer.headers["link"].to_str().expect("text");
    assert!(link.contains("/api/v1/audit/chats/") && link.contains("rel=\"next\""), "{link}");
}

fn is_self_contained(page: &str) {
    let without_namespace = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for reference in ["src=", "href=\"h", "href=\"/", "url(", "<link", "@import", "<iframe", "<object", "<base"] {
        assert!(!strip_text(&without_namespace).contains(reference), "{reference}");
    }
    assert_eq!(page.matches("<script").count(), 1, "only its own script");
    assert!(page.contains("default-src 'none'"), "and it forbids every other");
}

/// A page without what customers wrote, which is escaped and may look like anything.
fn strip_text(page: &str) -> String {
    let mut tags = String::new();
    for part in page.split('<').skip(1) {
        tags.push('<');
        tags.push_str(part.split('>').next().unwrap_or_default());
        tags.push('>');
    }
    tags.replace("title=\"", "")
}

#[tokio::test]
async fn the_report_stands_alone_and_runs_nothing_that_a_customer_wrote() {
    let (inbox, tag) = hostile().await;
    let file = inbox.data_dir().join("report.html");
    let path = file.to_string_lossy().into_owned();
    let told = audited(&inbox, &["chat", RUI, "--format", "html", "--output", &path]).await;
    assert_eq!(told.trim(), path);
    let page = std::fs::read_to_string(&file).expect("a report");
    is_self_contained(&page);
    for hostile in ["<script>alert", "<img", "</script><script>"] {
        assert!(!page.contains(hostile), "{hostile}");
    }
    assert!(page.contains("&lt;script&gt;alert(2)&lt;/script&gt;"), "the tag's name is there, as text");
    assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "nothing that steers");
    let events = history(&inbox, &format!("chats/{RUI}/")).await;
    assert_eq!(page.matches("<tr id=\"p").count(), events.len());
    assert!(page.contains("<svg") && page.contains("fill=\"#00ff00\"") && page.contains("<circle"), "a picture");
    for (path, wanted) in [
        (format!("audit/tags/{tag}/?format=html"), "Tag &lt;script&gt;"),
        ("audit/users/agent/?format=html".to_owned(), "User agent"),
    ] {
        let answer = inbox.get(&inbox.admin, &path).await;
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        let policy = answer.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        is_self_contained(&answer.text);
        assert!(answer.text.contains(wanted) && answer.text.contains("<svg"), "{wanted}");
    }
    // A file that cannot be written whole is not there at all, and nothing of it is left.
    let folder = inbox.data_dir().join("reports");
    std::fs::create_dir(&folder).expect("a folder");
    let path = folder.join("report.csv").to_string_lossy().into_owned();
    let (fine, _, _) = audit(&inbox, &["chat", "351999999999", "--format", "csv", "--output", &path]).await;
    assert!(!fine && std::fs::read_dir(&folder).expect("a folder").next().is_none());
}

#[tokio::test]
async fn text_steers_no_terminal() {
    let (inbox, _) = hostile().await;
    let red = new_tag(&inbox, "\u{1b}[31mred\u{202e}", None).await;
    tag_chat(&inbox, &inbox.agent, RUI, red).await;
    let table = audited(&inbox, &["chat", RUI]).await;
    for told in [&table, &audited(&inbox, &["tag", &red.to_string()]).await, &audited(&inbox, &["state", RUI]).await] {
        assert!(!told.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{told:?}");
        assert!(told.contains("[31mred"), "{told}");
    }
    assert!(table.contains("“ [2Jterminal”") || table.contains("“[2Jterminal”"), "{table}");
    // Auditing reads and never writes: the chain is as it was.
    let tenant = chatledger_domain::TenantId(inbox.tenant);
    let before = super::head(&inbox).await;
    audited(&inbox, &["user", "admin"]).await;
    assert_eq!(verify(&inbox.pool, tenant, |_, _| {}).await.expect("in order").events, before);
}
