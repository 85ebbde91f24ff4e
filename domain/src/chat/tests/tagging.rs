//! Taggings of chats and messages (R-TAG-1 … R-TAG-7).

use super::*;

fn extra() -> Option<RawJson> {
    Some(raw(&json!({ "source": "bot" })))
}

fn tag_chat() -> ChatCommand {
    ChatCommand::TagChat { actor: me(), tag: vip(), extra: extra(), now: NOW }
}

fn tag_message() -> ChatCommand {
    ChatCommand::TagMessage {
        actor: me(),
        message_id: id(1),
        waba_id: Some("wamid.1".into()),
        tag: vip(),
        extra: extra(),
        now: NOW,
    }
}

fn message_tagged(number: u128) -> MessageTagged {
    MessageTagged {
        message_id: id(number),
        waba_id: Some("wamid.1".into()),
        tag: vip(),
        extra: extra(),
        done_by: Some(ME),
        timestamp: NOW,
    }
}

fn untag_chat(actor: Option<Actor>, tagging: i64) -> ChatCommand {
    let tagging_id = TaggingId(tagging);
    ChatCommand::UntagChat { actor, done_by: Some(ME), tagging_id, tag: vip(), extra: extra(), now: NOW }
}

fn chat_untagged(tagging: i64) -> ChatEvent {
    let tagging_id = TaggingId(tagging);
    ChatUntagged { tagging_id, tag: vip(), extra: extra(), done_by: Some(ME), timestamp: NOW }.into()
}

fn message_untagged(tagging: i64) -> ChatEvent {
    MessageUntagged {
        tagging_id: TaggingId(tagging),
        message_id: id(1),
        waba_id: Some("wamid.1".into()),
        tag: vip(),
        extra: extra(),
        done_by: Some(ME),
        timestamp: NOW,
    }
    .into()
}

fn untag_message(tagging: i64) -> ChatCommand {
    ChatCommand::UntagMessage {
        actor: Some(me()),
        done_by: Some(ME),
        tagging_id: TaggingId(tagging),
        message_id: id(1),
        waba_id: Some("wamid.1".into()),
        tag: vip(),
        extra: extra(),
        now: NOW,
    }
}

#[test]
fn r_tag_1_tagging_a_message_tags_its_chat_with_the_same_extra_and_author() {
    given(&[hello()]).when(tag_message()).expect_all(&[message_tagged(1).into(), chat_tagged(extra()).into()]);
}

#[test]
fn r_tag_2_a_chat_that_carries_the_tag_is_not_tagged_again() {
    let past = [hello(), chat_tagged(None).into()];
    given(&past).when(tag_message()).expect(message_tagged(1));
}

#[test]
fn r_tag_3_a_chat_cannot_be_tagged_twice_with_a_tag() {
    given(&[hello(), chat_tagged(None).into()]).when(tag_chat()).refused(ChatRefusal::AlreadyTagged);
}

#[test]
fn r_tag_3_a_message_and_a_tag_are_claimed_as_a_pair() {
    let claims = |number| ChatEvent::from(message_tagged(number)).claims();
    let [Claim::Take(pair)] = &claims(1)[..] else { panic!("a tagged message takes its pair") };
    assert_eq!(claims(1), claims(1));
    assert_ne!(claims(1), claims(2));
    let gold = MessageTagged { tag: TagAsItWas { id: TagId(41), ..vip() }, ..message_tagged(1) };
    assert_ne!(claims(1), ChatEvent::from(gold).claims());
    assert_eq!(message_untagged(5).claims(), [Claim::Release(pair.clone())]);
}

#[test]
fn r_tag_4_an_ended_tagging_can_be_created_again_under_a_new_id() {
    let first = [hello(), chat_tagged(extra()).into()];
    assert_eq!(given(&first).state().tags.get(&vip().id), Some(&TaggingId(2)));
    let ended = [first.to_vec(), vec![chat_untagged(2)]].concat();
    given(&ended).when(tag_chat()).expect(chat_tagged(extra()));
    let again = [ended, vec![chat_tagged(extra()).into()]].concat();
    assert_eq!(given(&again).state().tags.get(&vip().id), Some(&TaggingId(4)));
}

#[test]
fn r_tag_5_removing_a_message_tagging_leaves_the_chat_tagging() {
    let past = [hello(), message_tagged(1).into(), chat_tagged(extra()).into()];
    given(&past).when(untag_message(2)).expect(message_untagged(2));
    let after = given(&[past.to_vec(), vec![message_untagged(2)]].concat()).state();
    assert_eq!(after.tags.get(&vip().id), Some(&TaggingId(3)));
}

#[test]
fn r_tag_5_removing_a_chat_tagging_leaves_the_message_taggings() {
    let past = [hello(), message_tagged(1).into(), chat_tagged(extra()).into()];
    given(&past).when(untag_chat(Some(me()), 3)).expect(chat_untagged(3));
    assert!(chat_untagged(3).claims().is_empty(), "the pair of message and tag stays taken");
    given(&[past.to_vec(), vec![chat_untagged(3)]].concat()).when(untag_message(2)).expect(message_untagged(2));
}

#[test]
fn r_tag_6_each_change_is_one_event_with_the_tag_as_it_is() {
    given(&[hello()]).when(tag_chat()).expect(chat_tagged(extra()));
    given(&[hello(), chat_tagged(extra()).into()]).when(untag_chat(Some(me()), 2)).expect(chat_untagged(2));
}

#[test]
fn r_tag_6_the_system_removes_the_taggings_of_a_deleted_tag() {
    given(&[hello(), chat_tagged(extra()).into()]).when(untag_chat(None, 2)).expect(chat_untagged(2));
}

#[test]
fn r_tag_7_an_ended_or_unknown_tagging_cannot_be_removed() {
    let ended = [hello(), chat_tagged(None).into(), chat_untagged(2)];
    given(&ended).when(untag_chat(Some(me()), 2)).refused(ChatRefusal::UnknownTagging);
    given(&[hello()]).when(untag_chat(None, 2)).refused(ChatRefusal::UnknownTagging);
}

#[test]
fn r_tag_7_the_id_of_an_earlier_tagging_never_names_a_later_one() {
    let again = [hello(), chat_tagged(None).into(), chat_untagged(2), chat_tagged(None).into()];
    given(&again).when(untag_chat(Some(me()), 2)).refused(ChatRefusal::UnknownTagging);
    given(&again).when(untag_chat(Some(me()), 4)).expect(chat_untagged(4));
}

#[test]
fn r_tag_7_a_tagging_ends_only_once() {
    assert_eq!(message_untagged(2).idempotency_key(), chat_untagged(2).idempotency_key());
    assert_ne!(chat_untagged(2).idempotency_key(), chat_untagged(3).idempotency_key());
}
