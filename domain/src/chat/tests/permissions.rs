//! Who may read, write, tag and start a chat (R-PERM-5 … R-PERM-11), as far as a chat decides it.

use super::*;

fn limited(read: Scope, write: Scope) -> Actor {
    actor(ME, Role::User, read, write)
}

fn assign_nothing(actor: Actor) -> ChatCommand {
    ChatCommand::Assign { actor, change: AssignmentChange::default(), now: NOW }
}

fn tag(actor: Actor) -> ChatCommand {
    ChatCommand::TagChat { actor, tag: vip(), extra: None, now: NOW }
}

/// Nobody's, mine, my group's, somebody else's.
fn chats() -> [Vec<ChatEvent>; 4] {
    [
        vec![hello()],
        vec![hello(), assigned(Some(ME), None)],
        vec![hello(), assigned(Some(OTHER), Some(MINE))],
        vec![hello(), assigned(Some(OTHER), Some(FOREIGN))],
    ]
}

fn covered(command: impl Fn() -> ChatCommand) -> [bool; 4] {
    chats().map(|events| given(&events).when(command()).decision().is_ok())
}

#[test]
fn r_perm_5_each_scope_covers_its_chats_in_reading() {
    let covered = |scope| covered(|| assign_nothing(limited(scope, Scope::None)));
    assert_eq!(covered(Scope::All), [true, true, true, true]);
    assert_eq!(covered(Scope::Group), [false, true, true, false]);
    assert_eq!(covered(Scope::User), [false, true, false, false]);
    assert_eq!(covered(Scope::None), [false, false, false, false]);
}

#[test]
fn r_perm_5_each_scope_covers_its_chats_in_writing() {
    let covered = |scope| covered(|| send(limited(Scope::None, scope), "text", NOW));
    assert_eq!(covered(Scope::All), [true, true, true, true]);
    assert_eq!(covered(Scope::Group), [false, true, true, false]);
    assert_eq!(covered(Scope::User), [false, true, false, false]);
    assert_eq!(covered(Scope::None), [false, false, false, false]);
}

#[test]
fn r_perm_6_read_and_write_are_independent() {
    given(&[hello()]).when(send(limited(Scope::None, Scope::All), "text", NOW)).expect(queued(2, ME, "text", NOW));
    given(&[hello()]).when(tag(limited(Scope::All, Scope::None))).expect(chat_tagged(None));
}

#[test]
fn r_perm_6_the_current_assignment_counts_not_an_earlier_one() {
    let moved = [hello(), assigned(Some(ME), None), assigned(Some(OTHER), None)];
    given(&moved).when(send(limited(Scope::All, Scope::User), "text", NOW)).refused(ChatRefusal::NotWritable);
}

#[test]
fn r_perm_7_marking_an_unreadable_chat_answers_like_an_unknown_one() {
    given(&[hello()]).when(mark(limited(Scope::User, Scope::All), NOW)).refused(ChatRefusal::Unknown);
    given(&[]).when(mark(me(), NOW)).refused(ChatRefusal::Unknown);
}

#[test]
fn r_perm_8_assigning_an_unreadable_chat_is_forbidden_and_an_unknown_one_is_unknown() {
    given(&[hello()]).when(assign_nothing(limited(Scope::User, Scope::All))).refused(ChatRefusal::NotReadable);
    given(&[]).when(assign_nothing(limited(Scope::User, Scope::All))).refused(ChatRefusal::Unknown);
    given(&[]).when(assign_nothing(admin())).refused(ChatRefusal::Unknown);
}

#[test]
fn r_perm_9_sending_outside_the_writable_set_is_refused_whatever_the_type() {
    for kind in ["text", "template"] {
        given(&[hello()]).when(send(limited(Scope::All, Scope::User), kind, NOW)).refused(ChatRefusal::NotWritable);
    }
}

#[test]
fn r_perm_10_tagging_needs_the_permission_to_use_tags() {
    let mut actor = me();
    actor.permissions.can_use_tags = false;
    given(&[hello()]).when(tag(actor.clone())).refused(ChatRefusal::TagsNotAllowed);
    let command = ChatCommand::TagMessage {
        actor: actor.clone(),
        message_id: id(1),
        waba_id: None,
        tag: vip(),
        extra: None,
        now: NOW,
    };
    given(&[hello()]).when(command).refused(ChatRefusal::TagsNotAllowed);
    let command = ChatCommand::UntagChat {
        actor: Some(actor),
        done_by: Some(ME),
        tagging_id: TaggingId(2),
        tag: vip(),
        extra: None,
        now: NOW,
    };
    given(&[hello(), chat_tagged(None).into()]).when(command).refused(ChatRefusal::TagsNotAllowed);
}

#[test]
fn r_perm_10_tagging_needs_read_access() {
    given(&[hello()]).when(tag(limited(Scope::User, Scope::All))).refused(ChatRefusal::Unknown);
    given(&[]).when(tag(me())).refused(ChatRefusal::Unknown);
    let command = ChatCommand::UntagChat {
        actor: Some(limited(Scope::User, Scope::All)),
        done_by: Some(ME),
        tagging_id: TaggingId(2),
        tag: vip(),
        extra: None,
        now: NOW,
    };
    given(&[hello(), chat_tagged(None).into()]).when(command).refused(ChatRefusal::Unknown);
}

#[test]
fn r_perm_11_whoever_may_write_somewhere_may_start_a_chat_and_is_assigned_to_it() {
    for scope in [Scope::User, Scope::Group] {
        let started = ChatAssigned { user_set: Some(ME), done_by: Some(ME), timestamp: NOW, ..ChatAssigned::default() };
        let expected = [queued_outside(2, ME, NOW), started.into()];
        given(&[]).when(send(limited(Scope::None, scope), "template", NOW)).expect_all(&expected);
        given(&expected).when(send(limited(Scope::None, scope), "template", NOW)).expect(expected[0].clone());
    }
}

#[test]
fn r_perm_11_who_may_write_everywhere_starts_a_chat_without_being_assigned() {
    given(&[]).when(send(me(), "template", NOW)).expect(queued_outside(2, ME, NOW));
}

#[test]
fn r_perm_11_who_may_write_nowhere_starts_no_chat() {
    given(&[]).when(send(limited(Scope::All, Scope::None), "template", NOW)).refused(ChatRefusal::NotWritable);
}

#[test]
fn r_perm_11_a_chat_that_exists_is_not_started_again() {
    given(&[hello()]).when(send(limited(Scope::All, Scope::Group), "template", NOW)).refused(ChatRefusal::NotWritable);
}
