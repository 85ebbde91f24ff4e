//! `webhooks`: the programs that are told, and calling one again that was disabled (R-OUT-4).

use std::process::ExitCode;

use chatledger_domain::WebhookId;
use chrono::DateTime;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{DataArgs, Failure};
use crate::bootstrap::{Config, ToolWebhook, Tools};

/// Webhooks.
#[derive(Args)]
pub struct WebhooksArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: WebhooksCommand,
}

/// Which webhook is meant.
#[derive(Args)]
pub(super) struct WebhookArgs {
    /// The webhook's id, as `webhooks list` shows it.
    webhook: i64,
    /// The tenant's short name; needed where several tenants have a webhook with this id.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

#[derive(Subcommand)]
enum WebhooksCommand {
    /// List the webhooks with how their deliveries are.
    List {
        /// Of the tenant with this short name only.
        #[arg(long, value_name = "SLUG")]
        tenant: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Call a webhook again that was disabled after days of nothing but failures.
    ///
    /// What was kept for it meanwhile is given up unless `--replay` is there; it can be replayed later with `deliveries
    /// replay`.
    Enable {
        #[command(flatten)]
        webhook: WebhookArgs,
        /// Deliver everything since it began to fail, in order.
        #[arg(long)]
        replay: bool,
    },
}

/// Runs `webhooks …`.
pub async fn run(mut config: Config, args: WebhooksArgs) -> Result<ExitCode, Failure> {
    args.data.apply(&mut config);
    let tools = Tools::open(config).await?;
    let result = act(&tools, args.command).await;
    tools.close().await;
    result.map(|()| ExitCode::SUCCESS)
}

async fn act(tools: &Tools, command: WebhooksCommand) -> Result<(), Failure> {
    match command {
        WebhooksCommand::List { tenant, json } => {
            let webhooks = tools.webhooks(tenant.as_deref()).await?;
            if json {
                webhooks.iter().for_each(|webhook| println!("{}", line(webhook)));
            } else {
                table(&webhooks);
            }
        }
        WebhooksCommand::Enable { webhook, replay } => {
            let webhook = find(tools, &webhook).await?;
            if webhook.view.disabled.is_none() {
                println!("it is not disabled");
                return Ok(());
            }
            tools.application.let_webhook_be_called(webhook.tenant, webhook.view.id, replay).await?;
            let after = tools.deliveries().conditions(webhook.tenant, &[webhook.view.id]).await?;
            let after = after.first().copied().unwrap_or_default();
            println!("enabled; to be delivered: {}, given up: {}", after.pending, after.dead);
        }
    }
    Ok(())
}

/// The one webhook that is meant.
pub(super) async fn find(tools: &Tools, args: &WebhookArgs) -> Result<ToolWebhook, Failure> {
    let mut found = tools.webhooks(args.tenant.as_deref()).await?;
    found.retain(|webhook| webhook.view.id == WebhookId(args.webhook));
    match found.len() {
        0 => Err(format!("no webhook has the id {}; `webhooks list` shows all", args.webhook).into()),
        1 => Ok(found.remove(0)),
        _ => {
            let tenants: Vec<&str> = found.iter().map(|webhook| webhook.slug.as_str()).collect();
            Err(format!("say --tenant: there is a webhook {} of {}", args.webhook, tenants.join(", ")).into())
        }
    }
}

fn state(webhook: &ToolWebhook) -> (&'static str, Option<i64>) {
    match (&webhook.view.disabled, webhook.condition.failing_since) {
        (Some(disabled), _) => ("disabled", Some(disabled.since)),
        (None, Some(since)) => ("failing", Some(since)),
        (None, None) => ("enabled", None),
    }
}

fn table(webhooks: &[ToolWebhook]) {
    println!(
        "{:<12}  {:<8}  {:<16}  {:<36}  {:<8}  {:>9}  {:>7}  failing since",
        "tenant", "id", "user", "origin", "state", "pending", "dead"
    );
    for webhook in webhooks {
        let (state, since) = state(webhook);
        println!(
            "{:<12}  {:<8}  {:<16}  {:<36}  {state:<8}  {:>9}  {:>7}  {}",
            webhook.slug,
            webhook.view.id.0,
            webhook.view.username,
            webhook.view.endpoint.origin,
            webhook.condition.pending,
            webhook.condition.dead,
            time(since)
        );
    }
    println!("{} webhook(s)", webhooks.len());
}

fn line(webhook: &ToolWebhook) -> serde_json::Value {
    let (state, failing_since) = state(webhook);
    json!({
        "tenant": webhook.slug, "id": webhook.view.id.0, "user": webhook.view.username,
        "origin": webhook.view.endpoint.origin, "state": state, "pending": webhook.condition.pending,
        "dead": webhook.condition.dead, "oldest_pending_at": webhook.condition.oldest_pending_at,
        "failing_since": failing_since, "disabled_at": webhook.view.disabled.as_ref().map(|disabled| disabled.at),
    })
}

/// A time for people; `-` for none.
pub(super) fn time(seconds: Option<i64>) -> String {
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}
