//! The secrets that calls to a webhook are signed with (R-OUT-2): shown once, sealed with the address, and kept by every
//! other change of it.

use base64::{Engine, engine::general_purpose::STANDARD};
use chatledger_domain::WebhookId;

use super::{WebhookChange, change::Edit};
use crate::{
    application::{Application, Context},
    endpoints::SigningKey,
    error::ApplicationError,
};

/// How long the secret before the newest signs as well, in seconds: a day to tell the receiver the new one.
const OVERLAP: i64 = 24 * 3600;
/// Secrets that sign at the same time at most.
const MOST: usize = 3;

/// A secret that was made just now: the only time that it is shown.
pub struct NewSigningSecret {
    /// `whsec_` and the base64 of 32 random bytes.
    pub secret: String,
    /// Until when the one before signs as well, POSIX seconds; `None` where there was none.
    pub previous_valid_until: Option<i64>,
}

/// What is shown of a secret.
pub struct ShownSecret {
    /// Its last four characters, to tell secrets apart.
    pub last_four: String,
    /// Until when it signs, POSIX seconds; `None` for the one that is in use.
    pub valid_until: Option<i64>,
}

/// What is shown of the secrets of a webhook.
pub struct ShownSecrets {
    /// Those that calls are signed with now, the newest first.
    pub secrets: Vec<ShownSecret>,
    /// Whether calls are signed as WhatsApp signs its own as well.
    pub app_secret: bool,
}

impl Application {
    /// What is shown of the secrets of a webhook.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownWebhook`] where there is none or it is not the caller's.
    pub async fn signing_secrets(&self, context: &Context, id: WebhookId) -> Result<ShownSecrets, ApplicationError> {
        let (_, webhook) = self.webhook_of(context, id).await?;
        let target = self.target_of(context, &webhook.endpoint).await?;
        let now = self.clock.now().timestamp();
        let shown = |key: SigningKey| ShownSecret {
            last_four: key.secret[key.secret.len().saturating_sub(4)..].to_owned(),
            valid_until: key.until,
        };
        let secrets = target.signing.into_iter().filter(|key| key.is_valid_at(now)).map(shown).collect();
        Ok(ShownSecrets { secrets, app_secret: target.app_secret.is_some() })
    }

    /// Makes a new secret; the one before signs for another day.
    ///
    /// # Errors
    /// As [`Self::signing_secrets`].
    pub async fn rotate_signing_secret(
        &self,
        context: &Context,
        id: WebhookId,
    ) -> Result<NewSigningSecret, ApplicationError> {
        let bytes = hex::decode(self.random.hex(32)).unwrap_or_default();
        let (secret, now) = (format!("whsec_{}", STANDARD.encode(bytes)), self.clock.now().timestamp());
        self.edit_secrets(context, id, &|target| {
            target.signing.retain(|key| key.is_valid_at(now));
            for key in &mut target.signing {
                key.until.get_or_insert(now + OVERLAP);
            }
            target.signing.insert(0, SigningKey { secret: secret.clone(), until: None });
            target.signing.truncate(MOST);
        })
        .await?;
        let others = self.signing_secrets(context, id).await?.secrets;
        Ok(NewSigningSecret { secret, previous_valid_until: others.get(1).and_then(|key| key.valid_until) })
    }

    /// Forgets all of them: calls are no longer signed.
    ///
    /// # Errors
    /// As [`Self::signing_secrets`].
    pub async fn remove_signing_secrets(&self, context: &Context, id: WebhookId) -> Result<(), ApplicationError> {
        self.edit_secrets(context, id, &|target| target.signing.clear()).await
    }

    /// Sets the secret that calls are signed with as WhatsApp signs its own; `None` removes it.
    ///
    /// # Errors
    /// As [`Self::signing_secrets`].
    pub async fn set_app_secret(
        &self,
        context: &Context,
        id: WebhookId,
        app_secret: Option<&str>,
    ) -> Result<(), ApplicationError> {
        self.edit_secrets(context, id, &|target| target.app_secret = app_secret.map(str::to_owned)).await
    }

    async fn edit_secrets(&self, context: &Context, id: WebhookId, edit: Edit<'_>) -> Result<(), ApplicationError> {
        self.edit_webhook(context, id, &WebhookChange::default(), Some(edit)).await
    }
}
