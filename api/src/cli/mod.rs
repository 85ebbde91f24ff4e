//! The command line: what the operator can ask, in words.

mod analytics;
mod audit;
mod contact;
mod deliveries;
mod demo;
mod history;
mod ledger;
mod progress;
mod projections;
mod quarantine;
mod ready;
mod refresh_token;
mod secrets;
mod serve;
mod simulate;
mod tenant;
mod tenant_life;
mod user;
mod webhooks;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    bootstrap::{Config, StartError},
    docs::Documented,
};

/// A WhatsApp Business inbox on an event ledger: loses nothing, forgets nothing.
#[derive(Parser)]
#[command(name = "chatledger", version, arg_required_else_help = true)]
struct Cli {
    /// A TOML file with settings; `chatledger config defaults` prints one with everything explained.
    #[arg(long, global = true, env = "CHATLEDGER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the APIs and WhatsApp's webhooks; with `--sandbox` everything needed to try them comes along.
    Serve(serve::ServeArgs),
    /// Play a real conversation through the public doors of a sandbox, then keep serving it.
    Demo(ListenArgs),
    /// Be WhatsApp: run the simulator alone, or let a customer of a running sandbox write.
    Simulate(simulate::SimulateArgs),
    /// Show the ledger, or prove that nobody altered it.
    Ledger(ledger::LedgerArgs),
    /// Who did what, when, in whose name, and what a chat was like at any past moment.
    Audit(audit::AuditArgs),
    /// Look after the read models.
    Projections(projections::ProjectionsArgs),
    /// What WhatsApp sent and could not be recorded: list it, show it, try again.
    Quarantine(quarantine::QuarantineArgs),
    /// Create tenants and users, connect WhatsApp numbers; export, import and delete tenants.
    Tenant(tenant::TenantArgs),
    /// Look after the users of a tenant.
    User(user::UserArgs),
    /// The programs that are told of what happens: which there are, how they are; call one again.
    Webhooks(webhooks::WebhooksArgs),
    /// What webhooks were told: list it, show it with every attempt, make it again.
    Deliveries(deliveries::DeliveriesArgs),
    /// Fill the address book; forget a contact.
    Contact(contact::ContactArgs),
    /// Questions to the data: who may read the views, files made from them.
    Analytics(analytics::AnalyticsArgs),
    /// Change the key under which tokens and addresses are kept.
    Secrets(secrets::SecretsArgs),
    /// Check the configuration, or print the documented defaults.
    Config(ConfigArgs),
    /// Print the OpenAPI document of a family.
    Openapi {
        /// Which family.
        #[arg(value_enum, default_value_t = Documented::Integration)]
        family: Documented,
    },
}

#[derive(Args)]
struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Read file and environment, and name everything that is wrong.
    Check,
    /// Print every setting with its default and its meaning.
    Defaults,
}

/// Where to listen and where to keep data.
#[derive(Args, Clone)]
pub struct ListenArgs {
    /// Where the API listens; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    #[command(flatten)]
    data: DataArgs,
    /// Print one line of JSON when ready, and nothing else, on standard output.
    #[arg(long)]
    json: bool,
}

/// Where data is kept.
#[derive(Args, Clone)]
pub struct DataArgs {
    /// The folder of the embedded database and of the sandbox's credentials.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataArgs {
    fn apply(&self, config: &mut Config) {
        if let Some(dir) = &self.data_dir {
            config.data_dir = dir.to_string_lossy().into_owned();
        }
    }
}

impl ListenArgs {
    fn apply(&self, config: &mut Config) {
        self.data.apply(config);
        if let Some(listen) = &self.listen {
            config.listen.clone_from(listen);
        }
    }
}

/// What a command can fail with; printed as it is.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli).await {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {}", chain(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    if let Command::Config(ConfigArgs { command: ConfigCommand::Defaults }) = &cli.command {
        print!("{}", crate::bootstrap::CONFIG_DEFAULTS);
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Openapi { family } = &cli.command {
        println!("{}", crate::docs::openapi(*family).to_pretty_json()?);
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(cli.config.as_deref()).map_err(StartError::Config)?;
    match cli.command {
        Command::Serve(args) => serve::run(config, args).await,
        Command::Demo(args) => demo::run(config, args).await,
        Command::Simulate(args) => simulate::run(config, args).await,
        Command::Ledger(args) => ledger::run(config, args).await,
        Command::Audit(args) => audit::run(config, args).await,
        Command::Projections(args) => projections::run(config, args).await,
        Command::Quarantine(args) => quarantine::run(config, args).await,
        Command::Tenant(args) => tenant::run(config, args).await,
        Command::User(args) => user::run(config, args).await,
        Command::Webhooks(args) => webhooks::run(config, args).await,
        Command::Deliveries(args) => deliveries::run(config, args).await,
        Command::Contact(args) => contact::run(config, args).await,
        Command::Analytics(args) => analytics::run(config, args).await,
        Command::Secrets(args) => secrets::run(config, args).await,
        Command::Config(_) => {
            println!("the configuration is valid");
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// A tenant by id, else by short name.
fn tenant_id(name: &str) -> chatledger_domain::TenantId {
    name.parse().unwrap_or_else(|_| chatledger_domain::TenantId::of_slug(name))
}

/// An error with its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
