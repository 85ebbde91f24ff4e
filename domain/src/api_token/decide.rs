//! The rules of tokens.

use super::{ApiToken, ApiTokenCommand, ApiTokenEvent, ApiTokenRefusal, ApiTokenRevoked};
use crate::{decider::Decider, ids::Position};

impl Decider for ApiToken {
    const TYPE: &'static str = "ApiToken";
    type Command = ApiTokenCommand;
    type Event = ApiTokenEvent;
    type Refusal = ApiTokenRefusal;

    fn decide(&self, command: ApiTokenCommand) -> Result<Vec<ApiTokenEvent>, ApiTokenRefusal> {
        match command {
            ApiTokenCommand::Issue(_) if self.exists => Ok(Vec::new()),
            ApiTokenCommand::Issue(issued) => Ok(vec![issued.into()]),
            ApiTokenCommand::Revoke { .. } if !self.exists => Err(ApiTokenRefusal::Unknown),
            ApiTokenCommand::Revoke { done_by } => Ok(vec![ApiTokenRevoked { done_by }.into()]),
        }
    }

    fn evolve(&mut self, event: &ApiTokenEvent, position: Position) {
        self.after(event, position);
    }
}
