//! Who may change an assignment (R-ASG-1 … R-ASG-9).

use super::{AssignmentChange, ByRule, Chat, ChatAssigned, ChatRefusal};
use crate::{
    ids::{GroupId, UserId},
    permission::{Actor, Assignment},
};

impl Chat {
    /// The one event of a change, `None` when nothing changes. One refused part refuses the whole (R-ASG-8).
    pub(super) fn assign(
        &self,
        actor: &Actor,
        change: AssignmentChange,
        now: i64,
    ) -> Result<Option<ChatAssigned>, ChatRefusal> {
        let Assignment { user, group } = change.applied_to(self.assignment);
        let allowed = actor.is_admin() || (self.may_set_user(actor, user) && self.may_set_group(actor, group));
        if allowed { Ok(self.assigned(change, Some(actor.user), now)) } else { Err(ChatRefusal::AssignmentHeld) }
    }

    /// The one event of a change that is allowed (R-ASG-9), `None` when nothing changes.
    pub(super) fn assigned(&self, change: AssignmentChange, done_by: Option<UserId>, now: i64) -> Option<ChatAssigned> {
        let Assignment { user, group } = change.applied_to(self.assignment);
        let user_changes = user != self.assignment.user;
        let group_changes = group != self.assignment.group;
        (user_changes || group_changes).then_some(ChatAssigned {
            user_set: user.filter(|_| user_changes),
            user_cleared: user_changes && user.is_none(),
            group_set: group.filter(|_| group_changes),
            group_cleared: group_changes && group.is_none(),
            done_by,
            timestamp: now,
            ..ChatAssigned::default()
        })
    }

    /// The one event of what the rule engine wants, whoever has the chat (R-ASG-12); `None` when nothing changes, or
    /// for a rule of fresh messages when somebody has it by now (R-RUL-10).
    pub(super) fn assign_by_rule(&self, change: AssignmentChange, rule: ByRule, now: i64) -> Option<ChatAssigned> {
        let ByRule { based_on, trigger, only_fresh } = rule;
        if only_fresh && (self.assignment.user.is_some() || self.assignment.group.is_some()) {
            return None;
        }
        Some(ChatAssigned { based_on, trigger: Some(trigger.0), ..self.assigned(change, None, now)? })
    }

    /// The one event that takes the chat from a user or group, `None` when neither has it.
    pub(super) fn take_from(
        &self,
        user: Option<UserId>,
        group: Option<GroupId>,
        done_by: Option<UserId>,
        now: i64,
    ) -> Option<ChatAssigned> {
        let user_cleared = user.is_some() && user == self.assignment.user;
        let group_cleared = group.is_some() && group == self.assignment.group;
        let (user_set, group_set, timestamp) = (None, None, now);
        (user_cleared || group_cleared).then_some(ChatAssigned {
            user_set,
            user_cleared,
            group_set,
            group_cleared,
            done_by,
            timestamp,
            ..ChatAssigned::default()
        })
    }

    fn may_set_user(&self, actor: &Actor, user: Option<UserId>) -> bool {
        let current = self.assignment.user;
        match user {
            same if same == current => true,
            Some(_) => current.is_none(),
            None => current == Some(actor.user),
        }
    }

    fn may_set_group(&self, actor: &Actor, group: Option<GroupId>) -> bool {
        let current = self.assignment.group;
        let mine = self.assignment.user == Some(actor.user);
        let of_my_group = self.assignment.user.is_none() && current.is_some_and(|group| actor.groups.contains(&group));
        group == current || mine || of_my_group || (current.is_none() && group.is_some())
    }
}
