//! The file that a customer's message, or one written in the phone app, brings along.

use serde::Deserialize;

use super::links::KINDS;
use crate::{chat::ChatEvent, ids::MessageId, raw_json::RawJson};

/// The longest id of WhatsApp's for a file, in bytes.
const MAX_ID: usize = 200;

/// A file as a message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingFile {
    /// Our id of the message.
    pub message_id: MessageId,
    /// WhatsApp's id of the file.
    pub waba_id: String,
    /// What WhatsApp says it is.
    pub mime_type: Option<String>,
    /// As WhatsApp writes it.
    pub sha256: Option<String>,
    /// The name that the customer gave it.
    pub filename: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    id: String,
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    filename: Option<String>,
}

impl IncomingFile {
    /// The file that came with an event.
    #[must_use]
    pub fn of(event: &ChatEvent) -> Option<Self> {
        match event {
            ChatEvent::MessageReceived(e) => read(e.message_id, &e.kind, &e.message),
            ChatEvent::MessageEchoed(e) => read(e.message_id, &e.kind, &e.message),
            _ => None,
        }
    }
}

fn read(message_id: MessageId, kind: &str, message: &RawJson) -> Option<IncomingFile> {
    let kind = KINDS.iter().find(|known| **known == kind)?;
    let tree = message.tree();
    let object = Object::deserialize(tree.get(kind)?).ok()?;
    let fine = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b'\\' | b'?' | b'#' | b'%');
    if object.id.is_empty() || object.id.len() > MAX_ID || !object.id.bytes().all(fine) {
        return None;
    }
    let Object { id: waba_id, mime_type, sha256, filename } = object;
    Some(IncomingFile { message_id, waba_id, mime_type, sha256, filename: filename.and_then(|name| tidy(&name)) })
}

/// A file's name without folders, control characters, invisible marks and leading dots; at most 240 characters.
#[must_use]
pub fn tidy(filename: &str) -> Option<String> {
    let last = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let shown: String = last.chars().filter(|c| !hidden(c)).collect();
    let name: String = shown.trim().trim_start_matches(['.', '\u{2024}', '\u{ff0e}']).chars().take(240).collect();
    (!name.trim().is_empty()).then_some(name)
}
