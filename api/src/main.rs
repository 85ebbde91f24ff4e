//! The program: everything it can do is a command.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    chatledger_api::cli::run().await
}
