//! The WhatsApp sender.
