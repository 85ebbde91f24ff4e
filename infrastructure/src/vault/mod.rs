//! Sealing: secrets that must be given back are kept encrypted, each bound to the row it stands in.

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use chatledger_domain::TenantId;
use rand::Rng;

const NONCE: usize = 24;

/// The key under which every secret is sealed. Whoever has it and the database has the secrets.
#[derive(Clone)]
pub struct MasterKey(XChaCha20Poly1305);

/// A master key that is none.
#[derive(Debug, thiserror::Error)]
#[error("the master key must be 32 bytes, as 64 hexadecimal digits or in base64")]
pub struct NotAKey;

/// A sealed secret that does not open: another master key, or a row that was moved or altered.
#[derive(Debug, thiserror::Error)]
#[error("a secret does not open: it was sealed under another master key, or its row was moved or altered")]
pub struct DoesNotOpen;

/// The row in which a sealed secret stands. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whose row.
    pub tenant: TenantId,
    /// Of which table.
    pub table: &'a str,
    /// Which row.
    pub row: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.tenant.0.as_bytes().to_vec();
        for part in [self.table, self.row] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl MasterKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&bytes.into()))
    }

    /// Reads a key: 64 hexadecimal digits or base64.
    ///
    /// # Errors
    /// When it is not 32 bytes.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let bytes = hex::decode(text).or_else(|_| BASE64_STANDARD.decode(text)).map_err(|_| NotAKey)?;
        bytes.try_into().map(Self::new).map_err(|_| NotAKey)
    }

    /// Seals a secret for its place.
    ///
    /// # Errors
    /// When the secret is too long to be one.
    pub fn seal(&self, place: Place<'_>, secret: &str) -> Result<Vec<u8>, DoesNotOpen> {
        let mut sealed = vec![0; NONCE];
        rand::rng().fill(&mut sealed[..]);
        let payload = Payload { msg: secret.as_bytes(), aad: &place.bytes() };
        let text = self.0.encrypt(XNonce::from_slice(&sealed), payload).map_err(|_| DoesNotOpen)?;
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When it was sealed under another key or for another place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, DoesNotOpen> {
        let (nonce, text) = sealed.split_at_checked(NONCE).ok_or(DoesNotOpen)?;
        let payload = Payload { msg: text, aad: &place.bytes() };
        let secret = self.0.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| DoesNotOpen)?;
        String::from_utf8(secret).map_err(|_| DoesNotOpen)
    }
}

/// The keys in use: everything is sealed under the newest, and what older ones have sealed still opens.
#[derive(Clone, Debug)]
pub struct Keyring {
    newest: MasterKey,
    older: Vec<MasterKey>,
}

impl Keyring {
    /// The key that seals, and those before it.
    #[must_use]
    pub fn new(newest: MasterKey, older: Vec<MasterKey>) -> Self {
        Self { newest, older }
    }

    /// Seals a secret for its place under the newest key.
    ///
    /// # Errors
    /// When the secret is too long to be one.
    pub fn seal(&self, place: Place<'_>, secret: &str) -> Result<Vec<u8>, DoesNotOpen> {
        self.newest.seal(place, secret)
    }

    /// Opens what was sealed for this place under any of the keys.
    ///
    /// # Errors
    /// When it was sealed under none of them, or for another place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<String, DoesNotOpen> {
        let opened = self.newest.open(place, sealed);
        let older = || self.older.iter().find_map(|key| key.open(place, sealed).ok()).ok_or(DoesNotOpen);
        opened.or_else(|_| older())
    }

    /// Whether it was sealed under the newest key.
    #[must_use]
    pub fn is_newest(&self, place: Place<'_>, sealed: &[u8]) -> bool {
        self.newest.open(place, sealed).is_ok()
    }
}

impl From<MasterKey> for Keyring {
    fn from(key: MasterKey) -> Self {
        Self::new(key, Vec::new())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_own_place_only() {
        let key = MasterKey::new([7; 32]);
        let place = Place { tenant: TenantId::of_slug("a"), table: "tokens", row: "1" };
        let sealed = key.seal(place, "secret").unwrap();
        assert_eq!(key.open(place, &sealed).unwrap(), "secret");
        for other in [
            Place { row: "2", ..place },
            Place { table: "secrets", ..place },
            Place { tenant: TenantId::of_slug("b"), ..place },
        ] {
            assert!(key.open(other, &sealed).is_err());
        }
        assert!(MasterKey::new([8; 32]).open(place, &sealed).is_err());
        assert!(key.open(place, &sealed[..10]).is_err());
    }

    #[test]
    fn what_an_older_key_has_sealed_opens_and_is_sealed_anew_under_the_newest() {
        let place = Place { tenant: TenantId::of_slug("a"), table: "vault.tokens", row: "1" };
        let [old, new] = [MasterKey::new([1; 32]), MasterKey::new([2; 32])];
        let before = old.seal(place, "secret").unwrap();
        let keys = Keyring::new(new.clone(), vec![old.clone()]);
        assert_eq!(keys.open(place, &before).unwrap(), "secret");
        assert!(!keys.is_newest(place, &before));
        let anew = keys.seal(place, "secret").unwrap();
        assert!(keys.is_newest(place, &anew) && old.open(place, &anew).is_err());
        assert!(Keyring::from(new).open(place, &before).is_err());
    }

    #[test]
    fn a_key_is_read_from_either_form() {
        assert!(MasterKey::parse(&"0f".repeat(32)).is_ok());
        assert!(MasterKey::parse(&BASE64_STANDARD.encode([9; 32])).is_ok());
        assert!(MasterKey::parse("short").is_err());
    }
}
