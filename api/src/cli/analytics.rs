//! `analytics`: who may ask questions in SQL, and files made from the views.

use std::{path::PathBuf, process::ExitCode};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{DataArgs, Failure, progress::Bar};
use crate::bootstrap::{Config, Export, Format, Reader, Tools};

/// Questions to the data.
#[derive(Args)]
pub struct AnalyticsArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: AnalyticsCommand,
}

#[derive(Subcommand)]
enum AnalyticsCommand {
    /// List the views with what each shows; `\d+ analytics.messages` in psql explains the columns.
    Views,
    /// Let a role of the database read the views of some tenants, and nothing else.
    ///
    /// A role that is missing is made, with a password of chance that is shown once, or with the one that --password-env
    /// names. Granting more tenants later adds them.
    #[command(group = ArgGroup::new("which").required(true).args(["tenant", "all"]))]
    Grant {
        /// The role's name: small letters, digits and _.
        role: String,
        /// A tenant's short name; may be given several times.
        #[arg(long, value_name = "SLUG")]
        tenant: Vec<String>,
        /// Every tenant, those of tomorrow too.
        #[arg(long)]
        all: bool,
        /// The environment variable that holds the role's password; also sets a role's password anew.
        #[arg(long, value_name = "VAR")]
        password_env: Option<String>,
        /// How long one statement of the role may take, in seconds.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        statement_timeout: u32,
    },
    /// Take tenants away from a role; without --tenant all of them, and every right to the views.
    Revoke {
        /// The role's name.
        role: String,
        /// A tenant's short name; may be given several times.
        #[arg(long, value_name = "SLUG")]
        tenant: Vec<String>,
        /// Remove the role itself too.
        #[arg(long, conflicts_with = "tenant")]
        drop: bool,
    },
    /// List the roles that read the views, and of which tenants.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print where a role connects. The embedded database has another port after every start.
    Url {
        /// The role's name.
        role: String,
    },
    /// Write a view to a file, as of one moment, in little memory however large it is.
    Export {
        /// The view's name, as `views` shows them.
        view: String,
        /// What the file is like.
        #[arg(long, value_enum)]
        format: FormatArg,
        /// The file. Appears when it is whole; one of that name is replaced.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Only this tenant, by its short name; all by default.
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// Only what happened at or after: 2026-01-06 or 2026-01-06T10:00:00Z; days are UTC's.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Option<DateTime<Utc>>,
        /// Only what happened before: 2026-02-01 or 2026-02-01T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: Option<DateTime<Utc>>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    /// Commas, CRLF, a line of names (RFC 4180); null is an empty field.
    Csv,
    /// Apache Parquet, with types, compressed.
    Parquet,
}

/// Runs `analytics …`.
pub async fn run(mut config: Config, args: AnalyticsArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result.map(|()| ExitCode::SUCCESS)
}

async fn act(tools: &Tools, command: AnalyticsCommand) -> Result<(), Failure> {
    match command {
        AnalyticsCommand::Views => {
            for view in tools.views().await? {
                println!("{:<20} {}", view.name, view.comment);
            }
        }
        AnalyticsCommand::Grant { role, tenant, all, password_env, statement_timeout } => {
            let password = password_env.map(|name| secret(&name)).transpose()?;
            let tenants = if all { None } else { Some(tools.tenants_named(&tenant).await?) };
            let granted = tools.grant_reading(&role, tenants.as_deref(), password, statement_timeout).await?;
            let of = if all { "every tenant".to_owned() } else { tenant.join(", ") };
            println!("{role} reads the views of {of}");
            if !granted.0.limited {
                eprintln!("its statements are not limited: our own role may not set the role's limits");
            }
            if let Some(password) = granted.1 {
                println!("password, shown once: {password}");
            }
            match tools.reading_address(&role) {
                Some(address) => println!("connect: psql \"{address}\""),
                None => println!("connect: start the server, then chatledger analytics url {role}"),
            }
        }
        AnalyticsCommand::Revoke { role, tenant, drop } => {
            let tenants = if tenant.is_empty() { None } else { Some(tools.tenants_named(&tenant).await?) };
            let reads = tools.revoke_reading(&role, tenants.as_deref(), drop).await?;
            println!("{role} reads {}", if reads { "the views of fewer tenants" } else { "nothing any more" });
        }
        AnalyticsCommand::List { json } => list(&tools.readers().await?, json),
        AnalyticsCommand::Url { role } => {
            let address = tools.reading_address(&role);
            println!("{}", address.ok_or("the embedded database runs only beside a server: start it, and ask again")?);
        }
        AnalyticsCommand::Export { view, format, output, tenant, since, until } => {
            if let Some(slug) = &tenant {
                tools.tenants_named(std::slice::from_ref(slug)).await?;
            }
            let format = match format {
                FormatArg::Csv => Format::Csv,
                FormatArg::Parquet => Format::Parquet,
            };
            let export = Export { view: &view, format, file: &output, tenant: tenant.as_deref(), since, until };
            let bar = Bar::counting("export", "rows");
            let result = tools.export_view(&export, |done, total| bar.set(done, total)).await;
            bar.finish();
            let exported = result?;
            println!("{}: {} row(s), {} byte(s)", output.display(), exported.rows, exported.bytes);
        }
    }
    Ok(())
}

fn list(readers: &[Reader], as_json: bool) {
    if as_json {
        for Reader { role, tenant, granted_at, exists } in readers {
            println!("{}", json!({"role": role, "tenant": tenant, "granted_at": granted_at, "exists": exists}));
        }
        return;
    }
    println!("{:<24}  {:<24}  since", "role", "tenant");
    for reader in readers {
        let tenant = reader.tenant.as_deref().unwrap_or("(every one)");
        let gone = if reader.exists { "" } else { "  (the server has no such role)" };
        println!("{:<24}  {tenant:<24}  {}{gone}", reader.role, reader.granted_at.format("%Y-%m-%d %H:%M:%S"));
    }
    println!("{} row(s)", readers.len());
}

fn secret(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} holds no password").into())
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc());
    let exact = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok();
    exact.or_else(day).ok_or_else(|| "neither a day as 2026-01-06 nor a time as 2026-01-06T10:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_of_utc_or_an_exact_time() {
        assert_eq!(moment("2026-01-06").map(|at| at.timestamp()), Ok(1_767_657_600));
        assert_eq!(moment("2026-01-06T01:00:00+01:00").map(|at| at.timestamp()), Ok(1_767_657_600));
        assert!(moment("yesterday").is_err());
    }
}
