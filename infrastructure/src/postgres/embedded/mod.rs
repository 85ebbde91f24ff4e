//! A private Postgres cluster in a data folder, for machines where nobody runs a database for us.
//!
//! Found, initialised, started as an unprivileged user also when we are root, recovered after a crash, ours or its own,
//! and stopped with us, even when we are killed.

mod binaries;
mod keeper;
mod place;
mod process;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};
use tokio::time::sleep;

use self::{keeper::Keeper, place::Place, process::Postgres};

/// The environment variable that names the folder of the PostgreSQL programs.
const PROGRAMS: &str = "CHATLEDGER_PG_BIN";
/// How long a start or a stop may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a server that is just stopping may keep the folder.
const HAND_OVER: Duration = Duration::from_secs(2);

/// Why the private cluster does not run.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable PostgreSQL is installed.
    #[error(
        "no PostgreSQL 14 or newer was found ({0}). Install it (Debian, Ubuntu: apt install postgresql; Fedora: dnf \
         install postgresql-server; macOS: brew install postgresql), or set {PROGRAMS} to the folder with `initdb` \
         and `postgres`, or set DATABASE_URL to a server that runs already"
    )]
    NoPrograms(String),
    /// The cluster was made by another version.
    #[error("the cluster in {cluster} needs PostgreSQL {needed}, which was not found ({found})")]
    OtherVersion {
        /// The cluster's folder.
        cluster: PathBuf,
        /// The version that made it.
        needed: u32,
        /// What was found instead.
        found: String,
    },
    /// Another process has it.
    #[error("the data folder {0} is in use by another chatledger")]
    InUse(PathBuf),
    /// The folder that holds the cluster is gone.
    #[error("{pointer} says that the cluster is in {cluster}, which does not exist")]
    Gone {
        /// The file that says so.
        pointer: PathBuf,
        /// Where it should be.
        cluster: PathBuf,
    },
    /// A file or a program could not be used.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A program failed.
    #[error("{what}:\n{output}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// What it said.
        output: String,
    },
    /// It runs, but does not let us in.
    #[error("the private cluster cannot be used")]
    Unusable(#[from] sqlx::Error),
}

impl EmbeddedError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// A private cluster that runs as long as this value lives.
pub struct Embedded {
    url: String,
    place: PathBuf,
    keeper: Keeper,
    /// Held so that no other process starts the same cluster.
    _lock: File,
}

impl Embedded {
    /// Starts the cluster of this data folder, after making it where there is none.
    ///
    /// # Errors
    /// When there is no PostgreSQL to run, somebody else has the folder, or the cluster does not start.
    pub async fn start(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let programs = std::env::var_os(PROGRAMS).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Self::start_with(data_dir, programs.as_deref()).await
    }

    /// As [`Embedded::start`], with the PostgreSQL programs of this folder and no other.
    ///
    /// # Errors
    /// As [`Embedded::start`].
    pub async fn start_with(data_dir: &Path, programs: Option<&Path>) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(data_dir).map_err(EmbeddedError::io(format!("making {}", data_dir.display())))?;
        let data_dir = fs::canonicalize(data_dir).map_err(EmbeddedError::io("finding the data folder"))?;
        let lock = lock(&data_dir).await?;
        let place = Place::of(&data_dir)?;
        let programs = binaries::find(programs, &place.cluster())?;
        let ready = {
            let (place, programs) = (place.clone(), programs.clone());
            move || {
                process::settle(&place.cluster())?;
                if place.cluster().exists() { Ok(()) } else { process::initialise(&place, &programs) }
            }
        };
        let ready = tokio::task::spawn_blocking(ready).await;
        ready.map_err(|error| EmbeddedError::io("making the cluster")(error.into()))??;
        let (postgres, port) = run(&place, &programs).await?;
        let url = url(&place.password()?, port);
        if place.folder != data_dir.join("postgres") {
            tracing::info!(folder = %place.folder.display(), "the private cluster lives outside the data folder, \
                because the user it runs as cannot enter that");
        }
        let folder = place.folder.clone();
        let keeper = Keeper::start(postgres, place, programs, port);
        Ok(Self { url, place: folder, keeper, _lock: lock })
    }

    /// The URL of a cluster of this data folder that another process runs, for commands beside a server.
    pub async fn running(data_dir: &Path) -> Option<String> {
        let place = Place::recorded(&fs::canonicalize(data_dir).ok()?).ok()?;
        let url = url(&place.password().ok()?, process::port(&place.cluster())?);
        PgConnection::connect(&url).await.ok()?.close().await.ok()?;
        Some(url)
    }

    /// Where clients connect, as the cluster's owner.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the cluster, its password and its log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.place
    }

    /// Stops the cluster: open transactions are rolled back, everything is written. Dropping does the same.
    pub async fn stop(mut self) {
        let stopped = tokio::task::spawn_blocking(move || self.keeper.stop(LIMIT)).await;
        if !stopped.unwrap_or(false) {
            tracing::warn!("the private cluster takes long to stop");
        }
    }
}

fn url(password: &str, port: u16) -> String {
    format!("postgres://chatledger:{password}@127.0.0.1:{port}/chatledger")
}

/// Takes the folder for this process; the system gives it back when the process ends, however it ends.
async fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("postgres.lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(EmbeddedError::io(format!("opening {}", path.display())))?;
    let until = Instant::now() + HAND_OVER;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(Duration::from_millis(50)).await,
            Err(TryLockError::WouldBlock) => return Err(EmbeddedError::InUse(data_dir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(EmbeddedError::io("locking the data folder")(error)),
        }
    }
}

/// Runs the cluster until it lets us in. What a crash left behind (orphaned processes, a port just taken) goes away
/// by itself, so an early end is tried again.
async fn run(place: &Place, programs: &Path) -> Result<(Postgres, u16), EmbeddedError> {
    let until = Instant::now() + LIMIT;
    let password = place.password()?;
    loop {
        let port = process::free_port()?;
        let mut postgres = Postgres::spawn(place, programs, port)?;
        while postgres.runs() && Instant::now() < until {
            if prepare(&password, port).await.is_ok() {
                return Ok((postgres, port));
            }
            sleep(Duration::from_millis(25)).await;
        }
        let log = place.log_tail();
        let passing = log.contains("shared memory") || log.contains("could not bind") || log.contains("lock file");
        if !passing || Instant::now() >= until {
            return Err(EmbeddedError::Failed { what: "the private cluster does not start", output: log });
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Connects, and makes our database where it is missing.
async fn prepare(password: &str, port: u16) -> Result<(), sqlx::Error> {
    let ours = url(password, port);
    if let Ok(connection) = PgConnection::connect(&ours).await {
        return connection.close().await;
    }
    let first = format!("postgres://chatledger:{password}@127.0.0.1:{port}/postgres");
    let mut connection = PgConnection::connect(&first).await?;
    connection.execute("CREATE DATABASE chatledger").await?;
    connection.close().await
}
