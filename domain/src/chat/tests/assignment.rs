//! Who may change an assignment, and what is recorded of it (R-ASG-1 … R-ASG-10).

use super::*;

fn user(user: Option<UserId>) -> AssignmentChange {
    AssignmentChange { user: Some(user), group: None }
}

fn group(group: Option<GroupId>) -> AssignmentChange {
    AssignmentChange { user: None, group: Some(group) }
}

fn both(user: Option<UserId>, group: Option<GroupId>) -> AssignmentChange {
    AssignmentChange { user: Some(user), group: Some(group) }
}

fn assign(actor: Actor, change: AssignmentChange) -> ChatCommand {
    ChatCommand::Assign { actor, change, now: NOW }
}

/// A chat with this assignment.
fn held(user: Option<UserId>, group: Option<GroupId>) -> Given {
    given(&[hello(), assigned(user, group)])
}

/// What one change by an actor records: nothing set, nothing cleared.
fn unchanged(done_by: UserId) -> ChatAssigned {
    ChatAssigned { done_by: Some(done_by), timestamp: NOW, ..ChatAssigned::default() }
}

fn is_allowed(user: Option<UserId>, group: Option<GroupId>, actor: Actor, change: AssignmentChange) -> bool {
    match held(user, group).when(assign(actor, change)).decision() {
        Ok(events) => {
            assert_eq!(events.len(), 1, "the change is one");
            true
        }
        Err(refusal) => {
            assert_eq!(refusal, ChatRefusal::AssignmentHeld);
            false
        }
    }
}

#[test]
fn r_asg_1_user_and_group_are_assigned_independently() {
    let chat = given(&[hello(), assigned(Some(ME), None), assigned(None, Some(MINE))]).state();
    assert_eq!(chat.assignment, Assignment { user: Some(ME), group: Some(MINE) });
    let chat = given(&[hello(), assigned(Some(ME), None), assigned(Some(OTHER), None)]).state();
    assert_eq!(chat.assignment.user, Some(OTHER), "at most one user");
}

#[test]
fn r_asg_2_a_non_admin_may_set_the_user_only_while_none_is_assigned() {
    for target in [ME, OTHER, BOT] {
        given(&[hello()])
            .when(assign(me(), user(Some(target))))
            .expect(ChatAssigned { user_set: Some(target), ..unchanged(ME) });
    }
    assert!(is_allowed(None, Some(FOREIGN), me(), user(Some(ME))));
    assert!(!is_allowed(Some(OTHER), None, me(), user(Some(ME))));
}

#[test]
fn r_asg_3_a_non_admin_may_clear_the_user_only_if_it_is_himself() {
    held(Some(ME), None).when(assign(me(), user(None))).expect(ChatAssigned { user_cleared: true, ..unchanged(ME) });
    assert!(!is_allowed(Some(OTHER), None, me(), user(None)));
    assert!(!is_allowed(Some(OTHER), Some(MINE), me(), user(None)), "membership of the group gives no right to it");
}

#[test]
fn r_asg_4_a_direct_change_of_user_is_for_admins() {
    assert!(!is_allowed(Some(ME), None, me(), user(Some(OTHER))), "even the assignee clears first");
    assert!(!is_allowed(Some(OTHER), None, me(), user(Some(BOT))));
    assert!(is_allowed(Some(ME), None, admin(), user(Some(OTHER))));
}

#[test]
fn r_asg_5_a_non_admin_may_set_a_group_while_none_is_set() {
    assert!(is_allowed(None, None, me(), group(Some(FOREIGN))));
    assert!(is_allowed(Some(OTHER), None, me(), group(Some(FOREIGN))));
}

#[test]
fn r_asg_5_the_assignee_may_change_and_clear_the_group() {
    assert!(is_allowed(Some(ME), Some(FOREIGN), me(), group(Some(MINE))));
    assert!(is_allowed(Some(ME), Some(FOREIGN), me(), group(None)));
}

