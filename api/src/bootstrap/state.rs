//! What a sandbox keeps in its data folder beside the database: its secrets, readable by its owner only.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chatledger_application::ports::clock::Random;
use serde::{Deserialize, Serialize};

use super::StartError;

/// The secrets of a sandbox, made at its first start.
#[derive(Clone, Serialize, Deserialize)]
pub struct SandboxSecrets {
    /// Encrypts tokens at rest.
    pub master_key: String,
    /// Signs the simulator's webhooks.
    pub app_secret: String,
    /// What the server shows when the simulator verifies the webhook.
    pub verify_token: String,
    /// What the server shows the simulator when it sends.
    pub access_token: String,
    /// WhatsApp's id of the number.
    pub phone_number_id: String,
    /// The admin's password.
    pub admin_password: String,
    /// The agent's password.
    pub agent_password: String,
    /// The bot's password.
    pub bot_password: String,
}

impl SandboxSecrets {
    /// Those of the folder, or new ones.
    pub fn load_or_make(dir: &Path, random: &dyn Random) -> Result<Self, StartError> {
        let path = file(dir);
        if path.is_file() {
            let text = std::fs::read_to_string(&path).map_err(|e| StartError::File(path.display().to_string(), e))?;
            return serde_json::from_str(&text)
                .map_err(|e| StartError::Other(format!("{} is damaged: {e}", path.display())));
        }
        let secrets = Self {
            master_key: random.hex(32),
            app_secret: random.hex(16),
            verify_token: random.hex(16),
            access_token: format!("EAA{}", random.hex(24)),
            phone_number_id: "106540352242922".to_owned(),
            admin_password: password(random),
            agent_password: password(random),
            bot_password: password(random),
        };
        secrets.write(&path).map_err(|e| StartError::File(path.display().to_string(), e))?;
        Ok(secrets)
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        // Whole or not at all: a half-written file would lock the data up.
        let draft = path.with_extension("new");
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(draft, path)
    }
}

/// Never all digits, as no password may be.
fn password(random: &dyn Random) -> String {
    format!("demo{}", random.hex(12))
}

fn file(dir: &Path) -> PathBuf {
    dir.join("sandbox.json")
}
