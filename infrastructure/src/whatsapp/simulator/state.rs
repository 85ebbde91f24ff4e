//! What the simulator remembers.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use reqwest::{Client, redirect::Policy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::{Behaviour, SimulatorConfig, profile::Photo};

/// Webhooks under way at once.
const DELIVERIES: usize = 64;

/// A number of the simulated WhatsApp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimulatedNumber {
    /// WhatsApp's id of it.
    pub phone_number_id: String,
    /// The number as people read it.
    pub display_phone_number: String,
    /// The WhatsApp business account that owns it.
    pub waba_id: String,
    /// The bearer token or API key that may send from it.
    pub access_token: String,
}

impl Default for SimulatedNumber {
    fn default() -> Self {
        Self {
            phone_number_id: "100000000000001".to_owned(),
            display_phone_number: "351210000001".to_owned(),
            waba_id: "200000000000001".to_owned(),
            access_token: "simulated-access-token".to_owned(),
        }
    }
}

/// A message that reached a customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivered {
    /// WhatsApp's id.
    pub id: String,
    /// The number it was sent from.
    pub phone_number_id: String,
    /// The customer.
    pub to: String,
    /// WhatsApp's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The data that comes back with statuses.
    #[serde(default)]
    pub biz_opaque_callback_data: Option<String>,
    /// POSIX milliseconds at which it was taken.
    pub taken_at: i64,
    /// The request's body.
    pub message: Value,
}

/// A kept media file.
#[derive(Clone)]
pub(super) struct Media {
    pub(super) mime_type: String,
    pub(super) sha256: String,
    pub(super) bytes: actix_web::web::Bytes,
}

/// The part behind the lock.
pub(super) struct Memory {
    pub(super) callback_url: Option<String>,
    pub(super) channel_callback_url: Option<String>,
    pub(super) behaviour: Behaviour,
    pub(super) numbers: Vec<SimulatedNumber>,
    pub(super) delivered: Vec<Delivered>,
    /// What was reported as read: the bodies of the calls, in order.
    pub(super) reads: Vec<Value>,
    pub(super) media: HashMap<String, Media>,
    pub(super) templates: Vec<Value>,
    /// Business profiles by number.
    pub(super) profiles: HashMap<String, Map<String, Value>>,
    /// Photos of profiles, by number.
    pub(super) photos: HashMap<String, Photo>,
    /// Uploads by session and handle.
    pub(super) uploads: HashMap<String, Photo>,
    /// Calls about the account, by what was asked.
    pub(super) calls: BTreeMap<String, u64>,
    /// Numbers that were asked for.
    pub(super) checked: HashSet<String>,
    /// Calls to the callback by HTTP status; 0 for none.
    pub(super) webhooks: BTreeMap<u16, u64>,
}

/// Everything the handlers share.
pub(super) struct State {
    pub(super) url: String,
    pub(super) app_secret: String,
    pub(super) verify_token: String,
    pub(super) http: Client,
    pub(super) places: Semaphore,
    memory: Mutex<Memory>,
}

impl State {
    pub(super) fn new(config: SimulatorConfig, url: String) -> reqwest::Result<Self> {
        Ok(Self {
            url,
            app_secret: config.app_secret,
            verify_token: config.verify_token,
            http: http()?,
            places: Semaphore::new(DELIVERIES),
            memory: Mutex::new(Memory {
                callback_url: config.callback_url,
                channel_callback_url: config.channel_callback_url,
                behaviour: Behaviour::default(),
                numbers: vec![config.number],
                delivered: Vec::new(),
                reads: Vec::new(),
                media: HashMap::new(),
                templates: templates(),
                profiles: HashMap::new(),
                photos: HashMap::new(),
                uploads: HashMap::new(),
                calls: BTreeMap::new(),
                checked: HashSet::new(),
                webhooks: BTreeMap::new(),
            }),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    pub(super) fn add_number(&mut self, number: SimulatedNumber) {
        self.numbers.retain(|known| known.phone_number_id != number.phone_number_id);
        self.numbers.push(number);
    }

    pub(super) fn number(&self, phone_number_id: &str) -> Option<&SimulatedNumber> {
        self.numbers.iter().find(|number| number.phone_number_id == phone_number_id)
    }

    /// Keeps a file; gives back its id.
    pub(super) fn keep(&mut self, mime_type: String, bytes: actix_web::web::Bytes) -> String {
        use sha2::Digest;
        let id = number_id();
        let sha256 = hex::encode(sha2::Sha256::digest(&bytes));
        self.media.insert(id.clone(), Media { mime_type, sha256, bytes });
        id
    }
}

/// An HTTP client that goes nowhere but where it is told.
pub(super) fn http() -> reqwest::Result<Client> {
    // Fails only when a provider is set already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(Policy::none()).timeout(Duration::from_secs(30)).build()
}

/// A new id of a message.
pub(super) fn wamid() -> String {
    let random: [u8; 24] = rand::random();
    format!("wamid.{}", URL_SAFE_NO_PAD.encode(random))
}

/// A new id in digits.
pub(super) fn number_id() -> String {
    (rand::random::<u64>() % 9_000_000_000_000_000 + 1_000_000_000_000_000).to_string()
}

/// Now, POSIX seconds, as WhatsApp writes them.
pub(super) fn now() -> String {
    Utc::now().timestamp().to_string()
}

fn templates() -> Vec<Value> {
    let template = |name: &str, language: &str, category: &str, text: &str| {
        json!({
            "id": number_id(), "name": name, "language": language, "category": category, "status": "APPROVED",
            "components": [{ "type": "BODY", "text": text }],
        })
    };
    vec![
        template("hello_world", "en_US", "UTILITY", "Welcome and congratulations!"),
        template("order_update", "en", "UTILITY", "Hello {{1}}, your order {{2}} is on its way."),
        template("ola", "pt_PT", "MARKETING", "Olá {{1}}!"),
    ]
}
