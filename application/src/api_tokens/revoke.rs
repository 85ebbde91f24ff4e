//! Ends a token.

use chatledger_domain::{
    ApiTokenId,
    api_token::{ApiToken, ApiTokenCommand},
};

use crate::{
    application::{Application, Context},
    error::ApplicationError,
    streams::StreamOf,
};

impl Application {
    /// Revokes a token.
    ///
    /// # Errors
    /// [`ApplicationError::NotAllowed`] for others than admins, `UnknownApiToken`.
    pub async fn revoke_api_token(&self, context: &Context, id: ApiTokenId) -> Result<(), ApplicationError> {
        if !context.actor.is_admin() {
            return Err(ApplicationError::NotAllowed);
        }
        let found = self.stream_at::<ApiToken>(context.tenant, id.0).await?;
        let stream = found.ok_or(ApplicationError::UnknownApiToken)?;
        let done_by = context.actor.user;
        let done = self
            .streams
            .transact(
                context.tenant,
                &[StreamOf::new::<ApiToken>(&stream)],
                &context.metadata(),
                self.clock.now(),
                |d| {
                    if d.state::<ApiToken>(&stream).id != id {
                        return Err(ApplicationError::UnknownApiToken);
                    }
                    d.decide::<ApiToken>(&stream, ApiTokenCommand::Revoke { done_by }).map_err(Into::into)
                },
            )
            .await?;
        // The event ends it; without the hash it cannot even be found.
        if let Ok(stream) = stream.parse() {
            self.secrets.forget_api_token(context.tenant, stream).await?;
        }
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }
}
