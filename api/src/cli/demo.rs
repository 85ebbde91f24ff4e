//! `demo`: a real conversation through the public doors of a sandbox, told step by step.

use std::{process::ExitCode, time::Duration};

use chatledger_domain::Position;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Failure, ListenArgs, ledger, ready};
use crate::bootstrap::{Config, Login, Sandbox, http_client, init_logs, until_signal};

/// The customer of the play. A new one each time, so that a second play starts from the beginning, too.
const CUSTOMER_PREFIX: &str = "351912";

/// Plays, then serves until told to stop.
pub async fn run(mut config: Config, args: ListenArgs) -> Result<ExitCode, Failure> {
    args.apply(&mut config);
    if config.log_filter.starts_with("info") {
        // The play is the output; what the server says of itself would stand between its lines.
        config.log_filter = "warn,actix_http::h1::dispatcher=off".to_owned();
    }
    init_logs(&config);
    let sandbox = Sandbox::start(config).await?;
    let mut play = Play::new(&sandbox, args.json).await?;
    let result = play.perform().await;
    if let Err(error) = result {
        sandbox.stop().await;
        return Err(format!("the demo did not go as it should: {error}").into());
    }
    if args.json {
        println!("{}", ready::json(&sandbox));
    } else {
        ready::print(&sandbox);
    }
    until_signal().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}

struct Play<'a> {
    sandbox: &'a Sandbox,
    http: reqwest::Client,
    customer: String,
    seen: Position,
    step: u32,
    silent: bool,
}

impl<'a> Play<'a> {
    async fn new(sandbox: &'a Sandbox, silent: bool) -> Result<Self, Failure> {
        let head = sandbox.server.head(sandbox.tenant).await?;
        let customer = format!("{CUSTOMER_PREFIX}{:06}", 111 + head.0 % 999_000);
        Ok(Self { sandbox, http: http_client()?, customer, seen: head, step: 0, silent })
    }

    async fn perform(&mut self) -> Result<(), Failure> {
        let Self { sandbox, customer, .. } = &*self;
        let (sandbox, customer) = (*sandbox, customer.clone());
        let (admin, agent, bot) = (&sandbox.admin, &sandbox.agent, &sandbox.bot);
        let assignment = format!("chat_assignment/{customer}/");

        let tag = self.tag(admin, "Agent needed").await?;
        self.rules(admin, bot, tag).await?;
        self.tell("The admin makes rules: new chats go to the bot, those tagged \"Agent needed\" to the agents", true)
            .await?;

        let inbound = json!({"type": "text", "from": customer, "name": "Rui Costa", "text": "Is my order ready?"});
        let received = self.simulator("inbound", inbound).await?;
        let message = received["id"].as_str().unwrap_or_default().to_owned();
        self.tell("A customer writes; WhatsApp calls our webhook with a signed body", true).await?;

        self.until_held(admin, &assignment, json!(bot.id.0)).await?;
        self.tell("The rule engine assigns the chat to the bot", true).await?;

        let reply = json!({"wa_id": customer, "type": "text", "text": {"body": "One moment, I am getting a person."}});
        self.api(bot, Method::POST, "messages/", reply).await?;
        self.tell("The bot answers, and WhatsApp takes the message", true).await?;

        self.api(bot, Method::POST, "message_tagging/", json!({"tag": tag, "message": message})).await?;
        self.tell("The bot tags the customer's message; the chat is tagged with it", true).await?;

        self.until_held(admin, &assignment, Value::Null).await?;
        self.api(agent, Method::PATCH, &assignment, json!({"assigned_to_user": agent.id.0})).await?;
        self.tell("The rule engine gives the chat to the agents' group, and the agent takes it", true).await?;

        let reply = json!({"wa_id": customer, "type": "text", "text": {"body": "Yes, it is on its way."}});
        let sent = self.api(agent, Method::POST, "messages/", reply).await?;
        self.tell("The agent answers", true).await?;

        self.until_read(agent, sent["id"].as_str().unwrap_or_default()).await?;
        self.tell("WhatsApp reports: sent, delivered, read", true).await?;

        let chat = self.api(agent, Method::GET, &format!("chats/{customer}/"), Value::Null).await?;
        let unread = chat["new_messages"].as_i64().unwrap_or(-1);
        let newest = chat["contact"]["last_message_timestamp"].clone();
        let mark = json!({"customer_wa_id": customer, "timestamp": newest});
        self.api(agent, Method::POST, "mark_as_received/", mark).await?;
        self.tell(&format!("The agent had {unread} new message(s) and marks them as received"), true).await?;

        let path = format!("chat_assignment_events/?wa_id={customer}");
        let history = self.api(agent, Method::GET, &path, Value::Null).await?;
        self.say(&format!("The chat's assignment history has {} entries:", history["count"]));
        for event in history["results"].as_array().into_iter().flatten().rev() {
            let name = |user: &Value| user["username"].as_str().unwrap_or("nobody").to_owned();
            let group = event["assigned_group_set"]["name"].as_str().map(|group| format!(" and group {group}"));
            let (to, done_by) = (name(&event["assigned_to_user_set"]), event["done_by"]["username"].as_str());
            let done_by = done_by.unwrap_or("the rule engine");
            self.print(&format!("      to {to}{}, done by {done_by}", group.unwrap_or_default()));
        }
        let (events, hash) = sandbox.server.verify(sandbox.tenant).await?;
        self.say(&format!("The ledger is in order: {events} events, head hash {hash}"));
        Ok(())
    }

