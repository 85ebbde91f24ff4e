//! R10: ten thousand malformed, correctly signed bodies: no 5xx, no raw body lost, every failure on a list.

use std::fmt::Write;

use futures_util::stream::{self, StreamExt};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;

use super::rounds;
use crate::harness::inbox::{Inbox, now, text_message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_malformed_bodies_give_no_5xx_and_are_kept() {
    let inbox = Inbox::start().await;
    let bodies = bodies(&inbox, rounds(3_000, 10_000));
    let answers: Vec<(Vec<u8>, u16)> = stream::iter(bodies)
        .map(|body| {
            let inbox = &inbox;
            async move {
                let status = inbox.http.signed(&inbox.app_secret, body.clone()).await.status;
                (body, status)
            }
        })
        .buffer_unordered(16)
        .collect()
        .await;
    for (body, status) in &answers {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        assert!(matches!(status, 200 | 400), "{status} for {shown}");
    }
    // Every body that is no call is kept byte for byte.
    let refused: std::collections::HashSet<&Vec<u8>> =
        answers.iter().filter(|(_, status)| *status == 400).map(|(body, _)| body).collect();
    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT body FROM ledger.quarantine").fetch_all(&inbox.pool).await.unwrap();
    let kept: std::collections::HashSet<&Vec<u8>> = kept.iter().collect();
    let lost = refused.iter().filter(|body| !kept.contains(**body)).count();
    assert_eq!(lost, 0, "of {} refused bodies", refused.len());
    assert!(refused.len() > 100, "the bodies are not bad enough");
    inbox.settle().await;
    // What is legal JSON is recorded, whatever Postgres's own JSON types think of it.
    let odd = "SELECT count(*) FROM read_models.messages WHERE waba_id IN ('wamid.nul', 'wamid.surrogate')";
    assert_eq!(inbox.count(odd).await, 2);
    inbox.get(&inbox.admin, "messages/?limit=1000").await.expect(200);
    inbox.get(&inbox.admin, "chats/?limit=1000").await.expect(200);
}

#[tokio::test]
async fn r_in_3_nul_and_lone_surrogates_are_stored_and_listed() {
    let inbox = Inbox::start().await;
    let nul = r#"a\u0000b"#;
    let surrogate = r#"a\ud800b"#;
    for (index, text) in [nul, surrogate].into_iter().enumerate() {
        let message = text_message("351912000111", &format!("wamid.odd{index}"), now(), "TEXT");
        let body = inbox.call(json!({"messages": [message]})).to_string().replace("TEXT", text);
        assert_eq!(inbox.deliver(&body).await.status, 200);
    }
    inbox.settle().await;
    let page = inbox.get(&inbox.admin, "messages/?wa_id=351912000111").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(nul) && page.text.contains(surrogate), "{}", page.text);
}

/// Seeds of the known kinds of trouble, and cuts, swaps and inserts of good bodies.
fn bodies(inbox: &Inbox, count: usize) -> Vec<Vec<u8>> {
    let good = inbox.call(json!({"messages": [text_message("351912000111", "wamid.good", now(), "Hi")]})).to_string();
    let with_text = |text: &str| good.replace("\"Hi\"", text).into_bytes();
    let deep = |depth: usize| with_text(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let mut bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"\"text\"".to_vec(),
        b"{\"object\":\"page\"}".to_vec(),
        b"{\"object\":\"whatsapp_business_account\",\"entry\":{}}".to_vec(),
        b"{\"object\":\"whatsapp_business_account\",\"entry\":[1,null,{}]}".to_vec(),
        vec![0xff, 0xfe, 0x00],
        vec![0x1f, 0x8b, 0x08, 0x00, 0x00],
        good.replace("\"Hi\"", r#""\u0000""#).replace("wamid.good", "wamid.nul").into_bytes(),
        good.replace("\"Hi\"", r#""\ud800""#).replace("wamid.good", "wamid.surrogate").into_bytes(),
        with_text("1e400"),
        deep(127),
        deep(128),
        deep(100_000),
        good.replace("\"type\"", "\"id\":\"again\",\"type\"").into_bytes(),
        good.replace("wamid.good", r"wamid.\u0000").into_bytes(),
        good.replace("wamid.good", r"wamid.\ud800").into_bytes(),
        good.replace("351912000111", r"\u0000").into_bytes(),
        good.replace("\"messages\":[", "\"messages\":[[],3,\"x\",{},").into_bytes(),
        good.replace("\"field\":\"messages\"", "\"field\":\"nonsense\"").into_bytes(),
        good.replace(&inbox.phone_number_id, "999").into_bytes(),
    ];
    let mut chance = StdRng::seed_from_u64(10);
    let mut number = 0;
    while bodies.len() < count {
        let mut body = good.replace("wamid.good", &format!("wamid.m{number}")).into_bytes();
        number += 1;
        for _ in 0..chance.random_range(1..4) {
            let at = chance.random_range(0..body.len());
            match chance.random_range(0..4) {
                0 => body.truncate(at),
                1 => body[at] = chance.random(),
                2 => body.insert(at, chance.random()),
                _ => {
                    let mut piece = String::new();
                    let _ = write!(piece, "{}", ["\"", "{", "}", "[", "]", ",", "null", "\\u0000"][at % 8]);
                    body.splice(at..at, piece.into_bytes());
                }
            }
            if body.is_empty() {
                break;
            }
        }
        bodies.push(body);
    }
    bodies
}
