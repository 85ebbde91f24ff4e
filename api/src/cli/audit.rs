//! `audit`: who did what, when, in whose name; and what a chat was like at any past moment.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use chatledger_application::{
    ApplicationError,
    audit::{Moment, Wanted, kinds, unknown_kind},
    ports::audit::Subject,
};
use chatledger_domain::{TenantId, WaId};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use tempfile::NamedTempFile;

use super::{DataArgs, Failure, history};
use crate::{
    audit::{Format, text},
    bootstrap::{Config, Tools},
    integration::wire,
};

/// Audits.
#[derive(Args)]
pub struct AuditArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// The history of a chat: messages, statuses, tags, assignment, marks, the customer's names.
    Chat {
        /// The customer's WhatsApp id.
        wa_id: String,
        #[command(flatten)]
        history: HistoryArgs,
    },
    /// The history of a user: what it did, what was done to it, the chats it was given and lost.
    User {
        /// The name that it has or once had, or its id.
        name: String,
        #[command(flatten)]
        history: HistoryArgs,
    },
    /// The history of a tag: what became of it, and every tagging with it. Also of a deleted one.
    Tag {
        /// The name that it has or once had, or its id.
        name: String,
        #[command(flatten)]
        history: HistoryArgs,
    },
    /// What a chat was like at a moment: user, group, tags, 24-hour window, messages.
    State {
        /// The customer's WhatsApp id.
        wa_id: String,
        #[command(flatten)]
        tenant: TenantArg,
        /// The moment: a position, @ and POSIX seconds, or a time as 2026-01-06T10:00:00Z; now, unless told.
        #[arg(long, value_name = "POSITION|TIME", value_parser = moment)]
        at: Option<Moment>,
        /// The form.
        #[arg(long, value_enum, default_value = "text")]
        format: StateFormat,
    },
}

