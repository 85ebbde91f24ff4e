//! `ledger checkpoint` and `ledger check-checkpoint`: what a ledger came to, signed, and whether it still does.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use chatledger_domain::TenantId;
use clap::Args;
use serde_json::json;

use super::{Failure, public_key, wanted, write_out};
use crate::{
    bootstrap::{Checkpoint, CheckpointKey, Marks, Tools, VerifyError},
    cli::progress::Bar,
};

/// Whose ledger, and where to.
#[derive(Args)]
pub struct CheckpointArgs {
    /// The tenant's short name or id; all tenants by default.
    #[arg(long)]
    tenant: Option<String>,
    /// A new file, one checkpoint a line; standard output by default.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Which checkpoints.
#[derive(Args)]
pub struct CheckArgs {
    /// Files with checkpoints.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The key that must have signed them: a file in PEM, or what `ledger key show` prints.
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Check the signatures alone, without any database.
    #[arg(long)]
    offline: bool,
    /// One JSON object a checkpoint.
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    /// Whether no database is needed.
    pub fn offline(&self) -> bool {
        self.offline
    }
}

/// Signs; a ledger that is broken is not signed, and is a failure.
pub async fn run(tools: &Tools, key: &CheckpointKey, args: &CheckpointArgs) -> Result<ExitCode, Failure> {
    let wanted = wanted(tools, args.tenant.as_deref()).await?;
    let all: i64 = wanted.iter().map(|tenant| tenant.events).sum();
    let (bar, mut before, mut lines, mut code) = (Bar::new("checkpoint"), 0, String::new(), ExitCode::SUCCESS);
    for tenant in &wanted {
        match tools.checkpoint(key, tenant.id, &tenant.slug, |done, _| bar.set(before + done, all)).await {
            Ok(checkpoint) => lines += &format!("{}\n", serde_json::to_string(&checkpoint)?),
            Err(VerifyError::Broken(broken)) => {
                bar.aside(|| eprintln!("{}  BROKEN at {broken}; not signed", tenant.name()));
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error.into()),
        }
        before += tenant.events;
    }
    bar.finish();
    write_out(args.output.as_deref(), &lines)?;
    Ok(code)
}

/// The checkpoints of a file: one, or one after the other.
pub fn read(file: &Path) -> Result<Vec<Checkpoint>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let checkpoints: Result<Vec<Checkpoint>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
    let checkpoints = checkpoints.map_err(|error| format!("{} holds no checkpoints: {error}", file.display()))?;
    if checkpoints.is_empty() {
        return Err(format!("{} holds no checkpoint", file.display()).into());
    }
    Ok(checkpoints)
}

/// Checks signatures and, on a database, that its ledgers still are what was signed. A failure when one is not.
pub async fn check(tools: Option<&Tools>, args: &CheckArgs) -> Result<ExitCode, Failure> {
    let key = public_key(args.public_key.as_deref())?;
    let mut by_tenant: BTreeMap<TenantId, Vec<Checkpoint>> = BTreeMap::new();
    for file in &args.files {
        for checkpoint in read(file)? {
            by_tenant.entry(checkpoint.tenant_id).or_default().push(checkpoint);
        }
    }
    let mut code = ExitCode::SUCCESS;
    for (tenant, mut checkpoints) in by_tenant {
        checkpoints.sort_by_key(|checkpoint| checkpoint.position);
        let marks = match tools {
            Some(tools) => Some(marks(tools, tenant, &checkpoints).await?),
            None => None,
        };
        let mut agreed = None;
        for checkpoint in &checkpoints {
            let fault = match checkpoint.check(key.as_ref()) {
                Err(error) => Some(format!("the checkpoint itself: {error}")),
                Ok(()) => marks.as_ref().and_then(|marks| disagreement(checkpoint, marks, agreed)),
            };
            match &fault {
                None => agreed = Some(checkpoint.position.0),
                Some(_) => code = ExitCode::FAILURE,
            }
            println!("{}", line(checkpoint, fault.as_deref(), tools.is_some(), args.json));
        }
    }
    Ok(code)
}

/// What the ledger comes to at the checkpoints' positions.
async fn marks(tools: &Tools, tenant: TenantId, checkpoints: &[Checkpoint]) -> Result<Marks, Failure> {
    let positions: Vec<_> = checkpoints.iter().map(|checkpoint| checkpoint.position).collect();
    let bar = Bar::new("check-checkpoint");
    let marks = tools.marks(tenant, &positions, |done, all| bar.set(done, all)).await;
    bar.finish();
    Ok(marks?)
}

/// Why the ledger is not what was signed; `agreed` is the newest position before where it still is.
fn disagreement(checkpoint: &Checkpoint, marks: &Marks, agreed: Option<i64>) -> Option<String> {
    let since = agreed.map(|position| format!(", after position {position}")).unwrap_or_default();
    match (marks.at(checkpoint.position), &marks.broken) {
        (Some(mark), _) if checkpoint.agrees_with(mark) => None,
        (Some(_), _) => Some(format!("the ledger was rewritten at or before position {}{since}", checkpoint.position)),
        (None, Some(broken)) => Some(format!("the ledger is broken at {broken}")),
        (None, None) => Some("there is no such position".to_owned()),
    }
}

fn line(checkpoint: &Checkpoint, fault: Option<&str>, compared: bool, as_json: bool) -> String {
    let Checkpoint { tenant_id, tenant, position, time, public_key, .. } = checkpoint;
    if as_json {
        return json!({"tenant_id": tenant_id, "tenant": tenant, "position": position, "time": time,
            "public_key": public_key, "ok": fault.is_none(), "compared": compared, "what": fault})
        .to_string();
    }
    let verdict = match (fault, compared) {
        (Some(fault), _) => format!("BROKEN: {fault}"),
        (None, true) => "the ledger still is what was signed".to_owned(),
        (None, false) => "the signature is right; not compared with a ledger".to_owned(),
    };
    format!("{tenant}  position {position}, {time}, key {public_key}: {verdict}")
}
