//! Where PostgreSQL is installed: the newest version that fits.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::EmbeddedError;

/// The oldest version that is supported.
const OLDEST: u32 = 14;

/// Folders where packages put the programs; `*` stands for one part of a name.
const USUAL: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/opt/postgresql*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The folder of the programs for this cluster: of its own version where it exists, else of the newest.
pub(super) fn find(only: Option<&Path>, cluster: &Path) -> Result<PathBuf, EmbeddedError> {
    let folders = match only {
        Some(folder) => vec![folder.to_owned()],
        None => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).chain(USUAL.iter().flat_map(|pattern| expand(pattern))).collect()
        }
    };
    let found: BTreeMap<u32, PathBuf> = (folders.iter().filter_map(|folder| real_folder(folder)))
        .filter_map(|folder| Some((version(&folder)?, folder)))
        .rev()
        .collect();
    let seen = || match (only, found.is_empty()) {
        (Some(folder), true) => format!("there is none in {}", folder.display()),
        (None, true) => "neither on PATH nor in the usual folders".to_owned(),
        (_, false) => {
            let versions: Vec<String> = found.iter().map(|(v, f)| format!("{v} in {}", f.display())).collect();
            format!("found: {}", versions.join(", "))
        }
    };
    let made_by = fs::read_to_string(cluster.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    match made_by {
        Some(needed) => found.get(&needed).cloned().ok_or_else(|| EmbeddedError::OtherVersion {
            cluster: cluster.to_owned(),
            needed,
            found: seen(),
        }),
        None => {
            let newest = found.iter().next_back().filter(|(version, _)| **version >= OLDEST);
            newest.map(|(_, folder)| folder.clone()).ok_or_else(|| EmbeddedError::NoPrograms(seen()))
        }
    }
}

/// The folder in which both programs really are: on `PATH` there are often links to one of them only, and `initdb`
/// looks for `postgres` beside itself.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let postgres = fs::canonicalize(folder.join("postgres")).ok()?;
    let real = postgres.parent()?;
    real.join("initdb").is_file().then(|| real.to_owned())
}

fn version(folder: &Path) -> Option<u32> {
    let said = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&said.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn parse_version(said: &str) -> Option<u32> {
    let number = said.split("(PostgreSQL)").nth(1)?.trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The folders that match a pattern.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        folders = match part.split_once('*') {
            None => folders.into_iter().map(|folder| folder.join(part)).collect(),
            Some((start, end)) => (folders.iter().filter_map(|folder| fs::read_dir(folder).ok()))
                .flat_map(|entries| entries.flatten())
                .filter(|entry| {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    name.starts_with(start) && name.ends_with(end)
                })
                .map(|entry| entry.path())
                .collect(),
        };
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_however_it_is_packaged() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn patterns_name_existing_folders() {
        assert!(expand("/u*r/bin").contains(&PathBuf::from("/usr/bin")));
        assert!(expand("/no-such-*/bin").is_empty());
    }

    #[test]
    fn a_folder_without_programs_says_what_to_install() {
        let error = find(Some(Path::new("/nowhere")), Path::new("/nowhere")).expect_err("nothing is there");
        let text = error.to_string();
        assert!(text.contains("/nowhere") && text.contains("apt install postgresql"), "{text}");
    }
}