#[derive(Args)]
struct TenantArg {
    /// The tenant's short name or id; may be left out where there is only one.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

/// What is wanted of a history, and in which form. Times are those at which events were recorded.
#[derive(Args)]
struct HistoryArgs {
    #[command(flatten)]
    tenant: TenantArg,
    /// As it was at this moment: a position, @ and POSIX seconds, or a time as 2026-01-06T10:00:00Z; now, unless told.
    #[arg(long, value_name = "POSITION|TIME", value_parser = moment)]
    at: Option<Moment>,
    /// Recorded at or after: POSIX seconds, or a time as 2026-01-06T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<DateTime<Utc>>,
    /// Recorded before: POSIX seconds, or a time as 2026-01-06T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,
    /// Only events of this kind, as ChatTagged; may be given several times, or as a list with commas.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<String>,
    /// The form.
    #[arg(long, value_enum, default_value = "text")]
    format: HistoryFormat,
    /// Write to this file, which is there whole or not at all, instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum HistoryFormat {
    /// A table to read.
    Text,
    /// A table for spreadsheets.
    Csv,
    /// One event a line, with payload and metadata.
    Ndjson,
    /// A report with a picture, in one file.
    Html,
}

#[derive(Clone, Copy, ValueEnum)]
enum StateFormat {
    /// Lines to read.
    Text,
    /// One JSON object.
    Json,
}

/// Runs `audit …`.
pub async fn run(mut config: Config, args: AuditArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result.map(|()| ExitCode::SUCCESS)
}

async fn act(tools: &Tools, command: AuditCommand) -> Result<(), Failure> {
    let application = &tools.application;
    match command {
        AuditCommand::Chat { wa_id, history } => {
            let (tenant, slug) = found(tools, &history.tenant).await?;
            let subject = application.chat_subject(tenant, chat(&wa_id)?).await;
            tell(tools, (tenant, slug), named(subject, &wa_id)?, history).await
        }
        AuditCommand::User { name, history } => {
            let (tenant, slug) = found(tools, &history.tenant).await?;
            let subject = application.user_subject(tenant, &name).await;
            tell(tools, (tenant, slug), named(subject, &name)?, history).await
        }
        AuditCommand::Tag { name, history } => {
            let (tenant, slug) = found(tools, &history.tenant).await?;
            let subject = application.tag_subject(tenant, &name).await;
            tell(tools, (tenant, slug), named(subject, &name)?, history).await
        }
        AuditCommand::State { wa_id, tenant, at, format } => {
            let (tenant, _) = found(tools, &tenant).await?;
            let state = named(application.chat_as_of(tenant, chat(&wa_id)?, at).await, &wa_id)?;
            let mut output = std::io::stdout().lock();
            match format {
                StateFormat::Text => text::write_state(&mut output, &state)?,
                StateFormat::Json => writeln!(output, "{}", serde_json::to_string(&wire::ChatState::new(&state))?)?,
            }
            Ok(())
        }
    }
}

async fn tell(
    tools: &Tools,
    (tenant, slug): (TenantId, String),
    subject: Subject,
    args: HistoryArgs,
) -> Result<(), Failure> {
    if let Some(unknown) = unknown_kind(&args.kind) {
        let known = kinds().into_iter().collect::<Vec<_>>().join(", ");
        return Err(format!("no event is called {unknown:?}; there are: {known}").into());
    }
    let format = match args.format {
        HistoryFormat::Text => Format::Text,
        HistoryFormat::Csv => Format::Csv,
        HistoryFormat::Ndjson => Format::Ndjson,
        HistoryFormat::Html => Format::Html,
    };
    let wanted = Wanted { at: args.at, from: args.from, until: args.until, kinds: args.kind };
    let asked = history::Asked { tenant, slug, subject, wanted, format };
    let Some(path) = args.output else {
        let output = std::io::stdout();
        // Lines between those of a bar could not be read.
        let shows_progress = !output.is_terminal() || matches!(format, Format::Text | Format::Html);
        return whole_or_cut_off(history::write(tools, asked, output, shows_progress).await);
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let draft =
        NamedTempFile::new_in(folder).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    history::write(tools, asked, draft.as_file(), true).await?;
    draft.as_file().sync_all()?;
    draft.persist(&path).map_err(|error| format!("{} cannot be written: {}", path.display(), error.error))?;
    println!("{}", path.display());
    Ok(())
}

/// Whoever reads our output may have enough of it.
fn whole_or_cut_off(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(error) if is_broken_pipe(&*error) => Ok(()),
        result => result,
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
        || error.downcast_ref::<csv::Error>().is_some_and(|error| match error.kind() {
            csv::ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::BrokenPipe,
            _ => false,
        })
}

async fn found(tools: &Tools, arg: &TenantArg) -> Result<(TenantId, String), Failure> {
    let tenants = tools.tenants().await?;
    let Some(name) = &arg.tenant else {
        return match &tenants[..] {
            [one] => Ok((one.id, one.slug.clone())),
            [] => Err("there is no tenant yet".into()),
            several => {
                let slugs: Vec<&str> = several.iter().map(|tenant| tenant.slug.as_str()).collect();
                Err(format!("say --tenant: there are {}", slugs.join(", ")).into())
            }
        };
    };
    let found = tenants.iter().find(|tenant| tenant.slug == *name || tenant.id.to_string() == *name);
    found.map(|tenant| (tenant.id, tenant.slug.clone())).ok_or_else(|| format!("no tenant is called {name}").into())
}

fn chat(text: &str) -> Result<WaId, Failure> {
    WaId::parse(text).map_err(|_| format!("{text:?} is no WhatsApp id").into())
}

/// What is not there, by the name under which it was asked for.
fn named<T>(result: Result<T, ApplicationError>, name: &str) -> Result<T, Failure> {
    result.map_err(|error| match error {
        ApplicationError::UnknownChat => format!("nothing was recorded of a chat {name} by then").into(),
        ApplicationError::UnknownUser(_) => format!("no user is or was called {name}").into(),
        ApplicationError::UnknownTag(_) => format!("no tag is or was called {name}").into(),
        ApplicationError::SeveralOfThisName(ids) => {
            let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("several were called {name}; say which by its id: {ids}").into()
        }
        error => error.into(),
    })
}

fn moment(text: &str) -> Result<Moment, String> {
    let wanted = "neither a position, nor @ and POSIX seconds, nor a time as 2026-01-06T10:00:00Z";
    Moment::parse(text).ok_or_else(|| wanted.to_owned())
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    Wanted::parse_time(text).ok_or_else(|| "neither POSIX seconds nor a time as 2026-01-06T10:00:00Z".to_owned())
}
