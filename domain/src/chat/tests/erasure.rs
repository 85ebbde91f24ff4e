//! Forgetting what was said in a chat.

use super::*;

fn erased() -> ChatEvent {
    ChatErased { timestamp: NOW }.into()
}

fn erase(unsent: &[u128]) -> ChatCommand {
    ChatCommand::Erase { unsent: unsent.iter().map(|number| id(*number)).collect(), now: NOW }
}

fn rejected(number: u128) -> ChatEvent {
    MessageRejected { message_id: id(number), errors: RawJson::empty_list() }.into()
}

fn untag(tagging: i64) -> ChatCommand {
    let extra = Some(raw(&json!({ "secret": true })));
    let tagging_id = TaggingId(tagging);
    ChatCommand::UntagChat { actor: None, done_by: None, tagging_id, tag: vip(), extra, now: NOW }
}

fn untagged(tagging: i64, extra: Option<RawJson>) -> ChatEvent {
    ChatUntagged { tagging_id: TaggingId(tagging), tag: vip(), extra, done_by: None, timestamp: NOW }.into()
}

#[test]
fn what_whatsapp_does_not_have_is_not_sent_any_more() {
    let past = [hello(), queued(2, ME, "text", NOW), queued(3, ME, "text", NOW)];
    // The second is on its way: WhatsApp tells what becomes of it.
    given(&past).when(erase(&[2])).expect_all(&[rejected(2), erased()]);
    let accepted = MessageAccepted { message_id: id(2), waba_id: "wamid.2".into(), response: None };
    given(&[hello(), queued(2, ME, "text", NOW), accepted.into()]).when(erase(&[2])).expect_all(&[erased()]);
}

#[test]
fn what_was_kept_with_a_tagging_does_not_come_back_when_it_ends() {
    let before = [hello(), chat_tagged(None).into(), erased()];
    given(&before).when(untag(2)).expect_all(&[untagged(2, None)]);
    // What is tagged anew is a new beginning.
    let after = [hello(), erased(), chat_tagged(None).into()];
    given(&after).when(untag(3)).expect_all(&[untagged(3, Some(raw(&json!({ "secret": true }))))]);
}

#[test]
fn who_has_the_chat_and_what_it_is_tagged_with_stays() {
    let past = [hello(), chat_tagged(None).into(), assigned(Some(ME), None), marked(ME, WRITTEN)];
    let before = given(&past).state();
    let after = given(&[past.as_slice(), &[erased()]].concat()).state();
    assert_eq!(Chat { erased_at: Some(Position(5)), ..before }, after);
}
