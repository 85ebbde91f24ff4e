//! Checkpoints: what a ledger came to at a position, signed, to be kept where whoever can write to the database cannot.
//! A later ledger that was altered before the position, or ends before it, no longer agrees with them.

use chatledger_domain::{Position, TenantId};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{CheckpointKey, Digest, PublicKey};
use crate::postgres::Mark;

/// What the form is called in which they are written.
const FORMAT: &str = "chatledger-checkpoint-1";

/// A signed checkpoint, as it is written, JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    format: String,
    /// Whose ledger.
    pub tenant_id: TenantId,
    /// The tenant's short name, for people.
    pub tenant: String,
    /// How many events it stands for.
    pub position: Position,
    /// The hash of the last of them.
    pub hash: Digest,
    /// The root of the tree over all of them.
    pub root: Digest,
    /// When it was made, RFC 3339 in UTC, whole seconds.
    pub time: String,
    /// The key that signed it.
    pub public_key: PublicKey,
    /// Ed25519, of [`Checkpoint::statement`], base64.
    signature: String,
}

/// Why a checkpoint says nothing.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It has another form.
    #[error("this is no checkpoint of this program")]
    Form,
    /// Another key signed it.
    #[error("it was signed with another key, {0}")]
    OtherKey(Box<PublicKey>),
    /// The signature is not of what it says.
    #[error("the signature is wrong: it was altered")]
    Signature,
}

impl Checkpoint {
    /// Signs what a ledger comes to.
    #[must_use]
    pub fn sign(key: &CheckpointKey, tenant: (TenantId, &str), mark: &Mark, now: DateTime<Utc>) -> Self {
        let mut checkpoint = Self {
            format: FORMAT.to_owned(),
            tenant_id: tenant.0,
            tenant: tenant.1.to_owned(),
            position: mark.position,
            hash: Digest(mark.hash),
            root: Digest(mark.root),
            time: now.to_rfc3339_opts(SecondsFormat::Secs, true),
            public_key: key.public(),
            signature: String::new(),
        };
        checkpoint.signature = key.sign(checkpoint.statement().as_bytes());
        checkpoint
    }

    /// What is signed: seven lines, each the name of a field, a colon, a space, its value and a line feed.
    #[must_use]
    pub fn statement(&self) -> String {
        let Self { format, tenant_id, tenant, position, hash, root, time, .. } = self;
        format!(
            "format: {format}\ntenant_id: {tenant_id}\ntenant: {tenant}\nposition: {position}\nhash: {hash}\n\
             root: {root}\ntime: {time}\n"
        )
    }

    /// Checks the signature, against this key where one is given.
    ///
    /// # Errors
    /// When it was altered, or another key signed it.
    pub fn check(&self, key: Option<&PublicKey>) -> Result<(), CheckpointError> {
        // A line feed in a text would make two statements look alike.
        let lines = [&self.tenant, &self.time].iter().all(|text| !text.contains(char::is_control));
        if self.format != FORMAT || !lines {
            return Err(CheckpointError::Form);
        }
        if key.is_some_and(|key| *key != self.public_key) {
            return Err(CheckpointError::OtherKey(Box::new(self.public_key)));
        }
        let genuine = self.public_key.verifies(self.statement().as_bytes(), &self.signature);
        if genuine { Ok(()) } else { Err(CheckpointError::Signature) }
    }

    /// Whether the ledger that came to this is the one that was signed.
    #[must_use]
    pub fn agrees_with(&self, mark: &Mark) -> bool {
        (self.position, self.hash.0, self.root.0) == (mark.position, mark.hash, mark.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let mark = Mark { position: Position(3), hash: [1; 32], root: [2; 32] };
        let time = DateTime::from_timestamp(1_767_693_600, 999).expect("a time");
        Checkpoint::sign(&CheckpointKey::of_bytes(&[7; 32]), (TenantId::of_slug("demo"), "demo"), &mark, time)
    }

    #[test]
    fn the_statement_and_its_signature_are_frozen() {
        let (ones, twos) = ("01".repeat(32), "02".repeat(32));
        assert_eq!(
            checkpoint().statement(),
            format!(
                "format: chatledger-checkpoint-1\ntenant_id: {}\ntenant: demo\nposition: 3\nhash: {ones}\nroot: {twos}\n\
                 time: 2026-01-06T10:00:00Z\n",
                TenantId::of_slug("demo")
            )
        );
        let again: Checkpoint = serde_json::from_str(&serde_json::to_string(&checkpoint()).unwrap()).unwrap();
        assert_eq!(again, checkpoint());
    }

    #[test]
    fn nothing_of_it_can_be_altered() {
        let alterations: [fn(&mut Checkpoint); 8] = [
            |c| c.format = "chatledger-checkpoint-2".to_owned(),
            |c| c.tenant_id = TenantId::of_slug("other"),
            |c| c.tenant = "other".to_owned(),
            |c| c.position = Position(4),
            |c| c.hash.0[0] ^= 1,
            |c| c.root.0[31] ^= 1,
            |c| c.time = "2026-01-06T10:00:01Z".to_owned(),
            |c| c.public_key = CheckpointKey::of_bytes(&[8; 32]).public(),
        ];
        let key = checkpoint().public_key;
        checkpoint().check(Some(&key)).unwrap();
        for (index, alter) in alterations.iter().enumerate() {
            let mut altered = checkpoint();
            alter(&mut altered);
            assert!(altered.check(None).is_err(), "alteration {index}");
        }
    }

    #[test]
    fn whoever_signs_with_a_key_of_its_own_is_found_out() {
        let other = CheckpointKey::of_bytes(&[8; 32]).public();
        assert!(matches!(checkpoint().check(Some(&other)), Err(CheckpointError::OtherKey(_))));
    }
}
