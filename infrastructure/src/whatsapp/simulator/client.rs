//! Speaks to a running simulator: for the command line and for tests.

use reqwest::{Client, Response};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

pub use super::inbound::Received;
use super::{Behaviour, Delivered, Inbound, SimulatedNumber, state};

/// A client of the control paths.
#[derive(Clone, Debug)]
pub struct SimulatorClient {
    http: Client,
    url: String,
}

/// Why the simulator could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// It cannot be reached.
    #[error("the simulator cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    /// It refused.
    #[error("the simulator answered {status}: {body}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The answer.
        body: String,
    },
}

#[derive(Deserialize)]
struct Messages {
    messages: Vec<Delivered>,
}

/// What came of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Verified {
    /// The HTTP status of the callback.
    pub status: u16,
    /// Whether it echoed the challenge.
    pub ok: bool,
}

impl SimulatorClient {
    /// A client of the simulator at this address.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(url: &str) -> Result<Self, reqwest::Error> {
        Ok(Self { http: state::http()?, url: url.trim_end_matches('/').to_owned() })
    }

    /// Lets something come in.
    ///
    /// # Errors
    /// When the simulator cannot be reached, or does not understand.
    pub async fn inbound(&self, inbound: &Inbound) -> Result<Received, SimulatorError> {
        self.post("inbound", &serde_json::to_value(inbound).unwrap_or_default()).await
    }

    /// Lets a text come in.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn text(&self, from: &str, name: &str, text: &str) -> Result<Received, SimulatorError> {
        self.post("inbound", &json!({ "type": "text", "from": from, "name": name, "text": text })).await
    }

    /// Changes its behaviour; gives back the whole of it.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn behave(&self, change: &Behaviour) -> Result<Behaviour, SimulatorError> {
        self.post("behaviour", &serde_json::to_value(change).unwrap_or_default()).await
    }

    /// Everything that reached customers.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn messages(&self) -> Result<Vec<Delivered>, SimulatorError> {
        let answer = self.http.get(self.path("messages")).send().await?;
        Ok(read::<Messages>(answer).await?.messages)
    }

    /// Does the verification handshake.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn verify(&self) -> Result<Verified, SimulatorError> {
        self.post("verify", &Value::Null).await
    }

    /// Sets where webhooks go.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn set_callback(&self, url: &str) -> Result<(), SimulatorError> {
        self.post::<Value>("callback", &json!({ "url": url })).await.map(drop)
    }

    /// Adds a number.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn add_number(&self, number: &SimulatedNumber) -> Result<(), SimulatorError> {
        self.post::<Value>("numbers", &serde_json::to_value(number).unwrap_or_default()).await.map(drop)
    }

    /// Forgets messages and misbehaviour.
    ///
    /// # Errors
    /// As [`Self::inbound`].
    pub async fn reset(&self) -> Result<(), SimulatorError> {
        self.post::<Value>("reset", &Value::Null).await.map(drop)
    }

    fn path(&self, name: &str) -> String {
        format!("{}/simulator/{name}", self.url)
    }

    async fn post<T: DeserializeOwned>(&self, name: &str, body: &Value) -> Result<T, SimulatorError> {
        read(self.http.post(self.path(name)).json(body).send().await?).await
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, SimulatorError> {
    let status = answer.status();
    if !status.is_success() {
        return Err(SimulatorError::Refused { status: status.as_u16(), body: answer.text().await? });
    }
    Ok(answer.json().await?)
}
