//! `deliveries`: what webhooks were told, every attempt, and telling it again (R-OUT-4).

use std::process::ExitCode;

use chatledger_application::ports::deliveries::{DeliveryDetail, DeliveryEntry, DeliveryFilter, DeliveryState};
use chatledger_domain::WaId;
use chrono::DateTime;
use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::{
    DataArgs, Failure,
    webhooks::{WebhookArgs, find, time},
};
use crate::{
    bootstrap::{Config, Tools},
    integration::wire,
};

/// Deliveries.
#[derive(Args)]
pub struct DeliveriesArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: DeliveriesCommand,
}

/// Which deliveries.
#[derive(Args)]
struct Which {
    /// About this chat.
    #[arg(long, value_name = "WA_ID")]
    chat: Option<String>,
    /// Made at or after: POSIX seconds, or as 2026-01-06T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<i64>,
    /// Made before: POSIX seconds, or as 2026-01-06T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<i64>,
    /// In this state; may be given several times.
    #[arg(long, value_enum)]
    state: Vec<StateArg>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum StateArg {
    /// To be delivered.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Dead,
}

#[derive(Subcommand)]
enum DeliveriesCommand {
    /// List a webhook's deliveries, the newest first.
    List {
        #[command(flatten)]
        webhook: WebhookArgs,
        #[command(flatten)]
        which: Which,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Show a delivery with its body and its attempts.
    Show {
        /// The delivery's id: the header `webhook-id` of its calls.
        id: Uuid,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make deliveries again: the same ids and bytes, in the order of each chat.
    ///
    /// Say which: `--id`, `--chat`, or a time. Without `--state` those that were given up, and with `--id` whatever
    /// they are. Those of a disabled webhook wait until it is enabled.
    #[command(group = clap::ArgGroup::new("some").required(true).multiple(true).args(["id", "chat", "since", "before"]))]
    Replay {
        #[command(flatten)]
        webhook: WebhookArgs,
        /// This delivery; may be given several times.
        #[arg(long, conflicts_with_all = ["chat", "since", "before"])]
        id: Vec<Uuid>,
        #[command(flatten)]
        which: Which,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Runs `deliveries …`.
pub async fn run(mut config: Config, args: DeliveriesArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result.map(|()| ExitCode::SUCCESS)
}

async fn act(tools: &Tools, command: DeliveriesCommand) -> Result<(), Failure> {
    match command {
        DeliveriesCommand::List { webhook, which, limit, json } => {
            let webhook = find(tools, &webhook).await?;
            let filter = which.filter()?;
            let page = tools.deliveries().list(webhook.tenant, webhook.view.id, &filter, limit.max(0), 0).await?;
            if json {
                for entry in &page.rows {
                    println!("{}", serde_json::to_string(&wire::Delivery::new(entry))?);
                }
            } else {
                table(&page.rows, page.count);
            }
        }
        DeliveriesCommand::Show { id, json } => {
            let detail = search(tools, id).await?;
            if json {
                println!("{}", serde_json::to_string(&wire::DeliveryDetail::new(&detail))?);
            } else {
                show(&detail);
            }
        }
        DeliveriesCommand::Replay { webhook, id, which, json } => {
            let webhook = find(tools, &webhook).await?;
            let mut filter = which.filter()?;
            if filter.states.is_empty() {
                filter.states.push(DeliveryState::Dead);
                filter.states.extend((!id.is_empty()).then_some(DeliveryState::Delivered));
            }
            filter.ids = id;
            let replayed = tools.deliveries().replay(webhook.tenant, webhook.view.id, &filter).await?;
            if json {
                println!("{}", serde_json::json!({ "replayed": replayed }));
            } else {
                println!("{replayed} to be made again");
                if webhook.view.disabled.is_some() {
                    println!(
                        "the webhook is disabled: `webhooks enable {} --replay` has them delivered",
                        webhook.view.id
                    );
                }
            }
        }
    }
    Ok(())
}

impl Which {
    fn filter(&self) -> Result<DeliveryFilter, Failure> {
        let parsed = self.chat.as_deref().map(WaId::parse).transpose();
        let wa_id = parsed.map_err(|_| "--chat is no WhatsApp id")?.map(|wa_id| wa_id.to_string());
        let states = self.state.iter().map(|state| match state {
            StateArg::Pending => DeliveryState::Pending,
            StateArg::Delivered => DeliveryState::Delivered,
            StateArg::Dead => DeliveryState::Dead,
        });
        Ok(DeliveryFilter { states: states.collect(), ids: Vec::new(), wa_id, since: self.since, before: self.before })
    }
}

/// A delivery of whichever tenant.
async fn search(tools: &Tools, id: Uuid) -> Result<DeliveryDetail, Failure> {
    for tenant in tools.tenants().await? {
        if let Some(found) = tools.deliveries().get(tenant.id, None, id).await? {
            return Ok(found);
        }
    }
    Err("no such delivery; what was delivered is forgotten after a while".into())
}

fn moment(text: &str) -> Result<i64, String> {
    let parsed = text.parse().ok().or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp()));
    parsed.ok_or_else(|| "neither POSIX seconds nor a time as 2026-01-06T10:00:00Z".to_owned())
}

fn table(rows: &[DeliveryEntry], count: i64) {
    println!(
        "{:<36}  {:<9}  {:<19}  {:>8}  {:<19}  {:<6}  {:<24}  {:<16}  last error",
        "id", "state", "made", "attempts", "next attempt", "status", "keys", "chats"
    );
    for entry in rows {
        let last = entry.last.as_ref();
        println!(
            "{}  {:<9}  {:<19}  {:>8}  {:<19}  {:<6}  {:<24}  {:<16}  {}",
            entry.id,
            entry.state.as_str(),
            time(Some(entry.created_at)),
            entry.attempts,
            time(entry.next_attempt_at),
            last.and_then(|last| last.status).map_or_else(|| "-".to_owned(), |status| status.to_string()),
            entry.keys.join(","),
            entry.wa_ids.join(","),
            last.and_then(|last| last.error.as_deref()).unwrap_or("-"),
        );
    }
    println!("{} of {count} delivery(s)", rows.len());
}

fn show(DeliveryDetail { entry, body, log }: &DeliveryDetail) {
    println!("id:           {}", entry.id);
    println!("webhook:      {}", entry.receiver);
    println!("state:        {}", entry.state.as_str());
    println!("keys:         {}", entry.keys.join(", "));
    println!("chats:        {}", entry.wa_ids.join(", "));
    println!("made:         {}", time(Some(entry.created_at)));
    println!("next attempt: {}", time(entry.next_attempt_at));
    println!("attempts:     {} since it was made or replayed", entry.attempts);
    for attempt in log {
        let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let error = attempt.error.as_deref().map(|error| format!("  {error}")).unwrap_or_default();
        println!("  {}  {status}  {} ms{error}", time(Some(attempt.at)), attempt.duration_ms);
        if let Some(answer) = attempt.answer.as_deref().filter(|answer| !answer.is_empty()) {
            // Escaped: what a stranger answered must not steer a terminal.
            println!("    {}", answer.escape_debug());
        }
    }
    println!("body:");
    println!("{}", body.as_ref().map_or("(waits for the outcome of the message)", |body| body.text()));
}
