//! `projections`: how far the read models are, build them anew while they answer, look after what they could not fold.

mod parked;
mod rebuild;

use std::process::ExitCode;

use chatledger_domain::TenantId;
use chatledger_projections::{Lag, Pace, RebuildOptions, Then};
use clap::{Args, Subcommand, ValueEnum};

use super::{DataArgs, Failure};
use crate::bootstrap::{Config, Tools};

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
    /// List the read models: how far each is, whether this program's code built it, what it could not fold.
    List {
        /// A line for each tenant, rather than one for all of them.
        #[arg(long)]
        tenants: bool,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print how many events the slowest read model of each tenant is behind; exit with 1 if more than allowed.
    Lag {
        /// So many events behind are allowed.
        #[arg(long, default_value_t = 1_000)]
        most: i64,
    },
    /// Build read models anew from the ledger beside the ones that answer, then let both change places.
    ///
    /// The API answers all along. What is killed goes on where it was when the same command is given again.
    Rebuild {
        #[command(flatten)]
        names: Names,
        /// Do not compare the new rows with those that answer.
        #[arg(long)]
        no_compare: bool,
        /// Change places only if not one row differs; else exit with 1.
        #[arg(long, conflicts_with = "no_compare")]
        if_equal: bool,
        /// How much of the machine it may take.
        #[arg(long, value_enum, default_value_t = PaceArg::Auto)]
        pace: PaceArg,
    },
    /// Build read models anew, compare them with those that answer, and drop them again; exit with 1 if a row differs.
    Compare {
        #[command(flatten)]
        names: Names,
        /// How much of the machine it may take.
        #[arg(long, value_enum, default_value_t = PaceArg::Auto)]
        pace: PaceArg,
    },
    /// Drop what an unfinished rebuild has built.
    Discard,
    /// Drop the rows that answered before a rebuild.
    DropBefore {
        /// Keep those that answered less than so many hours ago.
        #[arg(long, default_value_t = 0)]
        older_than_hours: i64,
    },
    /// List the streams that read models leave out.
    Parked(parked::WhichArgs),
    /// Leave what comes in a stream out of read models from now on.
    Park(parked::ParkArgs),
    /// Fold what was left out of parked streams.
    Retry(parked::WhichArgs),
}

