//! `user`: what the operator does for one user.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{DataArgs, Failure, refresh_token};
use crate::bootstrap::{Config, Tools};

/// Users.
#[derive(Args)]
pub struct UserArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make a refresh token, which can be exchanged once for the user's token; prints it.
    RefreshToken(refresh_token::RefreshTokenArgs),
}

/// Runs `user …`.
pub async fn run(mut config: Config, args: UserArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open_with_key(config).await?;
    let result = match args.command {
        UserCommand::RefreshToken(args) => refresh_token::make(&tools, args).await,
    };
    tools.close().await;
    result.map(|()| ExitCode::SUCCESS)
}
