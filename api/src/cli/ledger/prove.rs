//! `ledger prove` and `ledger check-proof`: that one event is in the ledger, for somebody without the database.

use std::{fs, path::PathBuf, process::ExitCode};

use chatledger_domain::Position;
use clap::Args;

use super::{Failure, checkpoint, public_key, tenant_id, wanted, write_out};
use crate::{
    bootstrap::{Checkpoint, CheckpointKey, Proof, Tools},
    cli::progress::Bar,
};

/// Which event, in what.
#[derive(Args)]
pub struct ProveArgs {
    /// The tenant's short name or id.
    #[arg(long)]
    tenant: String,
    /// The event's position.
    #[arg(long)]
    position: i64,
    /// A file with a checkpoint that was made after the event; by default one is made now.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// A new file; standard output by default.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ProveArgs {
    /// Whether the key is needed.
    pub fn signs(&self) -> bool {
        self.checkpoint.is_none()
    }
}

/// Which proof.
#[derive(Args)]
pub struct CheckArgs {
    /// The file with the proof.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key that must have signed its checkpoint: a file in PEM, or what `ledger key show` prints.
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
}

/// Makes a proof.
pub async fn run(tools: &Tools, key: Option<&CheckpointKey>, args: &ProveArgs) -> Result<ExitCode, Failure> {
    let bar = Bar::new("prove");
    let tenant = tenant_id(&args.tenant);
    let checkpoint = match (&args.checkpoint, key) {
        (Some(file), _) => {
            let after = |c: &Checkpoint| c.tenant_id == tenant && c.position.0 >= args.position;
            let found = checkpoint::read(file)?.into_iter().find(after);
            found.ok_or_else(|| format!("{} has no checkpoint of {} after the event", file.display(), args.tenant))?
        }
        (None, Some(key)) => {
            let wanted = wanted(tools, Some(&args.tenant)).await?;
            let slug = wanted.first().map_or("", |tenant| &tenant.slug);
            tools.checkpoint(key, tenant, slug, |done, all| bar.set(done, all)).await?
        }
        (None, None) => return Err("there is no key to sign with".into()),
    };
    let proof = tools.prove(Position(args.position), checkpoint, |done, all| bar.set(done, all)).await?;
    bar.finish();
    write_out(args.output.as_deref(), &format!("{}\n", serde_json::to_string_pretty(&proof)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Checks one; a failure when it proves nothing.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let key = public_key(args.public_key.as_deref())?;
    let name = args.file.display();
    let text = fs::read_to_string(&args.file).map_err(|error| format!("{name}: {error}"))?;
    let proof: Proof = serde_json::from_str(&text).map_err(|error| format!("{name} holds no proof: {error}"))?;
    if let Err(error) = proof.check(key.as_ref()) {
        println!("{name}: proves nothing: {error}");
        return Ok(ExitCode::FAILURE);
    }
    let (event, checkpoint) = (&proof.event, &proof.checkpoint);
    println!("{name}: proved");
    println!("  event       {} of {}/{}", event.event_type, event.aggregate_type, event.aggregate_id);
    println!("  position    {} of {} in the ledger of {}", event.position, checkpoint.position, checkpoint.tenant);
    println!("  happened    {}, recorded {}", event.occurred_at, event.recorded_at);
    println!("  metadata    {}", event.metadata);
    println!("  payload     {}", event.payload.as_deref().unwrap_or("erased since; its hash stands"));
    println!("  checkpoint  {}, signed with {}", checkpoint.time, checkpoint.public_key);
    Ok(ExitCode::SUCCESS)
}
