//! `ledger show`: events as they are stored.

use std::process::ExitCode;

use chatledger_domain::Position;
use clap::Args;

use super::{Failure, tenant_id};
use crate::bootstrap::{ShownEvent, Tools};

/// Which events.
#[derive(Args)]
pub struct ShowArgs {
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
}

/// Prints them.
pub async fn run(tools: &Tools, args: &ShowArgs) -> Result<ExitCode, Failure> {
    let stream = args.stream.as_deref().map(|s| s.split_once('/').ok_or("--stream wants TYPE/ID")).transpose()?;
    let events = tools.show(tenant_id(&args.tenant), stream, Position(args.from), args.limit).await?;
    for event in &events {
        println!("{}", if args.json { json_line(event).to_string() } else { line(event) });
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
