//! The simulator against our own client and reader, over real HTTP.

use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chatledger_application::ports::whatsapp::{Call, Item, Letter, Outcome, WhatsApp, callback_data};
use chatledger_domain::{
    MessageId, RawJson, WaId,
    whatsapp_account::{Channel, Number},
};
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::whatsapp::{client::Endpoints, client::WhatsAppClient, read, signature::verify};

/// A server that checks and reads what the simulator sends; refuses the first `refusals` calls.
fn receiver(refusals: usize) -> (String, mpsc::UnboundedReceiver<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (calls, received) = mpsc::unbounded_channel();
    let left = Arc::new(std::sync::atomic::AtomicUsize::new(refusals));
    std::thread::spawn(move || {
        let app = move || {
            let (calls, left) = (calls.clone(), left.clone());
            let handler = move |request: HttpRequest, body: web::Bytes| {
                let (calls, left) = (calls.clone(), left.clone());
                async move {
                    let header = request.headers().get("x-hub-signature-256").and_then(|value| value.to_str().ok());
                    assert!(verify(&["simulated-app-secret"], header, &body));
                    use std::sync::atomic::Ordering::SeqCst;
                    if left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                        return HttpResponse::ServiceUnavailable().finish();
                    }
                    let _ = calls.send(read(&body).unwrap());
                    HttpResponse::Ok().finish()
                }
            };
            let challenge = |query: web::Query<std::collections::HashMap<String, String>>| async move {
                if query["hub.verify_token"] != "simulated-verify-token" {
                    return HttpResponse::Forbidden().finish();
                }
                HttpResponse::Ok().body(query["hub.challenge"].clone())
            };
            App::new().route("/hook", web::post().to(handler)).route("/hook", web::get().to(challenge))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap();
        actix_web::rt::System::new().block_on(server.run()).unwrap();
    });
    (url, received)
}

async fn next(received: &mut mpsc::UnboundedReceiver<Call>) -> Call {
    tokio::time::timeout(Duration::from_secs(5), received.recv()).await.unwrap().unwrap()
}

fn start(callback: Option<String>) -> (Simulator, WhatsAppClient) {
    let simulator = Simulator::start(SimulatorConfig { callback_url: callback, ..Default::default() }).unwrap();
    let client = WhatsAppClient::new(Endpoints {
        graph_url: format!("{}/v23.0", simulator.url()),
        d360_url: simulator.url().to_owned(),
        onpremises_url: simulator.url().to_owned(),
        timeout: Duration::from_millis(800),
        ..Default::default()
    });
    (simulator, client.unwrap())
}

fn number(channel: Channel) -> Number {
    let SimulatedNumber { phone_number_id, display_phone_number, .. } = SimulatedNumber::default();
    Number { phone_number_id, display_phone_number, channel, waba_id: None }
}

