//! What is sent to WhatsApp, and what every kind of answer means, over real sockets.

use chatledger_domain::{MessageId, RawJson, WaId, whatsapp_account::Channel};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// What the other side does with a call.
enum Reply {
    Bytes(String),
    Cut,
    Hang,
}

/// Answers one call; gives back its head and body.
async fn server(reply: Reply) -> (String, tokio::task::JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        let (head, body) = loop {
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).await.unwrap();
            bytes.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8(bytes.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length: usize =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        };
        match reply {
            Reply::Bytes(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Reply::Cut => {}
            Reply::Hang => tokio::time::sleep(Duration::from_secs(5)).await,
        }
        (head, body)
    });
    (url, handle)
}

fn client(url: &str) -> WhatsAppClient {
    WhatsAppClient::new(Endpoints {
        graph_url: format!("{url}/v23.0"),
        d360_url: url.to_owned(),
        onpremises_url: format!("{url}/"),
        timeout: Duration::from_millis(500),
        connect_timeout: Duration::from_millis(300),
    })
    .unwrap()
}

fn number(channel: Channel) -> Number {
    Number { phone_number_id: "10/01".into(), display_phone_number: "+351210000000".into(), channel, waba_id: None }
}

fn letter(wa_id: &str, message: &str) -> Letter {
    Letter {
        message_id: MessageId("0190a1b2-0000-7000-8000-000000000001".parse().unwrap()),
        wa_id: WaId::parse(wa_id).unwrap(),
        context: Some("wamid.Q".into()),
        message: RawJson::parse(message.into()).unwrap(),
    }
}

fn http(status: &str, body: &str) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

const TEXT: &str = r#"{"recipient_type":"individual","to":"5","type":"text","text":{"body":"1e400 \u0000"}}"#;
const TAKEN: &str = r#"{"messaging_product":"whatsapp","contacts":[],"messages":[{"id":"wamid.1"}]}"#;

async fn call(channel: Channel, letter: &Letter) -> (String, Value) {
    let (url, handle) = server(http("200 OK", TAKEN)).await;
    let outcome = client(&url).send(&number(channel), "token", letter).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    let (head, body) = handle.await.unwrap();
    (head.to_lowercase(), serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn the_three_channels_have_their_paths_headers_and_bodies() {
    let template = r#"{"to":"5","type":"template","template":{"namespace":"n","name":"hi","language":{"code":"pt"}}}"#;
    let letter = letter("5", template);
    let mut cloud = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "5", "type": "template",
        "template": { "name": "hi", "language": { "code": "pt" } },
        "context": { "message_id": "wamid.Q" },
        "biz_opaque_callback_data": "0190a1b2-0000-7000-8000-000000000001:5",
    });
    let (head, body) = call(Channel::Cloud, &letter).await;
    assert!(head.starts_with("post /v23.0/10%2f01/messages http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer token") && !head.contains("d360"), "{head}");
    assert_eq!(body, cloud);

    let (head, body) = call(Channel::D360, &letter).await;
    assert!(head.starts_with("post /messages ") && head.contains("d360-api-key: token"), "{head}");
    assert_eq!(body, cloud);

    let (head, body) = call(Channel::Onpremises, &letter).await;
    assert!(head.starts_with("post /v1/messages ") && head.contains("d360-api-key: token"), "{head}");
    cloud["template"]["namespace"] = "n".into();
    let fields = cloud.as_object_mut().unwrap();
    fields.remove("messaging_product");
    fields.remove("biz_opaque_callback_data");
    assert_eq!(body, cloud);
}

#[tokio::test]
async fn a_business_scoped_id_goes_out_as_recipient() {
    let (_, body) = call(Channel::Cloud, &letter("US.13A", TEXT)).await;
    assert_eq!((body.get("to"), &body["recipient"]), (None, &json!("US.13A")));
}

#[tokio::test]
async fn voice_is_audio_to_the_cloud_and_media_types_stay_here() {
    let voice = r#"{"type":"voice","voice":{"id":"m","mime_type":"audio/ogg"}}"#;
    let (_, body) = call(Channel::Cloud, &letter("5", voice)).await;
    assert_eq!((&body["type"], &body["audio"], body.get("voice")), (&json!("audio"), &json!({ "id": "m" }), None));
    let (_, body) = call(Channel::Onpremises, &letter("5", voice)).await;
    assert_eq!((&body["type"], &body["voice"]["mime_type"]), (&json!("voice"), &json!("audio/ogg")));
}

