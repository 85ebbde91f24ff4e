//! What WhatsApp brings.

mod quarantine;
mod receive;
mod record;

pub use quarantine::Retried;
pub use receive::WebhookVerdict;