fn letter(wa_id: &str) -> Letter {
    Letter {
        message_id: MessageId(uuid::Uuid::from_u128(7)),
        wa_id: WaId::parse(wa_id).unwrap(),
        context: None,
        message: RawJson::parse(r#"{"type":"text","text":{"body":"Hi"}}"#.into()).unwrap(),
    }
}

async fn send(client: &WhatsAppClient, channel: Channel) -> Outcome {
    client.send(&number(channel), "simulated-access-token", &letter("351912000111")).await
}

#[tokio::test]
async fn a_message_reaches_the_customer_and_its_statuses_come_back() {
    let (url, mut received) = receiver(1);
    let (simulator, client) = start(Some(url));
    for channel in [Channel::Cloud, Channel::D360] {
        let Outcome::Accepted { waba_id, .. } = send(&client, channel).await else { panic!() };
        for expected in ["sent", "delivered", "read"] {
            let call = next(&mut received).await;
            let Item::Status(status) = &call.items[0].item else { panic!("{call:?}") };
            assert_eq!((status.waba_id.as_str(), status.message_id), (waba_id.as_str(), Some(letter("5").message_id)));
            // The first call was refused and came again, perhaps after the next one.
            if channel == Channel::D360 {
                assert_eq!(status.status, expected);
            }
        }
    }
    let delivered = simulator.delivered();
    assert_eq!(delivered.len(), 2);
    let data = callback_data(letter("5").message_id, &letter("351912000111").wa_id);
    assert_eq!(delivered[0].biz_opaque_callback_data.as_ref(), Some(&data));
    assert_eq!(simulator.client().unwrap().messages().await.unwrap().len(), 2);
    simulator.stop().await;
}

#[tokio::test]
async fn the_flat_form_has_its_own_door() {
    let (url, mut received) = receiver(0);
    let (simulator, client) = start(None);
    simulator.set_channel_callback(url);
    assert!(matches!(send(&client, Channel::Onpremises).await, Outcome::Accepted { .. }));
    let call = next(&mut received).await;
    let (Item::Status(status), None) = (&call.items[0].item, &call.items[0].phone_number_id) else {
        panic!("{call:?}")
    };
    assert_eq!((status.wa_id.as_str(), status.message_id), ("351912000111", None));
    simulator.stop().await;
}

#[tokio::test]
async fn every_misbehaviour_has_its_outcome() {
    let (simulator, client) = start(None);
    let control = simulator.client().unwrap();
    let cases = [
        (json!({ "fail_next": { "code": 131_047 } }), "Rejected", 0),
        (json!({ "fail_next": { "code": 190 } }), "Rejected", 0),
        (json!({ "fail_next": { "code": 130_429 } }), "Later", 0),
        (json!({ "fail_next": { "code": 131_056 } }), "Later", 0),
        (json!({ "http_status": { "status": 503 } }), "Later", 0),
        (json!({ "http_status": { "status": 502, "bare": true } }), "Unknown", 0),
        (json!({ "cut_connection": { "when": "before" } }), "Unknown", 0),
        (json!({ "cut_connection": {} }), "Unknown", 1),
        (json!({ "hang": {} }), "Unknown", 2),
        (json!({}), "Accepted", 3),
    ];
    for (behaviour, expected, delivered) in cases {
        control.behave(&serde_json::from_value(behaviour.clone()).unwrap()).await.unwrap();
        let outcome = format!("{:?}", send(&client, Channel::Cloud).await);
        assert!(outcome.starts_with(expected), "{behaviour}: {outcome}");
        assert_eq!(simulator.delivered().len(), delivered, "{behaviour}");
    }
    control.reset().await.unwrap();
    assert!(simulator.delivered().is_empty());
    let wrong = client.send(&number(Channel::Cloud), "wrong", &letter("5")).await;
    let Outcome::Rejected { errors } = wrong else { panic!("{wrong:?}") };
    assert_eq!(errors.tree()[0]["code"], 190);
    simulator.stop().await;
}

#[tokio::test]
async fn every_type_of_message_comes_in_readable() {
    let (url, mut received) = receiver(0);
    let (simulator, _) = start(Some(url));
    let control = simulator.client().unwrap();
    for (kind, read_as) in [
        "text",
        "image",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
        "location",
        "contacts",
        "button",
        "order",
        "reaction",
        "system",
        "unsupported",
        "hologram",
        "interactive",
    ]
    .map(|kind| (kind, kind))
    .into_iter()
    .chain([("button_reply", "interactive"), ("list_reply", "interactive"), ("nfm_reply", "interactive")])
    {
        for form in ["cloud", "flat"] {
            let inbound: Inbound =
                serde_json::from_value(json!({ "type": kind, "from": "5", "name": "Ana", "form": form })).unwrap();
            let answer = control.inbound(&inbound).await.unwrap();
            assert_eq!((answer.status, answer.wa_id.as_str()), (200, "5"));
            let call = next(&mut received).await;
            let Item::Message(message) = &call.items[0].item else { panic!("{call:?}") };
            assert_eq!((message.kind.as_str(), &message.waba_id), (read_as, &answer.id));
            assert_eq!(
                (message.name.as_deref(), call.items[0].phone_number_id.is_some()),
                (Some("Ana"), form == "cloud")
            );
        }
    }
    let hidden: Inbound = serde_json::from_value(json!({ "type": "text", "user_id": "US.13A", "text": "Hi" })).unwrap();
    assert_eq!(control.inbound(&hidden).await.unwrap().wa_id, "US.13A");
    let Item::Message(message) = &next(&mut received).await.items[0].item else { panic!() };
    assert_eq!((message.wa_id.as_str(), &message.message.tree()["text"]["body"]), ("US.13A", &json!("Hi")));
    for kind in ["echo", "template_status", "account_update", "status"] {
        let inbound = Inbound { kind: kind.into(), from: Some("5".into()), ..Default::default() };
        control.inbound(&inbound).await.unwrap();
        let call = next(&mut received).await;
        assert!(call.unreadable.is_empty() && call.items.len() == 1, "{kind}: {call:?}");
    }
    let many: Inbound = serde_json::from_value(json!({ "type": "text", "count": 50, "batch": true })).unwrap();
    assert_eq!(control.inbound(&many).await.unwrap().ids.len(), 50);
    assert_eq!(next(&mut received).await.items.len(), 50);
    simulator.stop().await;
}

#[tokio::test]
async fn webhooks_can_be_doubled_shuffled_and_verified() {
    let (url, mut received) = receiver(0);
    let (simulator, client) = start(Some(url));
    let control = simulator.client().unwrap();
    assert!(control.verify().await.unwrap().ok);
    let change = json!({ "duplicates": 2, "shuffle": true, "statuses": ["read", "sent"] });
    control.behave(&serde_json::from_value(change).unwrap()).await.unwrap();
    assert!(matches!(send(&client, Channel::Cloud).await, Outcome::Accepted { .. }));
    let mut seen = Vec::new();
    for _ in 0..6 {
        let Item::Status(status) = next(&mut received).await.items.remove(0).item else { panic!() };
        seen.push(status.status);
    }
    seen.sort();
    assert_eq!(seen, ["read", "read", "read", "sent", "sent", "sent"]);
    simulator.stop().await;
}

#[tokio::test]
async fn media_and_templates_are_kept() {
    let (simulator, _) = start(None);
    let http = state::http().unwrap();
    let url = |path: &str| format!("{}{path}", simulator.url());
    let token = "simulated-access-token";
    let part = reqwest::multipart::Part::bytes(b"bytes".to_vec()).file_name("a.txt").mime_str("text/plain").unwrap();
    let form = reqwest::multipart::Form::new().text("messaging_product", "whatsapp").part("file", part);
    let answer =
        http.post(url("/v23.0/100000000000001/media")).bearer_auth(token).multipart(form).send().await.unwrap();
    let id = answer.json::<serde_json::Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let answer = http.get(url(&format!("/v23.0/{id}"))).bearer_auth(token).send().await.unwrap();
    let media: serde_json::Value = answer.json().await.unwrap();
    assert_eq!((media["mime_type"].as_str(), media["file_size"].as_u64()), (Some("text/plain"), Some(5)));
    let file = http.get(media["url"].as_str().unwrap()).bearer_auth(token).send().await.unwrap();
    assert_eq!(file.bytes().await.unwrap().as_ref(), b"bytes");
    assert_eq!(http.get(media["url"].as_str().unwrap()).send().await.unwrap().status(), 401);
    let gone = http.delete(url(&format!("/v1/media/{id}"))).header("d360-api-key", token).send().await.unwrap();
    assert!(gone.status().is_success());

    let templates = url("/v23.0/200000000000001/message_templates");
    let template = json!({ "name": "new", "language": "en", "category": "UTILITY", "components": [] });
    assert!(http.post(&templates).bearer_auth(token).json(&template).send().await.unwrap().status().is_success());
    let list: serde_json::Value = http.get(&templates).bearer_auth(token).send().await.unwrap().json().await.unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 4);
    let gone = http.delete(format!("{templates}?name=new")).bearer_auth(token).send().await.unwrap();
    assert!(gone.status().is_success());
    simulator.stop().await;
}
