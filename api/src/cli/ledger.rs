//! `ledger`: show what was recorded, prove that nobody altered it.

use std::process::ExitCode;

use chatledger_domain::{Position, TenantId};
use clap::{Args, Subcommand};

use super::{DataArgs, Failure};
use crate::{
    bootstrap::{Broken, Config, ShownEvent, Tools, VerifyError},
    cli::{progress::Bar, tenant_id},
};

/// The ledger.
#[derive(Args)]
pub struct LedgerArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Walk the hash chain and name the first event that was altered, removed or moved.
    Verify {
        /// The tenant's short name or id; all tenants by default.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Print events as they are stored.
    Show {
        /// The tenant's short name or id.
        #[arg(long)]
        tenant: String,
        /// Only this stream, as TYPE/ID: Chat/351912000111.
        #[arg(long, value_name = "TYPE/ID")]
        stream: Option<String>,
        /// The first position.
        #[arg(long, default_value_t = 1)]
        from: i64,
        /// At most so many events.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// One JSON object a line, with every column.
        #[arg(long)]
        json: bool,
    },
}

/// Runs `ledger …`.
pub async fn run(mut config: Config, args: LedgerArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open(config).await?;
    let result = match args.command {
        LedgerCommand::Verify { tenant } => verify(&tools, tenant.as_deref()).await,
        LedgerCommand::Show { tenant, stream, from, limit, json } => {
            show(&tools, &tenant, stream.as_deref(), Position(from), limit, json).await
        }
    };
    tools.close().await;
    result
}

async fn verify(tools: &Tools, tenant: Option<&str>) -> Result<ExitCode, Failure> {
    let ledgers = tools.ledgers().await?;
    let wanted: Vec<TenantId> = match tenant {
        Some(name) => vec![tenant_id(name)],
        None => ledgers.iter().map(|(tenant, _)| *tenant).collect(),
    };
    let mut code = ExitCode::SUCCESS;
    for tenant in wanted {
        if !ledgers.iter().any(|(known, _)| *known == tenant) {
            return Err(format!("no ledger of tenant {tenant}").into());
        }
        let bar = Bar::new("verify");
        let verdict = tools.verify(tenant, |done, total| bar.set(done, total)).await;
        bar.finish();
        match verdict {
            Ok(ok) => println!("{tenant}  in order: {} events, head hash {}", ok.events, hex::encode(ok.head_hash)),
            Err(VerifyError::Broken(Broken { position, what })) => {
                println!("{tenant}  BROKEN at position {position}: {what}");
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(code)
}

async fn show(
    tools: &Tools,
    tenant: &str,
    stream: Option<&str>,
    from: Position,
    limit: i64,
    json: bool,
) -> Result<ExitCode, Failure> {
    let stream = stream.map(|s| s.split_once('/').ok_or("--stream wants TYPE/ID")).transpose()?;
    let events = tools.show(tenant_id(tenant), stream, from, limit).await?;
    for event in &events {
        println!("{}", if json { json_line(event).to_string() } else { line(event) });
    }
    Ok(ExitCode::SUCCESS)
}

/// An event on one line for people.
pub fn line(event: &ShownEvent) -> String {
    let stream = format!("{}/{}", event.aggregate_type, event.aggregate_id);
    format!(
        "{:>6}  {}  {:<26} {:<36} #{:<4} {}  {}",
        event.position,
        event.recorded_at,
        event.event_type,
        stream,
        event.sequence,
        event.hash.get(..12).unwrap_or_default(),
        event.payload
    )
}

fn json_line(event: &ShownEvent) -> serde_json::Value {
    let raw = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_else(|_| text.into());
    serde_json::json!({
        "position": raw(&event.position), "aggregate_type": event.aggregate_type, "aggregate_id": event.aggregate_id,
        "sequence": raw(&event.sequence), "event_type": event.event_type, "event_version": event.event_version,
        "payload": raw(&event.payload), "metadata": raw(&event.metadata), "idempotency_key": event.idempotency_key,
        "occurred_at": event.occurred_at, "recorded_at": event.recorded_at, "payload_hash": event.payload_hash,
        "hash": event.hash, "erased_at": event.erased_at,
    })
}