#[test]
fn r_asg_5_a_member_may_change_and_clear_the_group_while_no_user_is_assigned() {
    assert!(is_allowed(None, Some(MINE), me(), group(Some(FOREIGN))));
    assert!(is_allowed(None, Some(MINE), me(), group(None)));
    assert!(!is_allowed(Some(OTHER), Some(MINE), me(), group(Some(FOREIGN))));
    assert!(!is_allowed(Some(OTHER), Some(MINE), me(), group(None)));
}

#[test]
fn r_asg_5_a_stranger_may_neither_change_nor_clear_a_group() {
    for assignee in [None, Some(ME)] {
        assert!(!is_allowed(assignee, Some(MINE), other(), group(Some(FOREIGN))));
        assert!(!is_allowed(assignee, Some(MINE), other(), group(None)));
    }
}

#[test]
fn r_asg_5_admins_always_may() {
    assert!(is_allowed(Some(OTHER), Some(MINE), admin(), group(Some(FOREIGN))));
    assert!(is_allowed(Some(OTHER), Some(MINE), admin(), group(None)));
}

#[test]
fn r_asg_6_an_admin_has_no_restriction() {
    let every = [None, Some(ME), Some(OTHER)];
    let groups = [None, Some(MINE), Some(FOREIGN)];
    for (held_by, of) in every.into_iter().flat_map(|held_by| groups.map(|of| (held_by, of))) {
        for (to, of_group) in every.into_iter().flat_map(|to| groups.map(|of_group| (to, of_group))) {
            let given = held(held_by, of);
            assert!(given.when(assign(admin(), both(to, of_group))).decision().is_ok());
        }
    }
}

#[test]
fn r_asg_6_a_program_follows_the_rules_of_non_admins() {
    assert!(is_allowed(None, None, app(), user(Some(ME))));
    assert!(is_allowed(Some(BOT), None, app(), user(None)));
    assert!(!is_allowed(Some(BOT), None, app(), user(Some(ME))));
    assert!(!is_allowed(Some(ME), None, app(), user(None)));
    assert!(!is_allowed(Some(ME), Some(FOREIGN), app(), group(None)));
}

#[test]
fn r_asg_7_a_change_needs_read_access() {
    let reader = |read| actor(ME, Role::User, read, Scope::All);
    given(&[hello()]).when(assign(reader(Scope::Group), user(Some(ME)))).refused(ChatRefusal::NotReadable);
    held(None, Some(MINE))
        .when(assign(reader(Scope::Group), user(Some(ME))))
        .expect(ChatAssigned { user_set: Some(ME), ..unchanged(ME) });
    held(Some(ME), None).when(assign(reader(Scope::None), user(None))).refused(ChatRefusal::NotReadable);
}

#[test]
fn r_usr_8_a_chat_is_taken_from_a_user_or_group_that_is_no_more_and_from_nobody_else() {
    let take = |user, group| ChatCommand::TakeFrom { user, group, done_by: Some(OTHER), now: NOW };
    held(Some(ME), Some(MINE))
        .when(take(Some(ME), None))
        .expect(ChatAssigned { user_cleared: true, ..unchanged(OTHER) });
    held(Some(ME), Some(MINE))
        .when(take(None, Some(MINE)))
        .expect(ChatAssigned { group_cleared: true, ..unchanged(OTHER) });
    held(Some(ME), Some(MINE)).when(take(Some(OTHER), Some(FOREIGN))).expect_nothing();
    held(None, None).when(take(None, None)).expect_nothing();
}

#[test]
fn r_asg_8_one_refused_part_refuses_the_whole() {
    held(None, Some(FOREIGN)).when(assign(me(), both(Some(ME), Some(MINE)))).refused(ChatRefusal::AssignmentHeld);
    held(Some(OTHER), None).when(assign(me(), both(Some(ME), Some(MINE)))).refused(ChatRefusal::AssignmentHeld);
}

