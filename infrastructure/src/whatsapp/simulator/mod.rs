//! A WhatsApp to test against: shaped like the Graph API, over real HTTP, on a port of its own, all in memory.
//!
//! | path | what it does |
//! |---|---|
//! | `POST [/v23.0]/{phone_number_id}/messages` | takes a message (bearer token), then reports its statuses, signed |
//! | `POST /messages`, `POST /v1/messages` | the same for 360dialog (Cloud form) and on-premises (flat form), `D360-API-KEY` |
//! | `POST [/v23.0]/{phone_number_id}/media`, `/media`, `/v1/media` | keeps media: multipart, or the bytes alone |
//! | `GET`, `DELETE [/v23.0]/{media_id}`, `/v1/media/{id}` | where media is, or (on-premises) the bytes; forgets it |
//! | `GET /download/{media_id}` | the bytes |
//! | `GET [/v23.0]/{phone_number_id}` | the number |
//! | `GET`, `POST`, `DELETE [/v23.0]/{waba_id}/message_templates` | templates; a new one is decided on by webhook |
//! | `GET`, `POST /v1/configs/templates`, `DELETE …/{name}` | templates in 360dialog's form |
//! | `GET`, `POST [/v23.0]/{phone_number_id}/whatsapp_business_profile`, `/whatsapp_business_profile` | the profile |
//! | `GET`, `POST /v1/settings/business/profile`, `GET`, `PATCH /v1/settings/profile/about` | the same on-premises |
//! | `POST /v1/contacts` | which numbers are on WhatsApp (on-premises) |
//! | `POST /simulator/inbound` | a customer writes, see [`Inbound`]; answers `{id, ids, wa_id, status}` |
//! | `GET`, `POST /simulator/behaviour` | how it misbehaves, see [`Behaviour`]; fields left out stay |
//! | `GET /simulator/messages` | everything that reached customers, with callback data and attempts: [`Delivered`] |
//! | `GET`, `POST /simulator/templates` | all templates; another list of them |
//! | `GET`, `POST /simulator/profiles` | business profiles by number; changes of them |
//! | `POST /simulator/photos/{number}` | the photo of a profile from now on |
//! | `POST [/v23.0]/app/uploads`, `/uploads`, then `…/{session}` | takes a photo, to be named by its handle |
//! | `GET`, `POST`, `DELETE /v1/settings/profile/photo` | the photo on-premises |
//! | `GET /simulator/calls` | how often it was asked about the account, by question |
//! | `GET`, `POST /simulator/media[/{id}]` | a file's bytes, without a credential; keeps one (`?id=`), answers `{id, sha256}` |
//! | `GET /simulator/webhooks` | how many calls to the callback were answered, by HTTP status |
//! | `POST /simulator/verify` | the verification handshake with the callback; answers `{status, ok}` |
//! | `POST /simulator/callback` | `{url?, channel_url?}`: where webhooks go |
//! | `POST /simulator/numbers` | another [`SimulatedNumber`] |
//! | `POST /simulator/reset` | forgets messages and misbehaviour |
//!
//! Webhooks are signed with the app secret, sent again with the same body until the answer is 200, and carry
//! `biz_opaque_callback_data`, `conversation` and `pricing` as WhatsApp's do.

mod account;
mod behaviour;
pub mod client;
mod contacts;
mod control;
mod deliver;
mod fault;
mod inbound;
mod media;
mod messages;
mod profile;
mod sample;
mod state;
mod templates;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
};

use actix_web::{App, HttpServer, dev::ServerHandle, web};
pub use behaviour::{AccountFault, Behaviour, Cut, Fail, Hang, HttpFault, MediaFault, MediaWoe, Statuses, When};
pub use inbound::Inbound;
use state::State;
pub use state::{Delivered, SimulatedNumber};

/// The largest body that is taken, in bytes: media.
const MAX_BODY: usize = 100 << 20;

/// What a simulator is started with.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where webhooks go: `…/api/v1/whatsapp/webhooks`. Can be set later.
    pub callback_url: Option<String>,
    /// The tenant's own door, `…/hooks/waba/{channel_secret}`, for the flat form. Can be set later.
    pub channel_callback_url: Option<String>,
    /// The secret that webhooks are signed with.
    pub app_secret: String,
    /// The token of the verification handshake.
    pub verify_token: String,
    /// The first number.
    pub number: SimulatedNumber,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            callback_url: None,
            channel_callback_url: None,
            app_secret: "simulated-app-secret".to_owned(),
            verify_token: "simulated-verify-token".to_owned(),
            number: SimulatedNumber::default(),
        }
    }
}

/// A running simulator, on a thread of its own. Dropping it stops it.
pub struct Simulator {
    url: String,
    state: Arc<State>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts one.
    ///
    /// # Errors
    /// When the port is taken, or TLS for calls to the callback cannot be set up.
    pub fn start(config: SimulatorConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen)?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(State::new(config, url.clone()).map_err(io::Error::other)?);
        let (started, ready) = std::sync::mpsc::channel();
        let shared = state.clone();
        let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            let run = async move {
                let shared = web::Data::from(shared);
                let app = move || {
                    App::new()
                        .app_data(shared.clone())
                        .app_data(web::PayloadConfig::new(MAX_BODY))
                        .app_data(web::JsonConfig::default().limit(MAX_BODY))
                        .configure(control::routes)
                        .configure(messages::routes)
                        .configure(templates::routes)
                        .configure(profile::routes)
                        .configure(media::routes)
                        .configure(contacts::routes)
                };
                // One worker: deliveries are tasks of the worker that took the message.
                match HttpServer::new(app).workers(1).disable_signals().listen(listener) {
                    Ok(server) => {
                        let server = server.run();
                        let _ = started.send(Ok(server.handle()));
                        let _ = server.await;
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            };
            actix_web::rt::System::new().block_on(run);
        })?;
        let handle = ready.recv().map_err(io::Error::other)??;
        Ok(Self { url, state, handle, thread: Some(thread) })
    }

    /// Where it is reached, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets where webhooks go.
    pub fn set_callback(&self, url: impl Into<String>) {
        self.state.lock().callback_url = Some(url.into());
    }

    /// Sets where webhooks in the flat form go.
    pub fn set_channel_callback(&self, url: impl Into<String>) {
        self.state.lock().channel_callback_url = Some(url.into());
    }

    /// Adds a number.
    pub fn add_number(&self, number: SimulatedNumber) {
        self.state.lock().add_number(number);
    }

    /// Everything that reached customers.
    #[must_use]
    pub fn delivered(&self) -> Vec<Delivered> {
        self.state.lock().delivered.clone()
    }

    /// Changes how it behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state.lock().behaviour = behaviour;
    }

    /// A client of its control paths.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn client(&self) -> Result<client::SimulatorClient, reqwest::Error> {
        client::SimulatorClient::new(&self.url)
    }

    /// Stops it; webhooks that were not taken yet are dropped.
    pub async fn stop(mut self) {
        self.handle.stop(false).await;
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits for the end.
        drop(self.handle.stop(false));
    }
}