async fn outcome(reply: Reply) -> Outcome {
    let (url, _handle) = server(reply).await;
    client(&url).send(&number(Channel::Cloud), "token", &letter("5", TEXT)).await
}

#[tokio::test]
async fn an_answer_with_an_id_is_accepted_as_it_came() {
    match outcome(http("200 OK", TAKEN)).await {
        Outcome::Accepted { waba_id, response } => assert_eq!((waba_id.as_str(), response.text()), ("wamid.1", TAKEN)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_one_form() {
    let graph = r#"{"error":{"message":"(#131047) Re-engagement message","type":"OAuthException","code":131047,"error_data":{"messaging_product":"whatsapp","details":"More than 24 hours"},"fbtrace_id":"x"}}"#;
    let onpremises =
        r#"{"meta":{"version":"2"},"errors":[{"code":470,"title":"Re-engagement","details":"d","href":"h"}]}"#;
    let partner = r#"{"meta":{"success":false,"http_code":401,"developer_message":"Invalid api key"}}"#;
    for (status, body, expected) in [
        (
            "400 Bad Request",
            graph,
            json!([{"code":131_047,"title":"Re-engagement message","details":"More than 24 hours"}]),
        ),
        ("400 Bad Request", onpremises, json!([{"code":470,"title":"Re-engagement","details":"d","href":"h"}])),
        ("401 Unauthorized", partner, json!([{"code":401,"title":"Invalid api key","details":"Invalid api key"}])),
        (
            "401 Unauthorized",
            r#"{"error":{"message":"m","code":190}}"#,
            json!([{"code":190,"title":"m","details":"m"}]),
        ),
        (
            "404 Not Found",
            "<html>",
            json!([{"code":404,"title":"WhatsApp refused the message","details":"HTTP status 404"}]),
        ),
        ("302 Found", "", json!([{"code":302,"title":"WhatsApp refused the message","details":"HTTP status 302"}])),
    ] {
        match outcome(http(status, body)).await {
            Outcome::Rejected { errors } => assert_eq!(errors.tree(), expected),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn r_26_what_was_certainly_not_taken_may_be_tried_again() {
    let limited = |code: i64| format!(r#"{{"error":{{"message":"slow down","code":{code}}}}}"#);
    for (status, body) in [
        ("429 Too Many Requests", String::new()),
        ("400 Bad Request", limited(130_429)),
        ("400 Bad Request", limited(131_056)),
        ("403 Forbidden", limited(80007)),
        ("500 Internal Server Error", limited(131_000)),
        ("503 Service Unavailable", limited(2)),
        ("503 Service Unavailable\r\nretry-after: 7", String::new()),
    ] {
        let outcome = outcome(http(status, &body)).await;
        let Outcome::Later { after, .. } = outcome else { panic!("{status} {body}: {outcome:?}") };
        assert_eq!(after == Some(Duration::from_secs(7)), status.contains("retry-after"));
    }
}

#[tokio::test]
async fn r_26_what_was_perhaps_taken_is_unknown() {
    for reply in [
        Reply::Cut,
        Reply::Hang,
        Reply::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"messages\":[{\"id\":\"wam".into()),
        Reply::Bytes("nonsense".into()),
        http("200 OK", "{}"),
        http("200 OK", r#"{"messages":[]}"#),
        http("200 OK", r#"{"messages":[{"id":""}]}"#),
        http("200 OK", &format!(r#"{{"messages":[{{"id":"x"}}],"pad":"{}"}}"#, "x".repeat(MAX_ANSWER))),
        http("500 Internal Server Error", "<html>"),
        http("502 Bad Gateway", ""),
        http("504 Gateway Timeout", "<html>"),
        Reply::Bytes("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 500\r\n\r\n{\"error\":".into()),
    ] {
        let outcome = outcome(reply).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn r_26_without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&url);
    let outcome = client.send(&number(Channel::Cloud), "token", &letter("5", TEXT)).await;
    let Outcome::Later { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert!(!reason.contains("10/01"), "{reason}");
    let outcome = client.send(&number(Channel::Cloud), "to\nken", &letter("5", TEXT)).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
}
