//! Every way in which a use case says no, free of any API's words.

use chatledger_domain::{
    GroupId, TagId, UserId,
    admins::AdminsRefusal,
    api_token::ApiTokenRefusal,
    bulk_message::BulkMessageRefusal,
    business_profile::BusinessProfileRefusal,
    chat::ChatRefusal,
    contact::ContactRefusal,
    group::GroupRefusal,
    media::{Class, MediaRefusal},
    password::WeakPassword,
    permission::LowersAdmin,
    rule_engine::RuleEngineRefusal,
    saved_response::SavedResponseRefusal,
    tag::TagRefusal,
    template_catalogue::TemplateCatalogueRefusal,
    tenant::TenantRefusal,
    user::UserRefusal,
    webhook::WebhookRefusal,
    whatsapp_account::WhatsAppAccountRefusal,
};

use crate::ports::{
    Unavailable,
    addresses::AddressError,
    erasures::ErasureError,
    ledger::{AppendError, LedgerError},
    vault::PasswordError,
    whatsapp_account::AccountFault,
};

/// Why a use case did not do what was asked. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// No such chat, or none that the caller may know of.
    #[error("no such chat")]
    UnknownChat,
    /// No such contact: nobody who ever wrote or was written to, or is saved.
    #[error("no such contact")]
    UnknownContact,
    /// The chat may not be read.
    #[error("the chat may not be read")]
    NotReadable,
    /// The chat may not be written to.
    #[error("the chat may not be written to")]
    NotWritable,
    /// Tags may not be used.
    #[error("tags may not be used")]
    TagsNotAllowed,
    /// The 24-hour window is closed.
    #[error("the 24-hour customer service window is closed")]
    WindowClosed,
    /// The conversation is closed or over.
    #[error("the conversation is closed or over")]
    ConversationEnded,
    /// The customer does not want to be written to first (R-CUS-5).
    #[error("the customer has opted out and gets no templates")]
    OptedOut,
    /// A customer that nobody has a chat with yet, where one is needed.
    #[error("there is no chat with the customer yet")]
    NoChatYet,
    /// Somebody else holds the assignment.
    #[error("the assignment is held by somebody else")]
    AssignmentHeld,
    /// The chat or message carries the tag already.
    #[error("tagged already")]
    AlreadyTagged,
    /// No such tagging, or no more.
    #[error("no such tagging")]
    UnknownTagging,
    /// No such saved response, or no more.
    #[error("no such saved response")]
    UnknownSavedResponse,
    /// No such bulk message.
    #[error("no such bulk message")]
    UnknownBulkMessage,
    /// A bulk message for nobody.
    #[error("a bulk message without recipients")]
    NoRecipients,
    /// A bulk message for more than this many.
    #[error("more than {0} recipients")]
    TooManyRecipients(usize),
    /// No such tag.
    #[error("no tag {0}")]
    UnknownTag(TagId),
    /// No such message, or none that the caller may know of.
    #[error("no such message")]
    UnknownMessage(String),
    /// No such user, or not an active one.
    #[error("no user {0}")]
    UnknownUser(UserId),
    /// No such group.
    #[error("no group {0}")]
    UnknownGroup(GroupId),
    /// Several users or tags have had the name; their ids.
    #[error("several have had this name: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    SeveralOfThisName(Vec<i64>),
    /// No such webhook, or one of somebody else.
    #[error("no such webhook")]
    UnknownWebhook,
    /// No such delivery, or none of this webhook.
    #[error("no such delivery")]
    UnknownDelivery,
    /// No such rule.
    #[error("no such rule")]
    UnknownRule,
    /// No such API token.
    #[error("no such API token")]
    UnknownApiToken,
    /// An address that may not be called.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The name is in use.
    #[error("the name is in use")]
    NameTaken,
    /// The caller's role does not allow it.
    #[error("not allowed")]
    NotAllowed,
    /// No such template.
    #[error("no such template")]
    UnknownTemplate,
    /// The template cannot be sent; why, for the sender (R-TPL-2).
    #[error("the template cannot be sent")]
    TemplateRefused(String),
    /// WhatsApp did not do what it was asked about the account.
    #[error(transparent)]
    Account(#[from] AccountFault),
    /// Nobody would be left to look after the inbox (R-USR-7).
    #[error("the last active admin has to stay")]
    LastAdmin,
    /// Admins cannot be lowered (R-PERM-2).
    #[error("the permissions of admins cannot be lowered")]
    AdminsUnrestricted,
    /// The three built-in groups keep their names and stay.
    #[error("a built-in group stays as it is")]
    BuiltInGroup,
    /// A password that is not the user's.
    #[error("the password is wrong")]
    WrongPassword,
    /// A password that is not good enough (R-USR-9).
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The tenant has no connected WhatsApp number.
    #[error("no WhatsApp account is connected")]
    AccountNotConnected,
    /// A WhatsApp number is connected.
    #[error("a WhatsApp number is connected")]
    AccountConnected,
    /// The WhatsApp number is connected to another inbox.
    #[error("the WhatsApp number is connected to another inbox")]
    NumberInUse,
    /// So many customers as WhatsApp allows on a day were sent templates outside the window (R-ACC-4).
    #[error("the daily limit of customers to be written to outside the 24-hour window is reached")]
    DailyLimitReached,
    /// The tenant exists.
    #[error("a tenant with this slug exists")]
    TenantExists,
    /// No such tenant.
    #[error("no such tenant")]
    UnknownTenant,
    /// The password is too long to be kept.
    #[error("the password is too long")]
    PasswordTooLong,
    /// Too many passwords wait to be hashed; soon again.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// A file without bytes.
    #[error("the file is empty")]
    EmptyFile,
    /// A file of this class may not be so large.
    #[error("the {} is too large", .0.name())]
    FileTooLarge(Class),
    /// A file of this type is not wanted here.
    #[error("a file of type {0} is not wanted")]
    FileNotWanted(String),
    /// The tenant's files fill what they may.
    #[error("the storage is full")]
    StorageFull,
    /// The caller may do it and is no user yet; nothing is recorded before it is one.
    #[error("the caller is no user yet")]
    NoUserYet,
    /// Others kept changing the same thing (R-CST-3).
    #[error("too many concurrent changes")]
    Conflict,
    /// The outside cannot be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(LedgerError),
    /// The ledger refuses what the rules allowed: a fault of ours.
    #[error("the ledger refused an append")]
    Refused(#[source] AppendError),
}

impl From<ChatRefusal> for ApplicationError {
    fn from(refusal: ChatRefusal) -> Self {
        match refusal {
            ChatRefusal::Unknown => Self::UnknownChat,
            ChatRefusal::NotReadable => Self::NotReadable,
            ChatRefusal::NotWritable => Self::NotWritable,
            ChatRefusal::TagsNotAllowed => Self::TagsNotAllowed,
            ChatRefusal::WindowClosed => Self::WindowClosed,
            ChatRefusal::NotCounted => Self::DailyLimitReached,
            ChatRefusal::ConversationEnded => Self::ConversationEnded,
            ChatRefusal::AssignmentHeld => Self::AssignmentHeld,
            ChatRefusal::AlreadyTagged => Self::AlreadyTagged,
            ChatRefusal::UnknownTagging => Self::UnknownTagging,
        }
    }
}

impl From<ContactRefusal> for ApplicationError {
    fn from(refusal: ContactRefusal) -> Self {
        match refusal {}
    }
}

impl From<MediaRefusal> for ApplicationError {
    fn from(refusal: MediaRefusal) -> Self {
        match refusal {}
    }
}

impl From<BusinessProfileRefusal> for ApplicationError {
    fn from(refusal: BusinessProfileRefusal) -> Self {
        match refusal {}
    }
}

impl From<TemplateCatalogueRefusal> for ApplicationError {
    fn from(TemplateCatalogueRefusal::Unknown: TemplateCatalogueRefusal) -> Self {
        Self::UnknownTemplate
    }
}

impl From<SavedResponseRefusal> for ApplicationError {
    fn from(SavedResponseRefusal::Unknown: SavedResponseRefusal) -> Self {
        Self::UnknownSavedResponse
    }
}

impl From<BulkMessageRefusal> for ApplicationError {
    fn from(BulkMessageRefusal::Unknown: BulkMessageRefusal) -> Self {
        Self::UnknownBulkMessage
    }
}

impl From<TagRefusal> for ApplicationError {
    fn from(TagRefusal::Unknown: TagRefusal) -> Self {
        Self::UnknownTag(TagId::default())
    }
}

impl From<UserRefusal> for ApplicationError {
    fn from(UserRefusal::Unknown: UserRefusal) -> Self {
        Self::UnknownUser(UserId::default())
    }
}

impl From<GroupRefusal> for ApplicationError {
    fn from(refusal: GroupRefusal) -> Self {
        match refusal {
            GroupRefusal::Unknown => Self::UnknownGroup(GroupId::default()),
            GroupRefusal::AdminsUnrestricted => Self::AdminsUnrestricted,
            GroupRefusal::BuiltIn => Self::BuiltInGroup,
        }
    }
}

impl From<AdminsRefusal> for ApplicationError {
    fn from(AdminsRefusal::Last: AdminsRefusal) -> Self {
        Self::LastAdmin
    }
}

impl From<LowersAdmin> for ApplicationError {
    fn from(LowersAdmin: LowersAdmin) -> Self {
        Self::AdminsUnrestricted
    }
}

impl From<TenantRefusal> for ApplicationError {
    fn from(refusal: TenantRefusal) -> Self {
        match refusal {
            TenantRefusal::Unknown => Self::UnknownTenant,
            TenantRefusal::Exists => Self::TenantExists,
        }
    }
}

impl From<WebhookRefusal> for ApplicationError {
    fn from(WebhookRefusal::Unknown: WebhookRefusal) -> Self {
        Self::UnknownWebhook
    }
}

impl From<RuleEngineRefusal> for ApplicationError {
    fn from(RuleEngineRefusal::UnknownRule: RuleEngineRefusal) -> Self {
        Self::UnknownRule
    }
}

impl From<ApiTokenRefusal> for ApplicationError {
    fn from(ApiTokenRefusal::Unknown: ApiTokenRefusal) -> Self {
        Self::UnknownApiToken
    }
}

impl From<WhatsAppAccountRefusal> for ApplicationError {
    fn from(WhatsAppAccountRefusal::AlreadyConnected: WhatsAppAccountRefusal) -> Self {
        Self::AccountConnected
    }
}

impl From<LedgerError> for ApplicationError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Unavailable(source) => Self::Unavailable(Unavailable { what: "the ledger", source }),
            unreadable => Self::Ledger(unreadable),
        }
    }
}

impl From<ErasureError> for ApplicationError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Unavailable(error) => Self::Unavailable(error),
            ErasureError::Ledger(error) => error.into(),
        }
    }
}

impl From<AppendError> for ApplicationError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Unavailable(source) => Self::Unavailable(Unavailable { what: "the ledger", source }),
            AppendError::Claimed(_) => Self::NameTaken,
            AppendError::Conflict(_) | AppendError::Repeated(_) => Self::Conflict,
            refused => Self::Refused(refused),
        }
    }
}

impl From<PasswordError> for ApplicationError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::TooLong => Self::PasswordTooLong,
            PasswordError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}
