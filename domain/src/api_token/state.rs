//! What a token's decisions need, and what a door asks of it.

use serde::{Deserialize, Serialize};

use super::event::ApiTokenEvent;
use crate::ids::{ApiTokenId, Position};

/// A token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its id on the wire; 0 before it is issued.
    pub id: ApiTokenId,
    /// Whether it is issued and not revoked.
    pub exists: bool,
    /// What it may do.
    pub abilities: Vec<String>,
    /// When it ends by itself, POSIX seconds.
    pub expires_at: Option<i64>,
}

impl ApiToken {
    pub(super) fn after(&mut self, event: &ApiTokenEvent, position: Position) {
        match event {
            ApiTokenEvent::ApiTokenIssued(e) => {
                *self = Self {
                    id: ApiTokenId(position.0),
                    exists: true,
                    abilities: e.abilities.clone(),
                    expires_at: e.expires_at,
                };
            }
            ApiTokenEvent::ApiTokenRevoked(_) => self.exists = false,
        }
    }
}