    /// The id of a tag, made where there is none yet.
    async fn tag(&self, by: &Login, name: &str) -> Result<i64, Failure> {
        let tags = self.api(by, Method::GET, "tags/?limit=1000", Value::Null).await?;
        let known = tags["results"].as_array().into_iter().flatten().find(|tag| tag["name"] == name);
        let id = match known {
            Some(tag) => tag["id"].as_i64(),
            None => {
                let new = json!({"name": name, "web_inbox_color": "#d32f2f"});
                self.api(by, Method::POST, "tags/", new).await?["id"].as_i64()
            }
        };
        id.ok_or_else(|| "the tag has no id".into())
    }

    /// Makes the two rules of the play, where there are none yet.
    async fn rules(&self, by: &Login, bot: &Login, tag: i64) -> Result<(), Failure> {
        let rules = self.api(by, Method::GET, "settings/rule_engine/rules/", Value::Null).await?;
        if rules["count"].as_i64() > Some(0) {
            return Ok(());
        }
        let groups = self.api(by, Method::GET, "groups/", Value::Null).await?;
        let agents = groups["results"].as_array().into_iter().flatten().find(|group| group["name"] == "Regular user");
        let agents = agents.map(|group| group["id"].clone()).ok_or("there is no group of agents")?;
        let fresh = json!({"assign_to_user": bot.id.0});
        let tagged = json!({"tagged_with": tag, "assign_to_group": agents, "group_assign_method": "let_group_decide"});
        for rule in [fresh, tagged] {
            self.api(by, Method::POST, "settings/rule_engine/rules/", rule).await?;
        }
        Ok(())
    }

    /// Waits until the chat is a user's, or nobody's.
    async fn until_held(&self, by: &Login, assignment: &str, user: Value) -> Result<(), Failure> {
        for _ in 0..100 {
            if self.api(by, Method::GET, assignment, Value::Null).await?["assigned_to_user"] == user {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the rule engine did nothing within five seconds".into())
    }

    async fn until_read(&self, by: &Login, id: &str) -> Result<(), Failure> {
        let path = format!("messages/?wa_id={}", self.customer);
        for _ in 0..100 {
            let page = self.api(by, Method::GET, &path, Value::Null).await?;
            let message = page["results"].as_array().into_iter().flatten().find(|message| message["id"] == id);
            if message.is_some_and(|message| message["waba_statuses"]["read"].as_i64() > Some(0)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("no status `read` came within five seconds".into())
    }

    async fn api(&self, by: &Login, method: Method, path: &str, body: Value) -> Result<Value, Failure> {
        let url = format!("{}/api/v1/{path}", self.sandbox.server.base_url);
        let mut request = self.http.request(method.clone(), url).header("Authorization", format!("Token {}", by.token));
        if !body.is_null() {
            request = request.json(&body);
        }
        answer(&format!("{method} {path}"), request).await
    }

    async fn simulator(&self, path: &str, body: Value) -> Result<Value, Failure> {
        let url = format!("{}/simulator/{path}", self.sandbox.simulator_url);
        answer(path, self.http.post(url).json(&body)).await
    }

    /// Says what happened, then what was recorded because of it.
    async fn tell(&mut self, what: &str, wait: bool) -> Result<(), Failure> {
        if wait {
            // Statuses come by themselves; give them a moment to stand with the step that caused them.
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        self.say(what);
        let events = self.sandbox.server.recorded_after(self.sandbox.tenant, self.seen).await?;
        for event in &events {
            self.print(&format!("    {}", shorten(&ledger::line(event))));
        }
        if let Some(last) = events.last() {
            self.seen = Position(last.position.parse().unwrap_or(self.seen.0));
        }
        Ok(())
    }

    fn say(&mut self, what: &str) {
        self.step += 1;
        self.print(&format!("\n{:>2}. {what}", self.step));
    }

    fn print(&self, line: &str) {
        if !self.silent {
            println!("{line}");
        }
    }
}

async fn answer(what: &str, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        return Err(format!("{what} answered {status}: {text}").into());
    }
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn shorten(line: &str) -> String {
    let short: String = line.chars().take(170).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}