#[test]
fn r_asg_9_a_change_of_both_parts_is_one_event() {
    given(&[hello()]).when(assign(me(), both(Some(ME), Some(MINE)))).expect(ChatAssigned {
        user_set: Some(ME),
        group_set: Some(MINE),
        ..unchanged(ME)
    });
    held(Some(ME), Some(MINE)).when(assign(me(), both(None, None))).expect(ChatAssigned {
        user_cleared: true,
        group_cleared: true,
        ..unchanged(ME)
    });
    held(Some(ME), Some(MINE)).when(assign(me(), both(None, Some(FOREIGN)))).expect(ChatAssigned {
        user_cleared: true,
        group_set: Some(FOREIGN),
        ..unchanged(ME)
    });
}

#[test]
fn r_asg_9_a_part_that_stays_is_neither_set_nor_cleared() {
    held(Some(ME), None)
        .when(assign(me(), both(Some(ME), Some(MINE))))
        .expect(ChatAssigned { group_set: Some(MINE), ..unchanged(ME) });
    given(&[hello()])
        .when(assign(me(), both(Some(ME), None)))
        .expect(ChatAssigned { user_set: Some(ME), ..unchanged(ME) });
}

#[test]
fn r_asg_9_a_change_to_the_same_appends_nothing() {
    for actor in [me(), other(), admin()] {
        held(Some(ME), Some(MINE)).when(assign(actor.clone(), both(Some(ME), Some(MINE)))).expect_nothing();
        held(Some(ME), Some(MINE)).when(assign(actor.clone(), AssignmentChange::default())).expect_nothing();
        given(&[hello()]).when(assign(actor, both(None, None))).expect_nothing();
    }
}

#[test]
fn r_asg_10_of_two_self_assignments_the_second_is_refused() {
    let first = given(&[hello()]).when(assign(me(), user(Some(ME)))).decision().unwrap();
    let after = [vec![hello()], first].concat();
    given(&after).when(assign(other(), user(Some(OTHER)))).refused(ChatRefusal::AssignmentHeld);
    given(&after).when(assign(me(), user(Some(ME)))).expect_nothing();
}

fn by_rule(change: AssignmentChange, trigger: i64, only_fresh: bool) -> ChatCommand {
    let rule = ByRule { based_on: Some(id(2)), trigger: Position(trigger), only_fresh };
    ChatCommand::AssignByRule { change, rule, now: NOW }
}

#[test]
fn r_asg_12_the_rule_engine_is_nobody_and_says_on_what_grounds() {
    let by_nobody = ChatAssigned { done_by: None, based_on: Some(id(2)), trigger: Some(9), ..unchanged(ME) };
    held(Some(ME), None)
        .when(by_rule(user(Some(OTHER)), 9, false))
        .expect(ChatAssigned { user_set: Some(OTHER), ..by_nobody.clone() });
    held(Some(ME), None).when(by_rule(both(None, Some(MINE)), 9, false)).expect(ChatAssigned {
        user_cleared: true,
        group_set: Some(MINE),
        ..by_nobody.clone()
    });
    held(Some(ME), None).when(by_rule(user(Some(ME)), 9, false)).expect_nothing();
    given(&[]).when(by_rule(user(Some(ME)), 9, false)).refused(ChatRefusal::Unknown);
    assert_eq!(ChatEvent::from(by_nobody).key_in_stream(), Some("rule:9".into()));
    assert_eq!(ChatEvent::from(unchanged(ME)).key_in_stream(), None);
}

#[test]
fn r_rul_10_a_rule_for_fresh_messages_takes_no_chat_from_anybody() {
    given(&[hello()]).when(by_rule(user(Some(ME)), 9, true)).expect(ChatAssigned {
        user_set: Some(ME),
        done_by: None,
        based_on: Some(id(2)),
        trigger: Some(9),
        ..unchanged(ME)
    });
    held(Some(OTHER), None).when(by_rule(user(Some(ME)), 9, true)).expect_nothing();
    held(None, Some(MINE)).when(by_rule(user(Some(ME)), 9, true)).expect_nothing();
}
