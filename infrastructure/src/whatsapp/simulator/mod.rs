//! A WhatsApp to test against.
