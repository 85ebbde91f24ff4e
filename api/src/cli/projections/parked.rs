//! `projections parked`, `park` and `retry`: the streams that read models leave out.

use std::process::ExitCode;

use chatledger_domain::TenantId;
use chatledger_projections::Which;
use clap::Args;

use crate::{
    bootstrap::Tools,
    cli::{Failure, tenant_id},
};

/// Which parked streams.
#[derive(Args)]
pub struct WhichArgs {
    /// The read models, as `list` shows them; all by default.
    names: Vec<String>,
    /// The tenant's short name or id; all tenants by default.
    #[arg(long)]
    tenant: Option<String>,
    /// Only this stream, as TYPE/ID: Chat/351912000111.
    #[arg(long, value_name = "TYPE/ID")]
    stream: Option<String>,
}

impl WhichArgs {
    /// The read models that are named.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn which(self) -> Result<Which, Failure> {
        let stream = self.stream.as_deref().map(stream_of).transpose()?;
        let stream = stream.map(|(kind, id)| (kind.to_owned(), id.to_owned()));
        Ok(Which { tenant: self.tenant.as_deref().map(tenant_id), projections: self.names, stream })
    }
}

/// What is to be left out of what.
#[derive(Args)]
pub struct ParkArgs {
    /// The read models, as `list` shows them.
    #[arg(required = true)]
    names: Vec<String>,
    /// The tenant's short name or id.
    #[arg(long)]
    tenant: String,
    /// The stream, as TYPE/ID: Chat/351912000111.
    #[arg(long, value_name = "TYPE/ID")]
    stream: String,
    /// Why; shown in the list.
    #[arg(long, default_value = "parked by the operator")]
    why: String,
}

impl ParkArgs {
    /// The read models that are named.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

fn stream_of(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('/').filter(|(kind, id)| !kind.is_empty() && !id.is_empty()).ok_or("--stream wants TYPE/ID".into())
}

/// Runs `parked`.
pub async fn list(tools: &Tools, args: WhichArgs) -> Result<ExitCode, Failure> {
    let (found, names) = (tools.parked(&args.which()?).await?, tools.slugs().await?);
    if found.is_empty() {
        println!("no stream is left out");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<18} {:<16} {:<36} {:>10} {:>5}  why", "name", "tenant", "stream", "from", "tries");
    for of in found {
        let tenant = TenantId(of.tenant_id);
        let who = names.get(&tenant).cloned().unwrap_or_else(|| tenant.to_string());
        let stream = format!("{}/{}", of.aggregate_type, of.aggregate_id);
        println!("{:<18} {who:<16} {stream:<36} {:>10} {:>5}  {}", of.projection, of.position, of.attempts, of.error);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `park`.
pub async fn park(tools: &Tools, args: ParkArgs) -> Result<ExitCode, Failure> {
    let (tenant, stream) = (tenant_id(&args.tenant), stream_of(&args.stream)?);
    if !tools.ledgers().await?.iter().any(|(known, _)| *known == tenant) {
        return Err(format!("no tenant {}", args.tenant).into());
    }
    for name in &args.names {
        let parked = tools.park(tenant, name, stream, &args.why).await?;
        println!("{name}: {} {}", args.stream, if parked { "is left out from now on" } else { "was left out already" });
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `retry`.
pub async fn retry(tools: &Tools, args: WhichArgs) -> Result<ExitCode, Failure> {
    let (mut tried, mut stay) = (0, 0);
    tools
        .retry_parked(&args.which()?, |retried| {
            tried += 1;
            let of = &retried.was;
            let stream = format!("{} {}/{}", of.projection, of.aggregate_type, of.aggregate_id);
            match &retried.stays {
                None => println!("{stream}: {} events folded, nothing is left out any more", retried.folded),
                Some((position, why)) => {
                    stay += 1;
                    println!("{stream}: {} events folded, stays parked from {position}: {why}", retried.folded);
                }
            }
        })
        .await?;
    if tried == 0 {
        println!("no stream is left out");
    }
    Ok(if stay > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
