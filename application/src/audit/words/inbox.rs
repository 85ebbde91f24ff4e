//! Words for what happens to what an inbox has: tags, rules, webhooks, tokens, templates, settings, files.

use chatledger_domain::{
    TagId,
    api_token::ApiTokenEvent,
    bulk_message::{BulkMessageEvent, ElementOutcome},
    business_profile::BusinessProfileEvent,
    media::{MediaEvent, MediaOrigin},
    rule_engine::{RuleEngineEvent, Target},
    saved_response::SavedResponseEvent,
    tag::TagEvent,
    template_catalogue::TemplateCatalogueEvent,
    tenant::TenantEvent,
    webhook::WebhookEvent,
    whatsapp_account::WhatsAppAccountEvent,
};

use super::{Speaker, count, plain, quoted, switch, time};

impl Speaker<'_> {
    pub(super) fn of_tag(&self, event: &TagEvent) -> String {
        match event {
            TagEvent::TagCreated(e) => format!("created the tag {}", quoted(&e.name)),
            TagEvent::TagChanged(e) if e.name == e.previous_name => {
                let color = e.web_inbox_color.as_deref().map_or_else(|| "none".to_owned(), plain);
                format!("gave the tag {} the colour {color}", quoted(&e.name))
            }
            TagEvent::TagChanged(e) => format!("renamed the tag {} to {}", quoted(&e.previous_name), quoted(&e.name)),
            TagEvent::TagDeleted(e) => format!("deleted the tag {}", quoted(&e.name)),
        }
    }

    pub(super) fn rule_engine(&self, event: &RuleEngineEvent) -> String {
        match event {
            RuleEngineEvent::RuleEngineConfigured(e) => match &e.endpoint {
                Some(endpoint) => {
                    format!("set the rule engine to {}, at {}", e.mode.as_str(), plain(&endpoint.origin))
                }
                None => format!("set the rule engine to {}", e.mode.as_str()),
            },
            RuleEngineEvent::RuleAdded(e) => format!("added a rule: {}", self.rule(e.tagged_with, e.target)),
            RuleEngineEvent::RuleChanged(e) => {
                format!("changed the rule #{}: {}", e.rule, self.rule(e.tagged_with, e.target))
            }
            RuleEngineEvent::RuleDeleted(e) => format!("deleted the rule #{}", e.rule),
        }
    }

    fn rule(&self, tagged_with: Option<TagId>, target: Target) -> String {
        let when = tagged_with
            .map_or_else(|| "a fresh message".to_owned(), |tag| format!("what is tagged with {}", self.tag(tag)));
        match target {
            Target::User(user) => format!("{when} goes to the user {}", self.user(user)),
            Target::Group { id, method } => {
                format!("{when} goes to the group {} ({})", self.group(id), method.as_str().replace('_', " "))
            }
        }
    }

    pub(super) fn webhook(&self, event: &WebhookEvent) -> String {
        match event {
            WebhookEvent::WebhookRegistered(e) => {
                format!("registered a webhook of {} at {}", self.user(e.user), plain(&e.endpoint.origin))
            }
            WebhookEvent::WebhookChanged(e) => format!("changed the webhook, at {}", plain(&e.endpoint.origin)),
            WebhookEvent::WebhookDisabled(e) => {
                format!("the webhook is not called any more: only failures since {}", time(e.since))
            }
            WebhookEvent::WebhookEnabled(e) if e.replay => "enabled the webhook; what was kept is delivered".to_owned(),
            WebhookEvent::WebhookEnabled(_) => "enabled the webhook".to_owned(),
            WebhookEvent::WebhookDeleted(e) => format!("deleted the webhook of {}", self.user(e.user)),
        }
    }

    pub(super) fn tenant(&self, event: &TenantEvent) -> String {
        match event {
            TenantEvent::TenantCreated(e) => format!("created the inbox {} ({})", quoted(&e.name), plain(&e.slug)),
            TenantEvent::SettingsChanged(e) => format!(
                "set the inbox's settings: 72-hour window after ads {}, provider's keys {}, read receipts {}, tokens of \
                 programs {}, older tagging payloads {}, no messages after {}, messages again after {}",
                switch(e.settings.free_entry_window),
                switch(e.settings.provider_authentication),
                switch(e.settings.read_receipts),
                switch(e.settings.api_access),
                switch(e.settings.legacy_tagging_payloads),
                words(&e.settings.opt_out_keywords),
                words(&e.settings.opt_in_keywords),
            ),
        }
    }

    pub(super) fn api_token(&self, event: &ApiTokenEvent) -> String {
        match event {
            ApiTokenEvent::ApiTokenIssued(e) => {
                let abilities = e.abilities.iter().map(|ability| plain(ability)).collect::<Vec<_>>().join(", ");
                format!("issued the API token {} (…{}): {abilities}", quoted(&e.name), plain(&e.last_four))
            }
            ApiTokenEvent::ApiTokenRevoked(_) => "revoked the API token".to_owned(),
        }
    }

    pub(super) fn bulk_message(&self, event: &BulkMessageEvent) -> String {
        match event {
            BulkMessageEvent::BulkMessageCreated(e) => {
                let recipients = count(e.recipients.len(), "customer", "customers");
                format!("wants a {} sent to {recipients}", plain(&e.kind))
            }
            BulkMessageEvent::BulkRecipientErased(e) => format!("forgot the recipient {}", e.wa_id),
            BulkMessageEvent::BulkElementSettled(e) => {
                let outcome = match &e.outcome {
                    ElementOutcome::Accepted { waba_id, .. } => format!("WhatsApp took it as {}", plain(waba_id)),
                    ElementOutcome::Queued { message_id } => format!("recorded as {message_id}, to be sent"),
                    ElementOutcome::Rejected { .. } => "WhatsApp refused it".to_owned(),
                    ElementOutcome::NotAllowed => "the sender may not write there".to_owned(),
                    ElementOutcome::WindowClosed => "the 24-hour window is closed".to_owned(),
                    ElementOutcome::Invalid { reason } => plain(reason),
                };
                format!("the bulk message's part for {} is done: {outcome}", e.wa_id)
            }
        }
    }

    pub(super) fn business_profile(&self, event: &BusinessProfileEvent) -> String {
        match event {
            BusinessProfileEvent::BusinessProfileChanged(_) => "changed the business profile",
            BusinessProfileEvent::BusinessProfileSeen(_) => "the business profile at WhatsApp was another",
            BusinessProfileEvent::ProfilePhotoChanged(_) => "changed the profile photo",
            BusinessProfileEvent::ProfilePhotoSeen(_) => "the profile photo at WhatsApp was another",
            BusinessProfileEvent::ProfilePhotoRemoved(_) => "took the profile photo away",
        }
        .to_owned()
    }

    pub(super) fn media(&self, event: &MediaEvent) -> String {
        match event {
            MediaEvent::MediaStored(e) => {
                let from = match &e.origin {
                    MediaOrigin::Upload { by } => format!("uploaded by {}", self.user(*by)),
                    MediaOrigin::Message { wa_id, message_id, .. } => {
                        format!("of the message {message_id} of {}", plain(wa_id))
                    }
                };
                format!("a file is kept: {}, {} bytes, {from}", plain(&e.mime_type), e.size)
            }
            MediaEvent::MediaErased(_) => "the file was erased".to_owned(),
            MediaEvent::MediaFetchFailed(e) => {
                format!("WhatsApp's file {} cannot be had: {}", plain(&e.waba_id), plain(&e.reason))
            }
        }
    }

    pub(super) fn saved_response(&self, event: &SavedResponseEvent) -> String {
        match event {
            SavedResponseEvent::SavedResponseCreated(e) => format!("saved the response {}", quoted(&e.text)),
            SavedResponseEvent::SavedResponseDeleted(_) => "deleted the saved response".to_owned(),
        }
    }

    pub(super) fn templates(&self, event: &TemplateCatalogueEvent) -> String {
        let named = |name: &str, language: &str| format!("{} ({})", plain(name), plain(language));
        match event {
            TemplateCatalogueEvent::TemplateCreated(e) => {
                format!("created the template {}", named(&e.template.name, &e.template.language))
            }
            TemplateCatalogueEvent::TemplateSeen(e) => {
                let status = plain(&e.template.status);
                format!("WhatsApp lists the template {} as {status}", named(&e.template.name, &e.template.language))
            }
            TemplateCatalogueEvent::TemplateStatusChanged(e) => {
                format!("WhatsApp made the template {} {}", named(&e.name, &e.language), plain(&e.status))
            }
            TemplateCatalogueEvent::TemplateGone(e) => {
                format!("WhatsApp lists the template {} no more", named(&e.name, &e.language))
            }
            TemplateCatalogueEvent::TemplateDeleted(e) => format!("deleted the template {}", plain(&e.name)),
        }
    }

    pub(super) fn account(&self, event: &WhatsAppAccountEvent) -> String {
        match event {
            WhatsAppAccountEvent::AccountConnected(e) => {
                format!("connected the number {}", plain(&e.display_phone_number))
            }
            WhatsAppAccountEvent::AccountDisconnected(e) => {
                format!("disconnected the number with WhatsApp's id {}", plain(&e.phone_number_id))
            }
            WhatsAppAccountEvent::TemplateStatusReported(e) => {
                format!(
                    "WhatsApp reported the template {} ({}) as {}",
                    plain(&e.name),
                    plain(&e.language),
                    plain(&e.status)
                )
            }
            WhatsAppAccountEvent::AccountNoticeReceived(e) => format!("WhatsApp sent a notice of {}", plain(&e.field)),
        }
    }
}

fn words(keywords: &[String]) -> String {
    let quoted: Vec<String> = keywords.iter().map(|word| quoted(word)).collect();
    if quoted.is_empty() { "no word".to_owned() } else { quoted.join(" or ") }
}
