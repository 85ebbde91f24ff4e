//! R8: statuses in every order end the same; big calls with a bad element keep all others.

use serde_json::{Value, json};

use crate::harness::inbox::{Inbox, now, text_message};

#[tokio::test]
async fn r8_statuses_in_all_24_orders_end_the_same() {
    let inbox = Inbox::start().await;
    inbox.behave(json!({"statuses": []})).await;
    inbox.customer_writes("351912000111", "Hello").await;
    let statuses = ["sent", "delivered", "read", "failed"];
    let mut ends = Vec::new();
    for order in permutations(&[0, 1, 2, 3]) {
        let body = json!({"wa_id": "351912000111", "type": "text", "text": {"body": "Hi"}});
        let sent = inbox.post(&inbox.admin, "messages/", body).await.expect(201);
        let waba_id = sent["waba_response"]["messages"][0]["id"].as_str().unwrap().to_owned();
        for index in order {
            let status = json!({"id": waba_id, "recipient_id": "351912000111", "status": statuses[index],
                "timestamp": (1_767_693_600 + index).to_string(),
                "errors": if index == 3 { json!([{"code": 131_026, "title": "Undeliverable"}]) } else { Value::Null }});
            inbox.bring(json!({"statuses": [status]})).await;
        }
        // Reported once more, with another time: the first stays.
        let again = json!({"id": waba_id, "recipient_id": "351912000111", "status": "sent", "timestamp": "1767699999"});
        inbox.bring(json!({"statuses": [again]})).await;
        inbox.settle().await;
        let page = inbox.get(&inbox.admin, "messages/?wa_id=351912000111&limit=1000").await.expect(200);
        let message = find(&page, &sent["id"]);
        ends.push(json!([
            message["waba_statuses"],
            message["is_failed"],
            message["waba_payload"]["errors"][0]["code"]
        ]));
    }
    assert_eq!(ends.len(), 24);
    let expected = json!([{"sent": 1_767_693_600, "delivered": 1_767_693_601, "read": 1_767_693_602}, true, 131_026]);
    assert!(ends.iter().all(|end| *end == expected), "{ends:#?}");
}

fn find(page: &Value, id: &Value) -> Value {
    let found = page["results"].as_array().unwrap().iter().find(|message| message["id"] == *id);
    found.expect("the message is listed").clone()
}

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.len() < 2 {
        return vec![items.to_vec()];
    }
    let with_first = |i: usize| {
        let rest: Vec<usize> = items.iter().copied().filter(|item| *item != items[i]).collect();
        permutations(&rest).into_iter().map(move |tail| [vec![items[i]], tail].concat()).collect::<Vec<_>>()
    };
    (0..items.len()).flat_map(with_first).collect()
}

#[tokio::test]
async fn r8_a_call_of_1000_with_one_bad_element_keeps_999() {
    let inbox = Inbox::start().await;
    let mut messages: Vec<Value> = (0..1_000)
        .map(|i| text_message(&format!("35191200{:04}", i % 100), &format!("wamid.{i}"), now(), "Hi"))
        .collect();
    messages[500] = json!({"from": 7, "id": null, "timestamp": "soon", "type": "text"});
    inbox.bring(json!({"messages": messages})).await;
    inbox.settle().await;
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.messages").await, 999);
    assert_eq!(inbox.count("SELECT count(*) FROM ledger.quarantine").await, 1);
}

#[tokio::test]
async fn r8_a_call_of_3_mib_is_taken_and_one_beyond_4_mib_is_not() {
    let inbox = Inbox::start().await;
    let call = |size: usize, id: &str| {
        let message = text_message("351912000111", id, now(), &"x".repeat(size));
        inbox.call(json!({"messages": [message]})).to_string()
    };
    assert_eq!(inbox.deliver(&call(3 * 1024 * 1024 - 2_000, "wamid.big")).await.status, 200);
    assert_eq!(inbox.deliver(&call(4 * 1024 * 1024 + 1, "wamid.huge")).await.status, 413);
    inbox.settle().await;
    assert_eq!(inbox.count("SELECT count(*) FROM read_models.messages").await, 1);
}
