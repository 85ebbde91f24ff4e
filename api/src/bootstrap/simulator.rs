//! The WhatsApp simulator, beside a sandbox or alone.

use std::path::Path;

use chatledger_infrastructure::whatsapp::simulator::{SimulatedNumber, Simulator, SimulatorConfig};

use super::StartError;

/// A simulator that runs alone.
pub struct StandaloneSimulator(Simulator);

impl StandaloneSimulator {
    /// Starts it.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(
        listen: String,
        callback: String,
        app_secret: String,
        phone_number_id: String,
        access_token: String,
    ) -> Result<Self, StartError> {
        let listen =
            listen.parse().map_err(|_| StartError::Other(format!("{listen} is not an address like 127.0.0.1:8081")))?;
        let number = SimulatedNumber { phone_number_id, access_token, ..SimulatedNumber::default() };
        let callback_url = Some(callback);
        start(SimulatorConfig { listen, callback_url, app_secret, number, ..SimulatorConfig::default() }).map(Self)
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url().to_owned()
    }

    /// Stops it.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

pub(super) fn start(config: SimulatorConfig) -> Result<Simulator, StartError> {
    let listen = config.listen.to_string();
    Simulator::start(config).map_err(|error| StartError::Listen(listen, error))
}

/// Keeps a running sandbox's simulator findable for `simulate inbound`.
pub(super) fn note_url(dir: &Path, url: &str) -> Result<(), StartError> {
    let path = dir.join("simulator.url");
    std::fs::write(&path, url).map_err(|e| StartError::File(path.display().to_string(), e))
}

/// The simulator of the sandbox that runs on a data folder.
///
/// # Errors
/// When no sandbox has run there.
pub fn sandbox_simulator_url(dir: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(dir.join("simulator.url")).map_err(|_| {
        StartError::Other(format!(
            "no sandbox has run on {}; name its folder with --data-dir or the simulator with --simulator",
            dir.display()
        ))
    })
}