/// Which read models.
#[derive(Args)]
struct Names {
    /// Their names, as `list` shows them.
    #[arg(required_unless_present = "all")]
    names: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

/// How much of the machine a rebuild may take.
#[derive(Clone, Copy, ValueEnum)]
enum PaceArg {
    /// One core while others write to the ledger, else all that it can use.
    Auto,
    /// All that it can use, whoever else is at work.
    Full,
    /// One core.
    Gentle,
}

impl From<PaceArg> for Pace {
    fn from(arg: PaceArg) -> Self {
        match arg {
            PaceArg::Auto => Self::Auto,
            PaceArg::Full => Self::Full,
            PaceArg::Gentle => Self::Gentle,
        }
    }
}

/// Runs `projections …`.
pub async fn run(mut config: Config, args: ProjectionsArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let named: &[String] = match &args.command {
        ProjectionsCommand::Rebuild { names, .. } | ProjectionsCommand::Compare { names, .. } => &names.names,
        ProjectionsCommand::Parked(which) | ProjectionsCommand::Retry(which) => which.names(),
        ProjectionsCommand::Park(park) => park.names(),
        _ => &[],
    };
    if let Some(unknown) = named.iter().find(|name| !Tools::projections().contains(&name.as_str())) {
        return Err(format!("no read model is called {unknown}; there are: {}", Tools::projections().join(", ")).into());
    }
    // Nothing is folded here beside what the command itself does: that is the server's work.
    let tools = Tools::open_to_look(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result
}

async fn act(tools: &Tools, command: ProjectionsCommand) -> Result<ExitCode, Failure> {
    match command {
        ProjectionsCommand::List { tenants, json } => list(tools, tenants, json).await,
        ProjectionsCommand::Lag { most } => lag(tools, most).await,
        ProjectionsCommand::Rebuild { names, no_compare, if_equal, pace } => {
            let then = if if_equal { Then::SwapIfEqual } else { Then::Swap };
            let options = RebuildOptions { compare: !no_compare, then, pace: pace.into() };
            rebuild::run(tools, &names.names, options).await
        }
        ProjectionsCommand::Compare { names, pace } => {
            let options = RebuildOptions { compare: true, then: Then::Discard, pace: pace.into() };
            rebuild::run(tools, &names.names, options).await
        }
        ProjectionsCommand::Discard => {
            let tables = tools.discard_rebuild().await?;
            println!("dropped: {}", if tables.is_empty() { "nothing was begun".to_owned() } else { tables.join(", ") });
            Ok(ExitCode::SUCCESS)
        }
        ProjectionsCommand::DropBefore { older_than_hours } => {
            let dropped = tools.drop_retired(older_than_hours.saturating_mul(3_600)).await?;
            println!("dropped: {dropped} tables");
            Ok(ExitCode::SUCCESS)
        }
        ProjectionsCommand::Parked(which) => parked::list(tools, which).await,
        ProjectionsCommand::Park(park) => parked::park(tools, park).await,
        ProjectionsCommand::Retry(which) => parked::retry(tools, which).await,
    }
}

async fn list(tools: &Tools, tenants: bool, json: bool) -> Result<ExitCode, Failure> {
    let rows = tools.lag().await?;
    let rows = if tenants { rows } else { together(rows) };
    let names = tools.slugs().await?;
    let who = |tenant: &TenantId| match names.get(tenant) {
        _ if !tenants => "all".to_owned(),
        Some(slug) => slug.clone(),
        None => tenant.to_string(),
    };
    if !json {
        println!(
            "{:<18} {:<20} {:>10} {:>10} {:>10} {:>8} {:>7}  built by",
            "name", "tenant", "generation", "position", "head", "lag", "parked"
        );
    }
    for row in &rows {
        let behind = row.head.0 - row.position.0;
        let built_by = if row.outdated { "other code" } else { "this program" };
        if json {
            let line = serde_json::json!({
                "projection": row.projection, "tenant": who(&row.tenant), "generation": row.generation,
                "position": row.position.0, "head": row.head.0, "lag": behind, "parked": row.parked,
                "outdated": row.outdated,
            });
            println!("{line}");
        } else {
            println!(
                "{:<18} {:<20} {:>10} {:>10} {:>10} {behind:>8} {:>7}  {built_by}",
                row.projection,
                who(&row.tenant),
                row.generation,
                row.position.0,
                row.head.0,
                row.parked
            );
        }
    }
    if !json {
        hints(tools, &rows).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What should be done about what the list shows.
async fn hints(tools: &Tools, rows: &[Lag]) -> Result<(), Failure> {
    let mut outdated: Vec<&str> = rows.iter().filter(|row| row.outdated).map(|row| row.projection).collect();
    outdated.dedup();
    if !outdated.is_empty() {
        println!("\nother code built some of them: chatledger projections rebuild {}", outdated.join(" "));
    }
    if rows.iter().any(|row| row.parked > 0) {
        println!("\nsome leave streams out: chatledger projections parked, then chatledger projections retry");
    }
    let begun = tools.unfinished_rebuild().await?;
    if !begun.is_empty() {
        println!("\na rebuild was begun and not ended: give the same command again, or chatledger projections discard");
    }
    Ok(())
}

/// One row for each read model: positions, heads and parked streams of all tenants added up.
fn together(rows: Vec<Lag>) -> Vec<Lag> {
    let mut sums: Vec<Lag> = Vec::new();
    for row in rows {
        match sums.iter_mut().find(|sum| sum.projection == row.projection) {
            None => sums.push(row),
            Some(sum) => {
                sum.position.0 += row.position.0;
                sum.head.0 += row.head.0;
                sum.parked += row.parked;
                sum.generation = sum.generation.max(row.generation);
                sum.outdated |= row.outdated;
            }
        }
    }
    sums
}

async fn lag(tools: &Tools, most: i64) -> Result<ExitCode, Failure> {
    let (names, mut slowest) = (tools.slugs().await?, std::collections::BTreeMap::new());
    for row in tools.lag().await? {
        let who = names.get(&row.tenant).cloned().unwrap_or_else(|| row.tenant.to_string());
        let behind = row.head.0 - row.position.0;
        let entry = slowest.entry(who).or_insert((behind, row.projection));
        if behind > entry.0 {
            *entry = (behind, row.projection);
        }
    }
    for (who, (behind, projection)) in &slowest {
        println!(
            "{who}: {behind} events behind{}",
            if *behind > 0 { format!(" ({projection})") } else { String::new() }
        );
    }
    let fine = slowest.values().all(|(behind, _)| *behind <= most);
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
