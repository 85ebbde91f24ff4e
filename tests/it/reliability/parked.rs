//! R12: a receiver that stays down past the schedule. What it should have been told is parked, seen, and replayed:
//! nothing is lost, and the chats went on meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    deliveries::told,
    harness::{
        inbox::{Inbox, now},
        receiver::{Manner, Receiver},
    },
};

#[tokio::test]
async fn r12_what_a_dead_receiver_missed_is_parked_seen_and_replayed() {
    // The schedule of three days in a tenth of a second.
    let (inbox, receiver) = (Inbox::start_impatient().await, Receiver::start().await);
    // It dies of the first message of each chat, however often that comes.
    receiver.answer(|call| {
        let is_poison = told(call).iter().any(|(_, text)| text == "0");
        Manner::status(if is_poison { 500 } else { 200 })
    });
    let hook = inbox.told_by(&inbox.agent, &receiver).await;
    let (chats, since) = (["351912000111", "351912000222"], now() - 60);
    for n in 0..10 {
        for chat in chats {
            inbox.customer_writes(chat, &n.to_string()).await;
        }
    }
    let parked = inbox.wait_for_deliveries(&hook, "dead", 2).await;
    inbox.wait_for_deliveries(&hook, "delivered", 18).await;
    inbox.wait_for_deliveries(&hook, "pending", 0).await;
    let seen: BTreeSet<_> = parked.iter().map(|one| one["wa_ids"][0].as_str().expect("a chat").to_owned()).collect();
    assert_eq!(seen, chats.map(str::to_owned).into());
    receiver.behave(Manner::status(200));
    let order = json!({"since_time": since, "before_time": now() + 60});
    let replayed = inbox.post(&inbox.agent, &format!("{hook}deliveries/replay/"), order).await.expect(202);
    assert_eq!(replayed["replayed"], 2);
    inbox.wait_for_deliveries(&hook, "delivered", 20).await;
    let (mut ids, mut texts) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for call in receiver.calls() {
        for (chat, text) in told(&call) {
            ids.entry((chat.clone(), text.clone())).or_default().insert(call.header("webhook-id").to_owned());
            texts.entry(chat).or_default().push(text);
        }
    }
    assert!(ids.len() == 20 && ids.values().all(|ids| ids.len() == 1), "nothing lost, each under one id: {ids:?}");
    let expected: Vec<String> =
        ["0", "0", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0"].map(str::to_owned).into();
    for (chat, texts) in texts {
        assert_eq!(texts, expected, "{chat}: tried three times, parked, passed by, replayed");
    }
}
