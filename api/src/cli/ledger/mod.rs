//! `ledger`: show what was recorded, prove that nobody altered it, sign what it comes to.

mod checkpoint;
mod key;
mod prove;
mod show;
mod verify;

use std::{fs::OpenOptions, io::Write, path::Path, process::ExitCode};

use chatledger_domain::TenantId;
use clap::{Args, Subcommand};

use super::{DataArgs, Failure, tenant_id};
use crate::bootstrap::{Config, PublicKey, Tools};

pub use show::line;

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
    Verify(verify::VerifyArgs),
    /// Print events as they are stored.
    Show(show::ShowArgs),
    /// Walk the hash chain and sign what it comes to; keep it where nobody who can write to the database can.
    Checkpoint(checkpoint::CheckpointArgs),
    /// Check that the ledger still is what checkpoints say of it; finds one that was rewritten or cut short.
    CheckCheckpoint(checkpoint::CheckArgs),
    /// Show that one event is in the ledger, for somebody without the database.
    Prove(prove::ProveArgs),
    /// Check a proof of one event, without any database.
    CheckProof(prove::CheckArgs),
    /// The key that signs checkpoints.
    Key(key::KeyArgs),
}

/// Runs `ledger …`.
pub async fn run(mut config: Config, args: LedgerArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    match args.command {
        LedgerCommand::Key(args) => key::run(&config, &args),
        LedgerCommand::CheckProof(args) => prove::check(&args),
        LedgerCommand::CheckCheckpoint(args) if args.offline() => checkpoint::check(None, &args).await,
        command => on_database(config, command).await,
    }
}

/// Those that need the database.
async fn on_database(config: Config, command: LedgerCommand) -> Result<ExitCode, Failure> {
    // Before anything is started: without a key there is nothing to do.
    let key = match &command {
        LedgerCommand::Checkpoint(_) => Some(crate::bootstrap::checkpoint_key(&config)?),
        LedgerCommand::Prove(args) if args.signs() => Some(crate::bootstrap::checkpoint_key(&config)?),
        _ => None,
    };
    let tools = Tools::open_to_look(config).await?;
    let result = match (command, key) {
        (LedgerCommand::Verify(args), _) => verify::run(&tools, &args).await,
        (LedgerCommand::Show(args), _) => show::run(&tools, &args).await,
        (LedgerCommand::Checkpoint(args), Some(key)) => checkpoint::run(&tools, &key, &args).await,
        (LedgerCommand::CheckCheckpoint(args), _) => checkpoint::check(Some(&tools), &args).await,
        (LedgerCommand::Prove(args), key) => prove::run(&tools, key.as_ref(), &args).await,
        (LedgerCommand::Checkpoint(_) | LedgerCommand::CheckProof(_) | LedgerCommand::Key(_), _) => {
            Ok(ExitCode::FAILURE)
        }
    };
    tools.close().await;
    result
}

/// The tenant with this name, or all that have a ledger; with short name and newest position.
async fn wanted(tools: &Tools, tenant: Option<&str>) -> Result<Vec<Wanted>, Failure> {
    let (mut ledgers, tenants) = (tools.ledgers().await?, tools.tenants().await?);
    if let Some(name) = tenant {
        let wanted = tenant_id(name);
        ledgers.retain(|(tenant, _)| *tenant == wanted);
        if ledgers.is_empty() {
            return Err(format!("no ledger of tenant {name}").into());
        }
    }
    let slug = |id| tenants.iter().find(|tenant| tenant.id == id).map(|tenant| tenant.slug.clone());
    let known = ledgers.into_iter();
    Ok(known.map(|(id, head)| Wanted { id, slug: slug(id).unwrap_or_default(), events: head.0 }).collect())
}

/// A tenant whose ledger is asked for.
struct Wanted {
    id: TenantId,
    /// Empty where the read models do not know it.
    slug: String,
    events: i64,
}

impl Wanted {
    /// What people call it.
    fn name(&self) -> String {
        if self.slug.is_empty() { self.id.to_string() } else { self.slug.clone() }
    }
}

/// A public key, given as a file or as its text.
fn public_key(given: Option<&str>) -> Result<Option<PublicKey>, Failure> {
    let Some(given) = given else {
        eprintln!("without --public-key this shows only that nobody altered the file who does not have the key in it");
        return Ok(None);
    };
    let file = std::fs::read_to_string(given);
    Ok(Some(file.as_deref().unwrap_or(given).parse()?))
}

/// Writes to a new file, or to standard output.
fn write_out(output: Option<&Path>, text: &str) -> Result<(), Failure> {
    match output {
        None => print!("{text}"),
        Some(file) => {
            let name = || file.display().to_string();
            // Never over an older one: that may be the only witness.
            let opened = OpenOptions::new().write(true).create_new(true).open(file);
            let written = opened.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
            written.map_err(|error| format!("{}: {error}", name()))?;
        }
    }
    Ok(())
}
