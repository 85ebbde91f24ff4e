//! A dump of the whole database and the media folder before and after: everything personal was there, nothing is left.

use std::{path::Path, time::Duration};

use chatledger_domain::TenantId;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{ANA, RUI, dump, everything_is_in_order};
use crate::{
    harness::{
        inbox::{Inbox, contact, now, text_message},
        receiver::{Manner, Receiver},
    },
    inbound::cli,
};

/// In everything personal, so that it is found; each thing adds its own name.
const CANARY: &str = "kanarienvogel";
/// What every part of the story leaves behind.
const THINGS: &[&str] = &[
    "name",
    "text",
    "caption",
    "filename",
    "address",
    "vcard",
    "quoted",
    "answer",
    "parameter",
    "extra",
    "message-extra",
    "saved",
    "email",
    "upload",
    "fill",
    "reply",
    "error",
    "system",
    "echo",
    "malformed",
    "notice",
    "waiting",
    "ended",
];

fn canary(thing: &str) -> String {
    format!("{CANARY}-{thing}")
}

/// Where the canary sings, of these bytes.
fn songs(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let mut found: Vec<String> =
        text.match_indices(CANARY).map(|(at, _)| text[at..].chars().take(40).collect()).collect();
    // In bytea it is hexadecimal.
    let hex = hex::encode(CANARY);
    found.extend(text.match_indices(&hex).map(|(at, _)| text[at..].chars().take(80).collect()));
    found
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(std::fs::read(path).expect("a file")) }
    }
    found
}

/// A customer's life in an inbox.
struct Story {
    inbox: Inbox,
    receiver: Receiver,
    deaf: Receiver,
}

impl Story {
    async fn told() -> Self {
        let inbox = Inbox::start_with(|config| config.retry_after = vec![3_600.0]).await;
        let (receiver, deaf) = (Receiver::start().await, Receiver::start().await);
        // Programs that repeat what they are told.
        for (receiver, status) in [(&receiver, 200), (&deaf, 500)] {
            receiver.answer(move |call| {
                let is_about = String::from_utf8_lossy(&call.raw).contains(RUI);
                Manner::Answer(status, "", if is_about { canary("reply") } else { String::new() })
            });
        }
        for (user, receiver) in [(&inbox.agent, &receiver), (&inbox.bot, &deaf)] {
            inbox.post(user, "webhooks/waba/", json!({"url": receiver.url})).await.expect(201);
        }
        let story = Self { inbox, receiver, deaf };
        story.customer_writes().await;
        story.we_write().await;
        story.people_note().await;
        story.whatsapp_stumbles().await;
        story
    }

    async fn customer_writes(&self) {
        let inbox = &self.inbox;
        let at = now();
        let name = contact(RUI, &canary("name"));
        let other = contact(ANA, "Ana");
        let message = |id: &str, kind: &str, content: Value| json!({"from": RUI, "id": format!("wamid.{id}"), "timestamp": at.to_string(), "type": kind, kind: content});
        let of_ana = text_message(ANA, "wamid.ana", at, "Ana stays");
        let texts = [text_message(RUI, "wamid.text", at, &canary("text")), of_ana];
        inbox.bring(json!({"contacts": [name, other], "messages": texts})).await;
        let file = self.at_whatsapp(canary("file").into_bytes()).await;
        let document = json!({"id": file, "mime_type": "application/pdf", "caption": canary("caption"),
                              "filename": format!("{}.pdf", canary("filename"))});
        let place = json!({"latitude": 38.7, "longitude": -9.1, "name": "x", "address": canary("address")});
        let cards = json!([{"name": {"formatted_name": canary("vcard")}}]);
        let answer = json!({"type": "button_reply", "button_reply": {"id": "1", "title": canary("answer")}});
        for (id, kind, content) in [
            ("document", "document", document),
            ("place", "location", place),
            ("cards", "contacts", cards),
            ("answer", "interactive", answer),
            ("system", "system", json!({"body": canary("system")})),
        ] {
            inbox
                .bring(json!({"contacts": [contact(RUI, &canary("name"))], "messages": [message(id, kind, content)]}))
                .await;
        }
        let mut quoting = text_message(RUI, "wamid.quoting", at, &canary("quoted"));
        quoting["context"] = json!({"from": RUI, "id": "wamid.text"});
        inbox.bring(json!({"contacts": [contact(RUI, &canary("name"))], "messages": [quoting]})).await;
        inbox.settle().await;
        self.until("SELECT count(*) FROM ledger.events WHERE event_type = 'MediaStored'", 1).await;
    }

