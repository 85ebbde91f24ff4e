//! The server as a process of its own, to be killed.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

/// A sandbox in a process of its own.
pub struct Process {
    child: Child,
    /// What it printed when it was ready.
    pub ready: Value,
}

/// The program, as `cargo test` built it beside this test binary.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let path = test.parent().and_then(Path::parent).expect("…/deps").join("chatledger");
    assert!(path.is_file(), "{} is missing: run `cargo build`, or `cargo test` without a target", path.display());
    path
}

fn sandbox(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(binary());
    command.args(["serve", "--sandbox", "--json", "--listen", listen, "--data-dir"]).arg(data);
    command.env_remove("DATABASE_URL").stdout(Stdio::piped());
    command
}

impl Process {
    /// Starts a sandbox; `database` is its `DATABASE_URL`, else the embedded one.
    pub fn start(data: &Path, listen: &str, database: Option<&str>) -> Self {
        let mut command = sandbox(data, listen);
        command.env("CHATLEDGER_LOGS__FILTER", "warn");
        if let Some(url) = database {
            command.env("DATABASE_URL", url);
        }
        Self::run(command)
    }

    /// Starts one that logs all that it can to a file.
    pub fn start_logged(data: &Path, database: &str, log: &Path) -> Self {
        let mut command = sandbox(data, "127.0.0.1:0");
        command.env("CHATLEDGER_LOGS__FILTER", "debug").env("DATABASE_URL", database);
        command.stderr(File::create(log).expect("a file"));
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("an output")).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the sandbox printed {line:?}"));
        Self { child, ready }
    }

    /// A text of what it printed.
    pub fn text(&self, pointer: &str) -> String {
        self.ready.pointer(pointer).and_then(Value::as_str).expect("the sandbox says so").to_owned()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let kill = "kill -s \"$1\" \"$2\"";
        let sent = Command::new("/bin/sh").args(["-c", kill, "sh", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("a shell").success());
    }

    /// SIGTERM; how long it took to end.
    pub fn terminate(mut self) -> Duration {
        let since = std::time::Instant::now();
        self.signal("TERM");
        self.child.wait().expect("gone");
        since.elapsed()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
