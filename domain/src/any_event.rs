//! Every event of every aggregate as one type, for readers of the whole ledger.

use crate::{
    admins::AdminsEvent,
    api_token::ApiTokenEvent,
    bulk_message::BulkMessageEvent,
    business_profile::BusinessProfileEvent,
    chat::ChatEvent,
    contact::ContactEvent,
    decider::{Decider, Event, UnreadableEvent},
    group::GroupEvent,
    media::MediaEvent,
    rule_engine::RuleEngineEvent,
    saved_response::SavedResponseEvent,
    tag::TagEvent,
    template_catalogue::TemplateCatalogueEvent,
    tenant::TenantEvent,
    user::UserEvent,
    wa_id::WaId,
    webhook::WebhookEvent,
    whatsapp_account::WhatsAppAccountEvent,
};

macro_rules! any_event {
    ($($variant:ident($event:ty) of $state:ty),+ $(,)?) => {
        /// One event of any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyEvent {
            $(#[doc = concat!("An event of a ", stringify!($variant), ".")] $variant($event)),+
        }

        $(impl From<$event> for AnyEvent {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        })+

        impl AnyEvent {
            /// The stored names of all aggregate types.
            pub const AGGREGATE_TYPES: &[&str] = &[$(<$state as Decider>::TYPE),+];

            /// The aggregate type as a constant, where the name is one.
            #[must_use]
            pub fn aggregate_type(name: &str) -> Option<&'static str> {
                Self::AGGREGATE_TYPES.iter().find(|known| **known == name).copied()
            }

            /// Reads a stored event.
            ///
            /// # Errors
            /// When the aggregate, the name or the version is unknown, or the payload does not fit.
            pub fn read(aggregate: &str, name: &str, version: &str, payload: &str) -> Result<Self, UnreadableEvent> {
                match aggregate {
                    $(<$state as Decider>::TYPE => <$event>::read(name, version, payload).map(Self::$variant),)+
                    _ => Err(UnreadableEvent::Unknown { name: format!("{aggregate}.{name}"), version: version.into() }),
                }
            }

            /// The stored name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.name()),+ }
            }

            /// The stored version.
            #[must_use]
            pub fn version(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.version()),+ }
            }

            /// The stored payload, JSON.
            ///
            /// # Errors
            /// When a value has no JSON form.
            pub fn payload(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(event) => event.payload()),+ }
            }

            /// The JSON schema of every event: aggregate, name, version, schema.
            #[must_use]
            pub fn schemas() -> Vec<(&'static str, &'static str, &'static str, schemars::Schema)> {
                let mut all = Vec::new();
                $(all.extend(<$event>::schemas().into_iter().map(|(name, version, schema)| {
                    (<$state as Decider>::TYPE, name, version, schema)
                }));)+
                all
            }

            /// Every version of an event that came before its present one: aggregate, name, version.
            #[must_use]
            pub fn earlier_versions() -> Vec<(&'static str, &'static str, &'static str)> {
                let mut all = Vec::new();
                $(all.extend(<$event>::earlier_versions().into_iter().map(|(name, version)| {
                    (<$state as Decider>::TYPE, name, version)
                }));)+
                all
            }
        }
    };
}

impl AnyEvent {
    /// What is left of the event when a customer is forgotten that it speaks of; `None` where nothing is to be blanked.
    /// Chats, contacts and media are asked for where they are that customer's.
    #[must_use]
    pub fn redacted(&self, wa_id: &WaId) -> Option<Self> {
        let redacted = match self {
            Self::Chat(event) => Self::Chat(event.redacted()),
            Self::Contact(event) => Self::Contact(event.redacted()),
            Self::Media(event) => Self::Media(event.redacted()),
            Self::BulkMessage(event) => Self::BulkMessage(event.redacted(wa_id)),
            Self::WhatsAppAccount(event) => Self::WhatsAppAccount(event.redacted(wa_id)),
            _ => return None,
        };
        (redacted != *self).then_some(redacted)
    }
}

impl AnyEvent {
    /// Whether nothing is left of a customer in an event that is said to be blanked. Of what speaks of several customers
    /// it cannot be told without knowing who was forgotten.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Chat(event) => event.redacted() == *event,
            Self::Contact(event) => event.redacted() == *event,
            Self::Media(event) => event.redacted() == *event,
            _ => true,
        }
    }
}

any_event! {
    Admins(AdminsEvent) of crate::admins::Admins,
    BusinessProfile(BusinessProfileEvent) of crate::business_profile::BusinessProfile,
    ApiToken(ApiTokenEvent) of crate::api_token::ApiToken,
    BulkMessage(BulkMessageEvent) of crate::bulk_message::BulkMessage,
    Chat(ChatEvent) of crate::chat::Chat,
    Contact(ContactEvent) of crate::contact::Contact,
    Group(GroupEvent) of crate::group::Group,
    Media(MediaEvent) of crate::media::Media,
    RuleEngine(RuleEngineEvent) of crate::rule_engine::RuleEngine,
    SavedResponse(SavedResponseEvent) of crate::saved_response::SavedResponse,
    Tag(TagEvent) of crate::tag::Tag,
    TemplateCatalogue(TemplateCatalogueEvent) of crate::template_catalogue::TemplateCatalogue,
    Tenant(TenantEvent) of crate::tenant::Tenant,
    User(UserEvent) of crate::user::User,
    Webhook(WebhookEvent) of crate::webhook::WebhookSubscription,
    WhatsAppAccount(WhatsAppAccountEvent) of crate::whatsapp_account::WhatsAppAccount,
}
