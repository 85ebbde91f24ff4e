//! `quarantine`: what WhatsApp sent and could not be recorded.

use std::process::ExitCode;

use chatledger_application::inbound::Retried;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{DataArgs, Failure};
use crate::bootstrap::{Config, Tools};

/// What could not be recorded.
#[derive(Args)]
pub struct QuarantineArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Subcommand)]
enum QuarantineCommand {
    /// List it, the newest first.
    List {
        /// At most so many rows.
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Print one body, byte for byte.
    Show {
        /// The row's id.
        id: Uuid,
    },
    /// Try to record one row, or all of them, again.
    Retry {
        /// The row's id.
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        /// All rows.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// Runs `quarantine …`.
pub async fn run(mut config: Config, args: QuarantineArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result
}

async fn act(tools: &Tools, command: QuarantineCommand) -> Result<ExitCode, Failure> {
    let application = &tools.application;
    match command {
        QuarantineCommand::List { limit } => {
            let rows = application.quarantined_items(limit).await?;
            println!("{:<36}  {:<20}  {:<8}  {:>8}  reason", "id", "received", "door", "bytes");
            for row in &rows {
                let received = row.received_at.format("%Y-%m-%d %H:%M:%S");
                println!("{}  {received:<20}  {:<8}  {:>8}  {}", row.id, row.door, row.body.len(), row.reason);
            }
            println!("{} row(s)", rows.len());
        }
        QuarantineCommand::Show { id } => {
            let row = application.quarantined_item(id).await?.ok_or("no such row")?;
            std::io::Write::write_all(&mut std::io::stdout(), &row.body)?;
            println!();
        }
        QuarantineCommand::Retry { id, .. } => {
            let ids = match id {
                Some(id) => vec![id],
                None => application.quarantined_items(i64::MAX).await?.into_iter().map(|row| row.id).collect(),
            };
            let mut still = 0;
            for id in ids {
                let retried = application.retry_quarantined(id).await?;
                still += usize::from(retried != Retried::Recorded);
                let what = match retried {
                    Retried::Recorded => "recorded",
                    Retried::StillQuarantined => "still not readable; kept",
                    Retried::Unknown => "no such row",
                };
                println!("{id}  {what}");
            }
            if still > 0 {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
