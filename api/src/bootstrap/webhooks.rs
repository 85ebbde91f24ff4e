//! WhatsApp's webhooks as the application sees them, with the deployment's secrets.

use chatledger_application::ports::whatsapp::{Call, NotACall, Routed, Webhooks};
use chatledger_infrastructure::whatsapp::{self, signature};
use sha2::{Digest, Sha256};

/// Checks and reads webhooks.
pub struct SignedWebhooks {
    pub app_secrets: Vec<String>,
    pub verify_token: Option<String>,
}

impl Webhooks for SignedWebhooks {
    fn is_signed(&self, header: &str, body: &[u8]) -> bool {
        signature::verify(&self.app_secrets, Some(header), body)
    }

    fn is_verify_token(&self, token: &str) -> bool {
        // Digests, so that the time of the comparison tells nothing about the token.
        self.verify_token.as_deref().is_some_and(|own| Sha256::digest(own) == Sha256::digest(token))
    }

    fn read(&self, body: &[u8]) -> Result<Call, NotACall> {
        whatsapp::read(body).map_err(|error| NotACall(error.to_string()))
    }

    fn envelope(&self, routed: &Routed) -> Vec<u8> {
        whatsapp::body_of(routed)
    }
}
