//! Creates, deletes and looks up message templates (R-TPL-1, R-TPL-2).

use chatledger_domain::{
    RawJson, TenantId,
    template_catalogue::{Template, TemplateCatalogue, TemplateCatalogueCommand, TemplateCatalogueRefusal, rendered},
};
use chrono::TimeDelta;
use serde_json::Value;

use super::TEMPLATES;
use crate::{
    application::{Application, Context},
    error::ApplicationError,
    ports::{
        read_models::KeptTemplate,
        refreshes::Subject,
        whatsapp_account::{AccountFault, NewTemplate},
    },
    streams::StreamOf,
};

/// A list older than this refuses no message (R-TPL-2), in hours.
const TRUSTED: i64 = 24;

/// What is known of a template that is about to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentTemplate {
    /// Why it cannot be sent.
    pub refusal: Option<String>,
    /// What the customer reads.
    pub rendered: Option<String>,
}

impl Application {
    /// Submits a template and records it; the template with WhatsApp's first word on it.
    ///
    /// # Errors
    /// WhatsApp's refusal, or why it could not be asked; nothing is recorded then.
    pub async fn create_template(&self, context: &Context, new: NewTemplate) -> Result<Template, ApplicationError> {
        let account = self.account(context.tenant).await?;
        let template = self.whatsapp_accounts.create_template(&account, &new).await?;
        let create = TemplateCatalogueCommand::Create { template: template.clone(), done_by: context.actor.user };
        let streams = [StreamOf::new::<TemplateCatalogue>(TEMPLATES)];
        let now = self.clock.now();
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |d| {
                d.decide::<TemplateCatalogue>(TEMPLATES, create.clone())
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(template)
    }

    /// Deletes a template in all languages.
    ///
    /// # Errors
    /// [`ApplicationError::UnknownTemplate`]; WhatsApp's refusal, or why it could not be asked.
    pub async fn delete_template(&self, context: &Context, name: &str) -> Result<(), ApplicationError> {
        let account = self.account(context.tenant).await?;
        let known: TemplateCatalogue = self.streams.state(context.tenant, TEMPLATES).await?;
        match self.whatsapp_accounts.delete_template(&account, name).await {
            Ok(()) => {}
            // It is gone already, as was wished.
            Err(AccountFault::NotFound) if known.has(name) => {}
            Err(AccountFault::NotFound) => return Err(ApplicationError::UnknownTemplate),
            Err(AccountFault::Refused(_)) if !known.has(name) => return Err(ApplicationError::UnknownTemplate),
            Err(fault) => return Err(fault.into()),
        }
        let streams = [StreamOf::new::<TemplateCatalogue>(TEMPLATES)];
        let delete = TemplateCatalogueCommand::Delete { name: name.to_owned(), done_by: context.actor.user };
        let now = self.clock.now();
        let done = self
            .streams
            .transact(context.tenant, &streams, &context.metadata(), now, |d| {
                match d.decide::<TemplateCatalogue>(TEMPLATES, delete.clone()) {
                    // WhatsApp knew it, and our list did not yet.
                    Err(TemplateCatalogueRefusal::Unknown) => Ok::<_, ApplicationError>(0),
                    Ok(events) => Ok(events),
                }
            })
            .await?;
        self.settle(context.tenant, done.position()).await;
        Ok(())
    }

    pub(super) async fn refresh_templates(&self, tenant: TenantId) -> Result<(), ApplicationError> {
        let account = self.account(tenant).await?;
        let as_of = self.ledger.head(tenant).await?;
        let listed = self.whatsapp_accounts.templates(&account).await?;
        let streams = [StreamOf::new::<TemplateCatalogue>(TEMPLATES)];
        let metadata = self.system("refresh", None);
        let done = self
            .streams
            .transact(tenant, &streams, &metadata, self.clock.now(), |d| {
                let synchronise = TemplateCatalogueCommand::Synchronise { listed: listed.clone(), as_of };
                d.decide::<TemplateCatalogue>(TEMPLATES, synchronise)
            })
            .await?;
        self.settle(tenant, done.position()).await;
        Ok(())
    }

    /// What is known of the template of a message. Only a list of the last 24 hours refuses one.
    pub(crate) async fn sent_template(
        &self,
        tenant: TenantId,
        message: &RawJson,
    ) -> Result<SentTemplate, ApplicationError> {
        let tree = message.tree();
        let sent = &tree["template"];
        let (Some(name), Some(language)) = (sent["name"].as_str(), sent["language"]["code"].as_str()) else {
            return Ok(SentTemplate::default());
        };
        let kept = self.read_models.template(tenant, name, language).await?;
        let refreshed_at = self.freshness(tenant, Subject::Templates).await?.refreshed_at;
        let trusted = refreshed_at.is_some_and(|at| self.clock.now() - at < TimeDelta::hours(TRUSTED));
        let refusal = match &kept {
            _ if !trusted => None,
            None => Some(format!("There is no template {name} in the language {language}.")),
            Some(KeptTemplate { status, .. }) if status != "approved" => {
                Some(format!("The template {name} in the language {language} is not approved: it is {status}."))
            }
            Some(_) => None,
        };
        let rendered = kept.and_then(|kept| {
            let components: Value = serde_json::from_str(&kept.components).unwrap_or_default();
            rendered(&components, sent)
        });
        Ok(SentTemplate { refusal, rendered })
    }
}
