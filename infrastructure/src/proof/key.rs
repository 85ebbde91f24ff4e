//! The key that signs checkpoints, Ed25519: the private half in a file that only its owner reads, or in the
//! configuration; the public half to be given to everybody.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    str::FromStr,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chatledger_application::ports::clock::Random;
use ed25519_dalek::{
    Signature, Signer, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, spki::der::pem::LineEnding},
};
use serde::{Deserialize, Serialize};

/// Why a key is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is none.
    #[error("there is no key {0}; `ledger key create` makes one")]
    Missing(String),
    /// There is one already, which is never written over: checkpoints that it signed are checked with it.
    #[error("{0} is there already and is left as it is")]
    Exists(String),
    /// Others may read it.
    #[error("{0} can be read by others, who could sign with it; `chmod 600` it, or better make another")]
    Open(String),
    /// It cannot be read or written.
    #[error("{0} cannot be used")]
    File(String, #[source] io::Error),
    /// It is no such key.
    #[error("{0} is no Ed25519 key")]
    Malformed(String),
}

/// A private key. It has no `Debug` and no `Display`.
pub struct CheckpointKey(SigningKey);

impl CheckpointKey {
    /// The key of these 32 bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// Makes a key and writes it to a new file, PKCS#8 in PEM, which only its owner may read.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn create(file: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        let name = || file.display().to_string();
        hex::decode_to_slice(random.hex(32), &mut bytes).map_err(|_| KeyError::Malformed("chance".to_owned()))?;
        let key = Self::of_bytes(&bytes);
        let pem = key.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Malformed(name()))?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|error| KeyError::File(name(), error))?;
        }
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        let written = opened.and_then(|mut file| {
            file.write_all(pem.as_bytes())?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyError::Exists(name())),
            Err(error) => Err(KeyError::File(name(), error)),
        }
    }

    /// Reads the key of a file, PKCS#8 in PEM; one that others may read is refused.
    ///
    /// # Errors
    /// When there is none, or it is not fit.
    pub fn read(file: &Path) -> Result<Self, KeyError> {
        let name = || file.display().to_string();
        let fault = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => KeyError::Missing(name()),
            _ => KeyError::File(name(), error),
        };
        let mode = fs::metadata(file).map_err(fault)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Open(name()));
        }
        let pem = fs::read_to_string(file).map_err(fault)?;
        SigningKey::from_pkcs8_pem(&pem).map(Self).map_err(|_| KeyError::Malformed(name()))
    }

    /// The half that everybody may have.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of these bytes, base64.
    pub(super) fn sign(&self, statement: &[u8]) -> String {
        STANDARD.encode(self.0.sign(statement).to_bytes())
    }
}

/// A public key. As text: its SubjectPublicKeyInfo in base64, which is PEM without its first and last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// In PEM, as openssl reads it.
    #[must_use]
    pub fn pem(&self) -> String {
        // The form of a key of fixed size: it cannot fail.
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// Whether this is the signature of these bytes.
    pub(super) fn verifies(&self, statement: &[u8], signature: &str) -> bool {
        let signature = STANDARD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        signature.is_some_and(|signature| self.0.verify_strict(statement, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pem = self.pem();
        pem.lines().filter(|line| !line.starts_with("-----")).try_for_each(|line| f.write_str(line))
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    /// Reads PEM, or what it says in base64.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).ok();
        let key = der.and_then(|der| VerifyingKey::from_public_key_der(&der).ok());
        key.map(Self).ok_or_else(|| KeyError::Malformed("the public key".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemRandom;

    #[test]
    fn a_key_is_kept_for_its_owner_alone_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new").join("key.pem");
        assert!(matches!(CheckpointKey::read(&file), Err(KeyError::Missing(_))));
        let made = CheckpointKey::create(&file, &SystemRandom).unwrap().public();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(CheckpointKey::read(&file).unwrap().public(), made);
        assert!(matches!(CheckpointKey::create(&file, &SystemRandom), Err(KeyError::Exists(_))));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(CheckpointKey::read(&file), Err(KeyError::Open(_))));
    }

    #[test]
    fn a_public_key_is_read_as_it_is_written() {
        let key = CheckpointKey::of_bytes(&[7; 32]).public();
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
        assert_eq!(key.pem().parse::<PublicKey>().unwrap(), key);
        assert!("MCowBQYDK2VwAyEA".parse::<PublicKey>().is_err());
    }

    #[test]
    fn a_signature_is_of_its_bytes_and_its_key_alone() {
        let (key, other) = (CheckpointKey::of_bytes(&[7; 32]), CheckpointKey::of_bytes(&[8; 32]));
        let signature = key.sign(b"statement");
        assert!(key.public().verifies(b"statement", &signature));
        assert!(!key.public().verifies(b"statemenT", &signature));
        assert!(!other.public().verifies(b"statement", &signature));
        assert!(!key.public().verifies(b"statement", "not base64"));
    }
}
