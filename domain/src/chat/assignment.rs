//! What is to become of an assignment, as it is wished and as an event tells it (R-ASG-9).

use super::ChatAssigned;
use crate::{
    ids::{GroupId, UserId},
    permission::Assignment,
};

/// A wished assignment: the outer `None` leaves as is, the inner clears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssignmentChange {
    /// The user.
    pub user: Option<Option<UserId>>,
    /// The group.
    pub group: Option<Option<GroupId>>,
}

impl AssignmentChange {
    /// Who has the chat after this change.
    #[must_use]
    pub fn applied_to(self, before: Assignment) -> Assignment {
        Assignment { user: self.user.unwrap_or(before.user), group: self.group.unwrap_or(before.group) }
    }

    /// Both changes, one after the other.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self { user: next.user.or(self.user), group: next.group.or(self.group) }
    }
}

impl ChatAssigned {
    /// What it changes.
    #[must_use]
    pub fn change(&self) -> AssignmentChange {
        AssignmentChange {
            user: part(self.user_set, self.user_cleared),
            group: part(self.group_set, self.group_cleared),
        }
    }

    /// Who has the chat after it.
    #[must_use]
    pub fn applied_to(&self, before: Assignment) -> Assignment {
        self.change().applied_to(before)
    }
}

fn part<T>(set: Option<T>, cleared: bool) -> Option<Option<T>> {
    if cleared { Some(None) } else { set.map(Some) }
}
