//! `ledger verify`: whether ledgers are as they were written.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Failure, Wanted, wanted};
use crate::{
    bootstrap::{Broken, Tools, Verified, VerifyError},
    cli::progress::Bar,
};

/// Whose ledger.
#[derive(Args)]
pub struct VerifyArgs {
    /// The tenant's short name or id; all tenants by default.
    #[arg(long)]
    tenant: Option<String>,
    /// One JSON object a tenant.
    #[arg(long)]
    json: bool,
}

/// Verifies; a failure when one is broken.
pub async fn run(tools: &Tools, args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let wanted = wanted(tools, args.tenant.as_deref()).await?;
    let all: i64 = wanted.iter().map(|tenant| tenant.events).sum();
    let (bar, mut before, mut code) = (Bar::new("verify"), 0, ExitCode::SUCCESS);
    for tenant in &wanted {
        let verdict = tools.verify(tenant.id, |done, _| bar.set(before + done, all)).await;
        before += tenant.events;
        let line = match verdict {
            Ok(verified) => in_order(tenant, &verified, args.json),
            Err(VerifyError::Broken(broken)) => {
                code = ExitCode::FAILURE;
                out_of_order(tenant, &broken, args.json)
            }
            Err(error) => return Err(error.into()),
        };
        bar.aside(|| println!("{line}"));
    }
    bar.finish();
    Ok(code)
}

fn in_order(tenant: &Wanted, verified: &Verified, as_json: bool) -> String {
    let Verified { events, erased, head_hash, root } = verified;
    let (id, name, hash, root) = (tenant.id, tenant.name(), hex::encode(head_hash), hex::encode(root));
    if as_json {
        return json!({"tenant_id": id, "tenant": tenant.slug, "ok": true, "events": events, "erased": erased,
            "head_hash": hash, "root": root})
        .to_string();
    }
    let erased = if *erased > 0 { format!(", {erased} of them erased") } else { String::new() };
    format!("{name}  in order: {events} events{erased}, head hash {hash}")
}

fn out_of_order(tenant: &Wanted, Broken { position, what }: &Broken, as_json: bool) -> String {
    if as_json {
        return json!({"tenant_id": tenant.id, "tenant": tenant.slug, "ok": false, "position": position, "what": what})
            .to_string();
    }
    format!("{}  BROKEN at position {position}: {what}", tenant.name())
}
