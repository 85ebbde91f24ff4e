//! `simulate`: WhatsApp on this machine.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::Failure;
use crate::bootstrap::{Config, StandaloneSimulator, http_client, init_logs, sandbox_simulator_url, until_signal};

/// Be WhatsApp.
#[derive(Args)]
pub struct SimulateArgs {
    #[command(subcommand)]
    command: SimulateCommand,
}

#[derive(Subcommand)]
enum SimulateCommand {
    /// Run the simulator alone, for a server of your own.
    Serve {
        /// Where it listens; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: String,
        /// Where it sends webhooks.
        #[arg(long, value_name = "URL")]
        callback: String,
        /// What it signs webhooks with.
        #[arg(long)]
        app_secret: String,
        /// WhatsApp's id of the number it plays.
        #[arg(long, default_value = "106540352242922")]
        phone_number_id: String,
        /// The access token it wants to see.
        #[arg(long, default_value = "simulator-access-token")]
        access_token: String,
    },
    /// Let a customer write, in a running sandbox.
    Inbound {
        /// The type of message: text, image, video, audio, voice, document, sticker, location, contacts, button,
        /// button_reply, list_reply, nfm_reply, order, reaction, system, unsupported …
        #[arg(long, default_value = "text")]
        r#type: String,
        /// The customer's WhatsApp id.
        #[arg(long, default_value = "351912000111")]
        from: String,
        /// The customer's name.
        #[arg(long, default_value = "Rui Costa")]
        name: String,
        /// The text of a text message.
        #[arg(long)]
        text: Option<String>,
        /// Any further field, JSON, as the simulator's documentation lists them: `--field caption='"receipt"'`.
        #[arg(long, value_name = "NAME=JSON")]
        field: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Tell the simulator of a running sandbox to misbehave: duplicates, delays, errors, cut connections …
    Behave {
        /// What to do, JSON, as the simulator's documentation lists it: '{"duplicates":2}'.
        behaviour: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Which simulator.
#[derive(Args)]
struct Target {
    /// The simulator's address; by default that of the sandbox in the data folder.
    #[arg(long, value_name = "URL")]
    simulator: Option<String>,
    /// The sandbox's data folder.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Runs `simulate …`.
pub async fn run(config: Config, args: SimulateArgs) -> Result<ExitCode, Failure> {
    match args.command {
        SimulateCommand::Serve { listen, callback, app_secret, phone_number_id, access_token } => {
            init_logs(&config);
            let simulator = StandaloneSimulator::start(listen, callback, app_secret, phone_number_id, access_token)?;
            println!("the simulator listens at {}", simulator.url());
            until_signal().await;
            simulator.stop().await;
            Ok(ExitCode::SUCCESS)
        }
        SimulateCommand::Inbound { r#type, from, name, text, field, target } => {
            let mut body = Map::from_iter([
                ("type".to_owned(), json!(r#type)),
                ("from".to_owned(), json!(from)),
                ("name".to_owned(), json!(name)),
            ]);
            if let Some(text) = text {
                body.insert("text".to_owned(), json!(text));
            }
            for pair in field {
                let (key, value) = pair.split_once('=').ok_or("--field wants NAME=JSON")?;
                let value: Value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                body.insert(key.to_owned(), value);
            }
            control(&config, &target, "inbound", &Value::Object(body)).await
        }
        SimulateCommand::Behave { behaviour, target } => {
            let behaviour = serde_json::from_str(&behaviour).map_err(|e| format!("the behaviour is no JSON: {e}"))?;
            control(&config, &target, "behaviour", &behaviour).await
        }
    }
}

async fn control(config: &Config, target: &Target, what: &str, body: &Value) -> Result<ExitCode, Failure> {
    let url = match &target.simulator {
        Some(url) => url.clone(),
        None => {
            let dir = target.data_dir.clone().unwrap_or_else(|| PathBuf::from(&config.data_dir));
            sandbox_simulator_url(&dir)?
        }
    };
    let url = format!("{}/simulator/{what}", url.trim_end_matches('/'));
    let answer = http_client()?.post(&url).json(body).send().await;
    let answer =
        answer.map_err(|e| format!("the simulator at {url} does not answer ({e}); is the sandbox running?"))?;
    let ok = answer.status().is_success();
    println!("{}", answer.text().await?);
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
