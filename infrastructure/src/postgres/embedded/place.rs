//! Where a cluster lives and which user runs it.
//!
//! Postgres refuses to run as root, so when we are root another user runs it, who must be able to enter the folder.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use rand::Rng;
use sha2::{Digest, Sha256};

use super::EmbeddedError;

/// Where clusters of root live whose data folder the other user cannot enter.
const ELSEWHERE: &str = "/var/lib/chatledger";
/// How much of the log is worth showing.
const TAIL: usize = 4_000;

/// A user by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The folder of a cluster, and the user that runs it where that is not us.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) account: Option<Account>,
}

impl Place {
    /// The place for this data folder: the recorded one, else a new one, with its password.
    pub(super) fn of(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let mut place = Self::recorded(data_dir)?;
        if place.account.is_some_and(|account| !may_enter(data_dir, account)) && !place.folder.exists() {
            place.folder = elsewhere(data_dir)?;
            place.own_folder()?;
            write_whole(&pointer(data_dir), place.folder.to_string_lossy().as_bytes(), 0o644)?;
        }
        place.own_folder()?;
        if !place.folder.join("password").exists() {
            let password = hex::encode(rand::rng().random::<[u8; 24]>());
            write_whole(&place.folder.join("password"), password.as_bytes(), 0o600)?;
        }
        place.own(&place.folder.join("password"))?;
        Ok(place)
    }

    /// Where the cluster is, if there is one.
    pub(super) fn recorded(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let pointer = pointer(data_dir);
        let folder = match fs::read_to_string(&pointer) {
            Ok(text) => {
                let folder = PathBuf::from(text.trim());
                if !folder.is_dir() {
                    return Err(EmbeddedError::Gone { pointer, cluster: folder });
                }
                folder
            }
            Err(_) => data_dir.join("postgres"),
        };
        let account = if we_are_root() { Some(owner(&folder.join("cluster")).unwrap_or_else(account)) } else { None };
        Ok(Self { folder, account })
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    pub(super) fn password(&self) -> Result<String, EmbeddedError> {
        let path = self.folder.join("password");
        fs::read_to_string(&path).map_err(EmbeddedError::io(format!("reading {}", path.display())))
    }

    pub(super) fn log_tail(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(TAIL)..]).into_owned()
    }

    fn own_folder(&self) -> Result<(), EmbeddedError> {
        let what = || format!("preparing {}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(EmbeddedError::io(what()))?;
        fs::set_permissions(&self.folder, Permissions::from_mode(0o700)).map_err(EmbeddedError::io(what()))?;
        self.own(&self.folder)
    }

    /// Gives a path to the user that runs the cluster.
    fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Some(account) = self.account else { return Ok(()) };
        chown(path, Some(account.uid), Some(account.gid))
            .map_err(EmbeddedError::io(format!("giving {} to the user who runs Postgres", path.display())))
    }
}

fn pointer(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.path")
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, text: &[u8], mode: u32) -> Result<(), EmbeddedError> {
    let new = path.with_extension("new");
    let written = || {
        let mut file = fs::File::options().create(true).truncate(true).write(true).mode(mode).open(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(EmbeddedError::io(format!("writing {}", path.display())))
}

/// A new folder outside the data folder. Its name shows where it belongs; the rest of it is chance, so that a data
/// folder that was removed and made again does not find what its forerunner left.
fn elsewhere(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let origin = hex::encode(&Sha256::digest(data_dir.as_os_str().as_encoded_bytes())[..8]);
    let name = format!("{origin}-{}", hex::encode(rand::rng().random::<[u8; 4]>()));
    let temporary = std::env::temp_dir().join("chatledger");
    for root in [Path::new(ELSEWHERE), &temporary] {
        if fs::create_dir_all(root).and_then(|()| fs::set_permissions(root, Permissions::from_mode(0o755))).is_ok() {
            return Ok(root.join(name));
        }
    }
    Err(EmbeddedError::io(format!("making a folder in {ELSEWHERE}"))(std::io::ErrorKind::PermissionDenied.into()))
}

fn we_are_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|said| said.stdout.trim_ascii() == b"0")
}

/// The user whose cluster this is already.
fn owner(cluster: &Path) -> Option<Account> {
    let metadata = fs::metadata(cluster).ok()?;
    (metadata.uid() != 0).then(|| Account { uid: metadata.uid(), gid: metadata.gid() })
}

/// The user that runs a new cluster of root's.
fn account() -> Account {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let nobody = Account { uid: 65_534, gid: 65_534 };
    ["postgres", "nobody"].iter().find_map(|name| account_of(&users, name)).unwrap_or(nobody)
}

fn account_of(users: &str, name: &str) -> Option<Account> {
    let mut fields = users.lines().map(|line| line.split(':')).find_map(|mut fields| {
        let found = fields.next() == Some(name);
        found.then_some(fields)
    })?;
    Some(Account { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// Whether a user may walk down to this folder.
fn may_enter(folder: &Path, account: Account) -> bool {
    folder.ancestors().all(|folder| {
        fs::metadata(folder).is_ok_and(|metadata| {
            let bit = if metadata.uid() == account.uid {
                0o100
            } else if metadata.gid() == account.gid {
                0o010
            } else {
                0o001
            };
            metadata.mode() & bit != 0
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres:x:105:111:,,,:/var/lib/postgresql:/bin/bash\nbad\n";
        assert_eq!(account_of(users, "postgres"), Some(Account { uid: 105, gid: 111 }));
        assert_eq!(account_of(users, "bad"), None);
        assert_eq!(account_of(users, "nobody"), None);
    }

    #[test]
    fn a_private_folder_anywhere_above_keeps_others_out() {
        let top = std::env::temp_dir().join(format!("enter-{}", uuid::Uuid::new_v4()));
        let inner = top.join("inner");
        fs::create_dir_all(&inner).unwrap();
        let stranger = Account { uid: 4_000_000, gid: 4_000_000 };
        fs::set_permissions(&top, Permissions::from_mode(0o755)).unwrap();
        assert!(may_enter(&inner, stranger));
        fs::set_permissions(&top, Permissions::from_mode(0o700)).unwrap();
        assert!(!may_enter(&inner, stranger));
        let metadata = fs::metadata(&top).unwrap();
        assert!(may_enter(&top, Account { uid: metadata.uid(), gid: metadata.gid() }));
        fs::remove_dir_all(&top).unwrap();
    }
}
