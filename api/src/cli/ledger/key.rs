//! `ledger key`: the key that signs checkpoints.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use crate::bootstrap::{Config, checkpoint_key, create_checkpoint_key};

/// What to do with it.
#[derive(Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key in the data folder, readable for its owner alone, and print the public half. Never replaces one.
    Create,
    /// Print the public half, to be given to whoever checks.
    Show {
        /// As openssl reads it.
        #[arg(long)]
        pem: bool,
    },
}

/// Runs `ledger key …`.
pub fn run(config: &Config, args: &KeyArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        KeyCommand::Create => {
            if config.checkpoint_key.is_some() {
                return Err("secrets.checkpoint_key is set, and would be used instead".into());
            }
            let (key, file) = create_checkpoint_key(config)?;
            eprintln!("the private key is in {}; the public one, for whoever checks:", file.display());
            println!("{}", key.public());
        }
        KeyCommand::Show { pem: true } => print!("{}", checkpoint_key(config)?.public().pem()),
        KeyCommand::Show { pem: false } => println!("{}", checkpoint_key(config)?.public()),
    }
    Ok(ExitCode::SUCCESS)
}
