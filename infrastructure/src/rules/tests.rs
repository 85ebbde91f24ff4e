//! Order within a chat, and how far everything is finished.

use std::sync::Arc;

use chatledger_application::rule_engine::{Kind, Trigger, TriggeredChat};
use chatledger_domain::{Position, rule_engine::RuleEngine};

use super::lanes::Lanes;

fn trigger(position: i64, chats: &[&str]) -> Trigger {
    let chat = |wa_id: &&str| TriggeredChat { wa_id: (*wa_id).to_owned(), message: None };
    Trigger {
        position: Position(position),
        after: Position(position - 1),
        kind: Kind::Incoming,
        chats: chats.iter().map(chat).collect(),
        pushes: Vec::new(),
        engine: Arc::new(RuleEngine::default()),
    }
}

fn ready(lanes: &mut Lanes) -> Vec<(u64, i64)> {
    std::iter::from_fn(|| lanes.next()).map(|(number, trigger)| (number, trigger.position.0)).collect()
}

#[test]
fn triggers_of_one_chat_wait_for_each_other_and_others_do_not() {
    let mut lanes = Lanes::new(Position(0));
    lanes.add(vec![trigger(1, &["a"]), trigger(2, &["a", "b"]), trigger(3, &["c"]), trigger(4, &["b"])], Position(9));
    assert_eq!(ready(&mut lanes), [(1, 1), (3, 3)]);
    lanes.done(3);
    assert_eq!((lanes.finished(), ready(&mut lanes)), (Position(0), vec![]));
    lanes.done(1);
    assert_eq!((lanes.finished(), ready(&mut lanes)), (Position(1), vec![(2, 2)]));
    lanes.done(2);
    assert_eq!((lanes.finished(), ready(&mut lanes)), (Position(3), vec![(4, 4)]));
    lanes.done(4);
    assert_eq!((lanes.finished(), lanes.len()), (Position(9), 0));
}
