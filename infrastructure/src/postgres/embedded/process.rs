//! The processes of a cluster: made, started under a watch that outlives us, stopped, and cleared away after a crash.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{EmbeddedError, LIMIT, place::Place};

/// Runs Postgres and waits on our pipe: when it closes, because we stop or because we died, Postgres is told to stop.
const WATCH: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
postgres=$!
(cat <&3 >/dev/null; kill -INT "$postgres") 2>/dev/null &
watch=$!
exec 3<&-
wait "$postgres"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
"#;

/// Nothing here makes an acknowledged write less durable.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "shared_buffers=256MB",
    "maintenance_work_mem=128MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
    // A segment of the log is not written twice: whoever commits while a new one is filled with zeros waits some 50 ms.
    "wal_init_zero=off",
    "max_connections=200",
    "random_page_cost=1.1",
    "jit=off",
    "autovacuum=on",
    "logging_collector=off",
    // Statements and details of errors would carry personal data into the log.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
];

/// The log is begun anew when it has grown beyond this.
const MAX_LOG: u64 = 8 << 20;

/// Makes the cluster: under another name first, so that one that was interrupted is not taken for whole.
pub(super) fn initialise(place: &Place, programs: &Path) -> Result<(), EmbeddedError> {
    let new = place.folder.join("cluster.new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(EmbeddedError::io("removing a cluster that was not finished"))?;
    }
    let mut output = String::new();
    // Order by bytes, but know what is upper and lower case; the second, where the system has no such locale.
    for ctype in ["C.UTF-8", "C"] {
        let made = command(programs.join("initdb"), place)
            .arg("--pgdata")
            .arg(&new)
            .arg("--pwfile")
            .arg(place.folder.join("password"))
            .args(["--username=chatledger", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--lc-ctype={ctype}"))
            .output()
            .map_err(EmbeddedError::io("running initdb"))?;
        if made.status.success() {
            return fs::rename(&new, place.cluster()).map_err(EmbeddedError::io("naming the new cluster"));
        }
        output = String::from_utf8_lossy(&made.stderr).into_owned();
    }
    Err(EmbeddedError::Failed { what: "initdb failed", output })
}

/// A program of the cluster's user, with nothing of our environment.
fn command(program: impl AsRef<std::ffi::OsStr>, place: &Place) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").current_dir("/");
    if let Some(account) = place.account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// A running Postgres and its watch.
pub(super) struct Postgres(Child);

impl Postgres {
    pub(super) fn spawn(place: &Place, programs: &Path, port: u16) -> Result<Self, EmbeddedError> {
        let path = place.log();
        let anew = fs::metadata(&path).is_ok_and(|log| log.len() > MAX_LOG);
        let log = File::options().create(true).write(true).truncate(anew).append(!anew).open(&path);
        let log = log.map_err(EmbeddedError::io(format!("opening {}", path.display())))?;
        let errors = log.try_clone().map_err(EmbeddedError::io("opening the log"))?;
        let child = command("/bin/sh", place)
            .args(["-c", WATCH, "chatledger-postgres"])
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(place.cluster())
            .args(["-p", &port.to_string()])
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C is for us; Postgres stops after us.
            .process_group(0)
            .spawn()
            .map_err(EmbeddedError::io("running postgres"))?;
        Ok(Self(child))
    }

    pub(super) fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Stops it fast and in order. Whether that was done in time.
    pub(super) fn stop(&mut self, at_most: Duration) -> bool {
        drop(self.0.stdin.take());
        let until = Instant::now() + at_most;
        while self.runs() {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(10));
    }
}

/// A port that nobody listens on now.
pub(super) fn free_port() -> Result<u16, EmbeddedError> {
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    Ok(address.map_err(EmbeddedError::io("finding a free port"))?.port())
}

/// The port of the Postgres that runs on this cluster, as it says itself.
pub(super) fn port(cluster: &Path) -> Option<u16> {
    fs::read_to_string(cluster.join("postmaster.pid")).ok()?.lines().nth(3)?.trim().parse().ok()
}

/// Waits until no Postgres of an earlier process runs on this cluster. We hold the folder's lock, so one that does is
/// an orphan on its way out. A file left by one that is gone is removed: its number may belong to another process by
/// now, and Postgres would refuse to start.
pub(super) fn settle(cluster: &Path) -> Result<(), EmbeddedError> {
    let file = cluster.join("postmaster.pid");
    let until = Instant::now() + LIMIT;
    loop {
        let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        let Some(pid) = pid.filter(|pid| serves(*pid, cluster)) else {
            return fs::remove_file(&file).map_err(EmbeddedError::io("removing what a crash left behind"));
        };
        if Instant::now() >= until {
            let output = format!("process {pid} runs on {} and does not stop", cluster.display());
            return Err(EmbeddedError::Failed { what: "an earlier Postgres still runs", output });
        }
        let _ = Command::new("/bin/sh").args(["-c", "kill -INT \"$1\"", "sh", &pid.to_string()]).status();
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether this process is a Postgres on this cluster.
fn serves(pid: u32, cluster: &Path) -> bool {
    let arguments = if Path::new("/proc/self").exists() {
        fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
    } else {
        let said = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
        said.map(|said| said.stdout).unwrap_or_default()
    };
    String::from_utf8_lossy(&arguments).contains(&*cluster.to_string_lossy())
}