    async fn we_write(&self) {
        let inbox = &self.inbox;
        let parameter = json!([{"type": "body", "parameters": [{"type": "text", "text": canary("parameter")}]}]);
        let template = json!({"name": "hello_world", "language": {"code": "en_US"}, "components": parameter});
        inbox.post(&inbox.admin, "messages/", json!({"wa_id": RUI, "type": "template", "template": template})).await;
        let media = self.upload(&canary("upload")).await;
        let document = json!({"id": media, "filename": canary("upload"), "caption": canary("caption")});
        let sent = json!({"wa_id": RUI, "type": "document", "document": document});
        inbox.post(&inbox.admin, "messages/", sent).await.expect(201);
        // Sent to both, so it stays.
        let shared = self.upload("price list").await;
        for to in [RUI, ANA] {
            let sent = json!({"wa_id": to, "type": "document", "document": {"id": shared, "filename": "prices.pdf"}});
            inbox.post(&inbox.admin, "messages/", sent).await.expect(201);
        }
        let bulk = json!({
            "recipients": [{"recipient": RUI}, {"recipient": ANA}],
            "format": [{"wa_id": RUI, "params": {"1": canary("fill")}}, {"wa_id": ANA, "params": {"1": "Ana"}}],
            "payload": {"type": "text", "text": {"body": "Dear {{1}}"}},
        });
        inbox.post(&inbox.admin, "bulk_messages/", bulk).await.expect(201);
        self.until("SELECT count(*) FROM ledger.events WHERE event_type = 'BulkElementSettled'", 2).await;
        let alone = json!({"recipients": [{"recipient": RUI}],
                           "payload": {"type": "text", "text": {"body": canary("text")}}});
        inbox.post(&inbox.admin, "bulk_messages/", alone).await.expect(201);
        self.until("SELECT count(*) FROM ledger.events WHERE event_type = 'BulkElementSettled'", 3).await;
        let echo = json!({"from": inbox.phone_number_id, "to": RUI, "id": "wamid.echo", "timestamp": now().to_string(),
                          "type": "text", "text": {"body": canary("echo")}});
        let mut call = inbox.call(json!({"message_echoes": [echo]}));
        call["entry"][0]["changes"][0]["field"] = json!("smb_message_echoes");
        assert_eq!(inbox.deliver(&call.to_string()).await.status, 200);
        inbox.settle().await;
    }

    async fn people_note(&self) {
        let inbox = &self.inbox;
        let tag = inbox.post(&inbox.admin, "tags/", json!({"name": "VIP"})).await.expect(201)["id"].clone();
        let extra = |thing: &str| json!({"note": canary(thing)});
        let of_chat = json!({"tag": tag, "chat": RUI, "extra": extra("extra")});
        inbox.post(&inbox.admin, "chat_tagging/", of_chat).await.expect(201);
        let of_message = json!({"tag": tag, "message": "wamid.text", "extra": extra("message-extra")});
        inbox.post(&inbox.admin, "message_tagging/", of_message).await.expect(201);
        let other = inbox.post(&inbox.admin, "tags/", json!({"name": "Late"})).await.expect(201)["id"].clone();
        let ended = json!({"tag": other, "chat": RUI, "extra": extra("ended")});
        let ended = inbox.post(&inbox.admin, "chat_tagging/", ended).await.expect(201)["id"].clone();
        inbox.delete(&inbox.admin, &format!("chat_tagging/{ended}/")).await.expect(204);
        let email = format!("{}@x.example=work", canary("email"));
        let saved = ["contact", "upsert", "--tenant", "demo", "--wa-id", RUI, "--name"];
        let (ok, said) =
            cli(inbox, inbox.data_dir(), &[&saved[..], &[&canary("saved"), "--email", &email]].concat()).await;
        assert!(ok, "{said}");
    }

    async fn whatsapp_stumbles(&self) {
        let inbox = &self.inbox;
        let errors = json!([{"code": 131_026, "title": "No", "details": canary("error")}]);
        let failed = |id: &str, thing: Value| json!({"id": id, "recipient_id": RUI, "status": "failed", "timestamp": now().to_string(), "errors": thing});
        // Of a message that is known, and of one that never was.
        inbox.bring(json!({"statuses": [failed("wamid.echo", errors)]})).await;
        let waiting = json!([{"code": 1, "title": canary("waiting")}]);
        inbox.bring(json!({"statuses": [failed("wamid.nobody-knows", waiting)]})).await;
        let mut notice = inbox.call(json!({"user_preferences": [{"wa_id": RUI, "detail": canary("notice")}]}));
        notice["entry"][0]["changes"][0]["field"] = json!("account_alerts");
        inbox.deliver(&notice.to_string()).await;
        let malformed = inbox.call(json!({"messages": [{"from": RUI, "id": 7, "text": canary("malformed")}]}));
        inbox.deliver(&malformed.to_string()).await;
        inbox.deliver(&format!("{{\"from\":\"{RUI}\",\"cut\":\"{}", canary("malformed"))).await;
        inbox.settle().await;
        // Told, tried, answered.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(self.receiver.count() > 5 && self.deaf.count() > 0);
    }

