//! What the admins' decisions need.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::event::AdminsEvent;
use crate::ids::UserId;

/// The active admins of an inbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Admins {
    /// Who they are.
    pub users: BTreeSet<UserId>,
}

impl Admins {
    pub(super) fn after(&mut self, event: &AdminsEvent) {
        match event {
            AdminsEvent::AdminJoined(e) => {
                self.users.insert(e.user);
            }
            AdminsEvent::AdminLeft(e) => {
                self.users.remove(&e.user);
            }
        }
    }
}
