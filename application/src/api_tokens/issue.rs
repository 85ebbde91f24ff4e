//! Issues a token; it is shown once and only its hash is kept (R-TOK-2).

use std::fmt;

use chatledger_domain::{
    ApiTokenId,
    api_token::{ApiToken, ApiTokenCommand, ApiTokenIssued},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

/// Random bytes of a token: with the eight digits of its tenant 64 hexadecimal digits (R-TOK-3).
const RANDOM: usize = 28;

/// A token to be.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub abilities: Vec<String>,
    /// When it ends by itself, POSIX seconds.
    pub expires_at: Option<i64>,
}

/// A token that was issued.
#[derive(Clone)]
pub struct IssuedToken {
    /// Its id.
    pub id: ApiTokenId,
    /// When it was issued, POSIX seconds.
    pub issued_at: i64,
    /// The token itself: this once and never again.
    pub token: String,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedToken({})", self.id)
    }
}

impl Application {
    /// Issues a token.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins.
    pub async fn issue_api_token(&self, context: &Context, new: NewApiToken) -> Result<IssuedToken, ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let token = format!("{}{}", context.tenant.tag(), self.random.hex(RANDOM));
        let id = self.random.uuid();
        // First the hash: a token without events is none.
        self.secrets.keep_api_token(context.tenant, id, &token).await?;
        let (stream, now) = (id.to_string(), self.clock.now());
        let issued_at = now.timestamp();
        let NewApiToken { name, abilities, expires_at } = new;
        let last_four = token[token.len() - 4..].to_owned();
        let issued = ApiTokenIssued { name, abilities, expires_at, issued_at, last_four, done_by: context.actor.user };
        let done = self
            .streams
            .transact(context.tenant, &[StreamOf::new::<ApiToken>(&stream)], &context.metadata(), now, |d| {
                d.decide::<ApiToken>(&stream, ApiTokenCommand::Issue(issued.clone()))
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        let id = done.position().map(|position| ApiTokenId(position.0)).ok_or(ApplicationError::Conflict)?;
        Ok(IssuedToken { id, issued_at, token })
    }
}
