//! `projections`: look after the read models.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{DataArgs, Failure};
use crate::{
    bootstrap::{Config, Tools},
    cli::progress::Bar,
};

/// Read models.
#[derive(Args)]
pub struct ProjectionsArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: ProjectionsCommand,
}

#[derive(Subcommand)]
enum ProjectionsCommand {
    /// List the read models with how far each is for every tenant.
    List,
    /// Build read models anew from the ledger; live projection waits meanwhile.
    Rebuild {
        /// Their names, as `list` shows them.
        #[arg(required_unless_present = "all")]
        names: Vec<String>,
        /// All of them.
        #[arg(long, conflicts_with = "names")]
        all: bool,
    },
}

/// Runs `projections …`.
pub async fn run(mut config: Config, args: ProjectionsArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    if let ProjectionsCommand::Rebuild { names, .. } = &args.command
        && let Some(unknown) = names.iter().find(|name| !Tools::projections().contains(&name.as_str()))
    {
        return Err(format!("no read model is called {unknown}; there are: {}", Tools::projections().join(", ")).into());
    }
    let tools = Tools::open(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result
}

async fn act(tools: &Tools, command: ProjectionsCommand) -> Result<ExitCode, Failure> {
    match command {
        ProjectionsCommand::List => {
            println!("{:<24} {:<36} {:>10} {:>10} {:>8} {:>7}", "name", "tenant", "position", "head", "lag", "parked");
            for row in tools.lag().await? {
                let behind = row.head.0 - row.position.0;
                println!(
                    "{:<24} {} {:>10} {:>10} {behind:>8} {:>7}",
                    row.projection, row.tenant, row.position, row.head, row.parked
                );
            }
        }
        ProjectionsCommand::Rebuild { names, .. } => {
            let bar = Bar::new("rebuild");
            let result = tools.rebuild(&names, |progress| bar.set(progress.done, progress.total)).await;
            bar.finish();
            result?;
            println!("rebuilt: {}", if names.is_empty() { Tools::projections().join(", ") } else { names.join(", ") });
        }
    }
    Ok(ExitCode::SUCCESS)
}
