//! `serve`: the server, with or without the sandbox around it.

use std::process::ExitCode;

use clap::Args;

use super::{Failure, ListenArgs, ready};
use crate::bootstrap::{Config, Sandbox, Server, init_logs, until_signal};

/// How to serve.
#[derive(Args)]
pub struct ServeArgs {
    /// Bring an embedded database, the WhatsApp simulator and a demo tenant with an admin, an agent and a bot.
    #[arg(long)]
    sandbox: bool,
    #[command(flatten)]
    listen: ListenArgs,
}

/// Serves until told to stop.
pub async fn run(mut config: Config, args: ServeArgs) -> Result<ExitCode, Failure> {
    args.listen.apply(&mut config);
    init_logs(&config);
    if args.sandbox {
        let sandbox = Sandbox::start(config).await?;
        if args.listen.json {
            println!("{}", ready::json(&sandbox));
        } else {
            ready::print(&sandbox);
        }
        until_signal().await;
        sandbox.stop().await;
        return Ok(ExitCode::SUCCESS);
    }
    let server = Server::start(config).await?;
    if args.listen.json {
        println!("{}", serde_json::json!({"base_url": server.base_url, "docs_url": server.docs_url()}));
    } else {
        println!("chatledger serves at {}\nAPI documentation: {}", server.base_url, server.docs_url());
        if server.has_no_tenant().await {
            println!("There is no tenant yet. Create one: chatledger tenant create --help");
        }
    }
    until_signal().await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}
