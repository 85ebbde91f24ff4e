//! Identifiers as their own types, so that none fits where another belongs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = <$inner as std::str::FromStr>::Err;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// One inbox. Leads every key of every table.
    TenantId(Uuid)
);
id!(
    /// Our id of a message, in either direction; stable from the moment of acceptance.
    MessageId(Uuid)
);
id!(
    /// Our id of a file, uploaded or sent by a customer.
    MediaId(Uuid)
);
id!(
    /// Under which a file's bytes are kept; new each time that bytes are written.
    BlobId(Uuid)
);
id!(
    /// An event's place in its tenant's ledger: 1, 2, 3 … without holes. 0 stands before the first event.
    Position(i64)
);
id!(
    /// A user's id on the wire: the position of its `UserCreated`.
    UserId(i64)
);
id!(
    /// A group's id on the wire: the position of its `GroupCreated`.
    GroupId(i64)
);
id!(
    /// A tag's id on the wire: the position of its `TagCreated`.
    TagId(i64)
);
id!(
    /// A chat or message tagging's id on the wire: the position of its `ChatTagged` or `MessageTagged` (R-TAG-7).
    TaggingId(i64)
);

id!(
    /// A webhook's id on the wire: the position of its `WebhookRegistered`.
    WebhookId(i64)
);
id!(
    /// A rule's id on the wire: the position of its `RuleAdded`.
    RuleId(i64)
);
id!(
    /// An API token's id on the wire: the position of its `ApiTokenIssued`.
    ApiTokenId(i64)
);
id!(
    /// Where the vault keeps something that an event refers to and must not hold.
    SecretId(Uuid)
);

id!(
    /// One connection of a WhatsApp number, as the Service API names it (R-ACC-2).
    AccountId(Uuid)
);

/// Namespace of every identifier that is derived from a name.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c1f_3f0e_52a4_4bd0_9a3e_7d1c_0b5e_11a7);

impl TenantId {
    /// The tenant of a slug. Derived, so that two tenants can never share one. Of a slug that is an id as
    /// [`Self::slug`] writes it, that id.
    #[must_use]
    pub fn of_slug(slug: &str) -> Self {
        let as_id = Uuid::try_parse(slug).ok().filter(|id| id.hyphenated().to_string() == slug);
        Self(as_id.unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, slug.as_bytes())))
    }

    /// The slug of a tenant that was made under an id of somebody's choice (R-ACC-5): the id itself.
    #[must_use]
    pub fn slug(&self) -> String {
        self.0.hyphenated().to_string()
    }

    /// Eight hexadecimal digits that lead every secret issued for this tenant, so that the secret alone names the
    /// few tenants it can belong to and every look-up can start with `tenant_id`.
    #[must_use]
    pub fn tag(&self) -> String {
        self.0.simple().to_string()[..8].to_owned()
    }
}

impl MessageId {
    /// The message of a client's own id (`pending_message_unique_id`): the same id yields the same message (R-MSG-6).
    #[must_use]
    pub fn of_pending(tenant: TenantId, user: UserId, wa_id: &str, pending: &str) -> Self {
        Self(Uuid::new_v5(&tenant.0, format!("{user}\n{wa_id}\n{pending}").as_bytes()))
    }
}

impl MediaId {
    /// The file that WhatsApp knows under this id. Derived, so that a link to it works before it is fetched.
    #[must_use]
    pub fn of_waba(tenant: TenantId, waba_id: &str) -> Self {
        Self(Uuid::new_v5(&tenant.0, format!("whatsapp media\n{waba_id}").as_bytes()))
    }
}

impl AccountId {
    /// The connection that was recorded at this position. Derived, so that nothing has to be kept.
    #[must_use]
    pub fn of_connection(tenant: TenantId, connected_at: Position) -> Self {
        Self(Uuid::new_v5(&tenant.0, format!("whatsapp account\n{connected_at}").as_bytes()))
    }
}

id!(
    /// A conversation's id on the wire.
    ConversationId(Uuid)
);

impl ConversationId {
    /// The conversation that a message opened. Its first eight digits are the tenant's [tag](TenantId::tag), so that the
    /// id alone names the few tenants it can belong to.
    #[must_use]
    pub fn opened_by(tenant: TenantId, message: MessageId) -> Self {
        let hash = Uuid::new_v5(&tenant.0, format!("conversation\n{message}").as_bytes());
        let mut bytes = hash.into_bytes();
        bytes[..4].copy_from_slice(&tenant.0.as_bytes()[..4]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// See [`TenantId::tag`].
    #[must_use]
    pub fn tag(&self) -> String {
        self.0.simple().to_string()[..8].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_acc_5_a_slug_that_is_an_id_is_the_tenants_id() {
        let id = TenantId(Uuid::from_u128(0x550e_8400_e29b_41d4_a716_4466_5544_0000));
        assert_eq!(TenantId::of_slug(&id.slug()), id);
        // Only one spelling, so that no two slugs are the same tenant.
        for other in [id.slug().to_uppercase(), id.0.simple().to_string(), format!("{{{}}}", id.slug())] {
            assert_ne!(TenantId::of_slug(&other), id, "{other}");
        }
        let acme = TenantId::of_slug("acme");
        assert_eq!((acme.0.get_version_num(), acme), (5, TenantId::of_slug("acme")));
    }

    #[test]
    fn a_conversations_id_leads_to_its_tenant() {
        let (acme, bolt) = (TenantId::of_slug("acme"), TenantId::of_slug("bolt"));
        let message = MessageId(Uuid::from_u128(7));
        let id = ConversationId::opened_by(acme, message);
        assert_eq!((id.tag(), id), (acme.tag(), ConversationId::opened_by(acme, message)));
        assert_ne!(id, ConversationId::opened_by(bolt, message));
        assert_eq!(id.0.get_version_num(), 8);
    }
}