    async fn at_whatsapp(&self, bytes: Vec<u8>) -> String {
        let request = self.inbox.http.raw.post(format!("{}/simulator/media", self.inbox.simulator_url));
        let request = request.header("Content-Type", "application/pdf").body(bytes);
        self.inbox.http.send(request).await.expect(200)["id"].as_str().expect("an id").to_owned()
    }

    async fn upload(&self, says: &str) -> String {
        let part = Part::bytes(says.as_bytes().to_vec()).file_name(format!("{says}.txt"));
        let form = Form::new().part("file_encoded", part.mime_str("text/plain").expect("a type"));
        let credential = format!("Token {}", self.inbox.admin.token);
        let request = self.inbox.http.raw.post(self.inbox.http.url("media/")).header("Authorization", credential);
        let made = self.inbox.http.send(request.multipart(form)).await.expect(201);
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn until(&self, sql: &str, count: i64) {
        for _ in 0..400 {
            if self.inbox.count(sql).await >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not {count} within 20 s: {sql}");
    }

    fn media(&self) -> Vec<Vec<u8>> {
        files(&self.inbox.data_dir().join("media"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_personal_is_left_in_a_dump_or_in_the_media_folder() {
    let story = Story::told().await;
    let inbox = &story.inbox;
    let before = dump(&inbox.database_url).await;
    let mut missing: Vec<&&str> = THINGS.iter().filter(|thing| !before.contains(&canary(thing))).collect();
    // What could not be read is in the quarantine, as bytes.
    missing.retain(|thing| !before.contains(&hex::encode(canary(thing))));
    assert!(missing.is_empty(), "the story does not leave {missing:?} behind, so nothing can be shown by it");
    assert!(story.media().iter().any(|file| !songs(file).is_empty()));
    let files = story.media().len();

    let (ok, said) = cli(inbox, inbox.data_dir(), &["contact", "erase", "--tenant", "demo", RUI]).await;
    assert!(ok && said.contains("is forgotten, recorded at position"), "{said}");
    inbox.settle().await;
    // The deliveries' own look at it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = dump(&inbox.database_url).await;
    assert_eq!(songs(after.as_bytes()), Vec::<String>::new());
    assert!(story.media().iter().all(|file| songs(file).is_empty()));
    assert_eq!(story.media().len(), files - 2, "the customer's file and the one sent to it alone are removed");
    assert!(after.contains("Ana stays") && after.contains("prices.pdf"), "what is others' stays");

    everything_is_in_order(inbox).await;
    let messages = inbox.get(&inbox.admin, &format!("messages/{RUI}/?limit=100")).await.expect(200);
    let shown = messages["results"].as_array().expect("a list");
    assert!(shown.len() >= 10, "the messages are still counted");
    for message in shown {
        let said: Vec<&String> = message["waba_payload"].as_object().expect("an object").keys().collect();
        let left = ["id", "timestamp", "type", "from", "preview_url", "errors"];
        assert!(said.iter().all(|key| left.contains(&key.as_str())), "{message:#}");
    }
    let person = inbox.get(&inbox.admin, &format!("persons/{RUI}/")).await;
    assert!(!person.text.contains(CANARY));
    let history = inbox.get(&inbox.admin, "chat_tagging_events/").await.expect(200);
    assert_eq!(history["count"], 3, "who tagged what when stays: {history:#}");

    // Again it changes nothing.
    let head = inbox.count("SELECT head_position FROM ledger.heads").await;
    let again = inbox.post(&inbox.admin, &format!("contacts/{RUI}/erase/"), json!({})).await.expect(200);
    assert_eq!((&again["events"], &again["files"], &again["unsent_messages"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(inbox.count("SELECT head_position FROM ledger.heads").await, head);

    // And who comes again is new.
    inbox.bring(json!({"contacts": [contact(RUI, "Rui again")], "messages": [text_message(RUI, "wamid.new", now(), "New")]})).await;
    inbox.settle().await;
    let known = inbox.get(&inbox.admin, &format!("contacts/{RUI}/")).await.expect(200);
    assert_eq!(known["person"]["waba_payload"]["profile"]["name"], "Rui again", "{known:#}");
    let tenant = TenantId(inbox.tenant);
    assert_eq!(tenant, TenantId::of_slug("demo"));
    everything_is_in_order(inbox).await;
}
