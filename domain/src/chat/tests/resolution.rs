//! Resolving and reopening (R-CHAT-7).

use super::*;

fn resolve(actor: Actor, resolved: bool) -> ChatCommand {
    ChatCommand::Resolve { actor, resolved, now: NOW }
}

fn resolved() -> ChatEvent {
    ChatResolved { done_by: ME, timestamp: NOW }.into()
}

#[test]
fn r_chat_7_a_chat_is_resolved_and_reopened_once_each() {
    given(&[hello()]).when(resolve(me(), true)).expect(resolved());
    given(&[hello()]).when(resolve(me(), false)).expect_nothing();
    given(&[hello(), resolved()]).when(resolve(me(), true)).expect_nothing();
    let reopened = ChatReopened { done_by: OTHER, timestamp: NOW };
    given(&[hello(), resolved()]).when(resolve(other(), false)).expect(reopened.clone());
    assert!(!given(&[hello(), resolved(), reopened.into()]).state().resolved);
}

#[test]
fn r_chat_7_the_customers_next_message_reopens_without_an_event_of_its_own() {
    let again = ChatCommand::ReceiveMessage { incoming: incoming("wamid.2", "reaction", NOW), now: NOW };
    let events = given(&[hello(), resolved()]).when(again).decision().unwrap();
    assert_eq!(events.len(), 1);
    assert!(!given(&[hello(), resolved(), events[0].clone()]).state().resolved);
    // A notice of the system is nothing that the customer wrote, and what we send reopens nothing.
    assert!(given(&[hello(), resolved(), received("wamid.3", "system", NOW)]).state().resolved);
    assert!(given(&[hello(), resolved(), queued(4, ME, "text", NOW)]).state().resolved);
}

#[test]
fn r_chat_7_resolving_changes_neither_assignment_nor_window_nor_marks() {
    let before = given(&[hello(), assigned(Some(ME), None), marked(OTHER, WRITTEN)]).state();
    let after = given(&[hello(), assigned(Some(ME), None), marked(OTHER, WRITTEN), resolved()]).state();
    assert_eq!(Chat { resolved: true, ..before }, after);
}

#[test]
fn r_chat_7_who_may_not_write_is_refused_and_who_may_not_read_learns_nothing() {
    let reader = actor(ME, Role::User, Scope::All, Scope::User);
    given(&[hello()]).when(resolve(reader, true)).refused(ChatRefusal::NotWritable);
    let stranger = actor(ME, Role::User, Scope::User, Scope::All);
    given(&[hello()]).when(resolve(stranger, true)).refused(ChatRefusal::Unknown);
    given(&[]).when(resolve(admin(), true)).refused(ChatRefusal::Unknown);
}
