//! `secrets`: the key under which tokens and addresses are kept.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{DataArgs, Failure, progress::Bar};
use crate::bootstrap::{Config, Tools};

/// Secrets.
#[derive(Args)]
pub struct SecretsArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Subcommand)]
enum SecretsCommand {
    /// Encrypt everything anew under `secrets.master_key`. The keys before it must be in `secrets.old_master_keys`, of the
    /// servers as well, which go on meanwhile; once this ends without an error they can be taken out.
    Rotate,
}

/// Runs `secrets …`.
pub async fn run(mut config: Config, args: SecretsArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let SecretsCommand::Rotate = args.command;
    let tools = Tools::open_with_key(config).await?;
    let bar = Bar::counting("rotate", "secrets");
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let rotated = tools.rotate_secrets(|so_far| bar.set(signed(so_far.done), signed(so_far.total))).await;
    bar.finish();
    tools.close().await;
    let rotated = rotated?;
    println!("{} of {} secrets encrypted anew; secrets.old_master_keys can be emptied", rotated.resealed, rotated.done);
    Ok(ExitCode::SUCCESS)
}
