//! The benchmarks of the design's bars (§9): each prints its figure, the machine and, from the same run, a comparator.
//!
//! `cargo bench` runs all; `cargo bench -- inbound chats growth` some; `-- --quick` with a tenth of the data.
//! They start the real server (built with `--release`) as a process of its own on a fresh embedded database.

mod batch;
mod chats;
mod client;
mod deliveries;
mod growth;
mod inbound;
mod machine;
mod rebuild;
#[path = "../it/harness/receiver.rs"]
#[allow(dead_code)]
mod receiver;
mod receivers;
mod seed;
mod server;
mod stock;
mod verify;
mod websocket;

use std::process::ExitCode;

/// What a benchmark is told.
#[derive(Clone, Copy)]
pub struct Size {
    /// With a tenth of the data.
    pub quick: bool,
}

impl Size {
    /// So much, or a tenth of it.
    #[must_use]
    pub fn of(self, full: usize) -> usize {
        if self.quick { full / 10 } else { full }
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.iter().any(|arg| arg == "--help") {
        println!(
            "cargo bench -- [inbound] [batch] [growth] [chats] [deliveries] [websocket] [verify] [rebuild] [rebuild-live] [--quick]"
        );
        return ExitCode::SUCCESS;
    }
    let size = Size { quick: args.iter().any(|arg| arg == "--quick") };
    let wanted: Vec<&str> = args.iter().filter(|arg| !arg.starts_with("--")).map(String::as_str).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.contains(&name);
    machine::print();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    runtime.block_on(async {
        if runs("inbound") {
            inbound::run(size).await;
        }
        if runs("batch") {
            batch::run(size).await;
        }
        if runs("growth") {
            growth::run(size).await;
        }
        if runs("chats") {
            chats::run(size).await;
        }
        if runs("deliveries") {
            deliveries::run(size).await;
        }
        if runs("websocket") {
            websocket::run(size).await;
        }
        if runs("rebuild") {
            rebuild::run(size).await;
        }
        if runs("rebuild-live") {
            rebuild::live(size).await;
        }
        if runs("verify") {
            verify::run(size).await;
        }
    });
    ExitCode::SUCCESS
}
