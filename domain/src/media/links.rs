//! Media inside messages: where they are named, and how another name is put there without touching the rest.

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    ids::MediaId,
    raw_json::{Pairs, RawJson},
};

/// The keys under which media come.
pub const KINDS: [&str; 6] = ["image", "video", "audio", "voice", "document", "sticker"];

/// The beginning of every path of ours to a medium.
const PATH: &str = "/api/v1/media/";

/// How a media object names its file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// By an id, of WhatsApp's or ours.
    Id(String),
    /// By an address.
    Link(String),
}

/// How our own media are linked in what is recorded: without scheme, host and signature, which all may change.
#[must_use]
pub fn path_of(media: MediaId) -> String {
    format!("{PATH}{media}/")
}

/// The medium of such a link.
#[must_use]
pub fn own_path(link: &str) -> Option<MediaId> {
    Uuid::try_parse(link.strip_prefix(PATH)?.strip_suffix('/')?).ok().map(MediaId)
}

/// The media that a message names, wherever they stand: its own, a template's parameters, an interactive header.
#[must_use]
pub fn attachments(message: &RawJson) -> Vec<Attachment> {
    let mut found = Vec::new();
    let _ = with_attachments(message, |attachment| {
        found.push(attachment.clone());
        None
    });
    found
}

/// The message with some of its media named in another way; everything else byte by byte as it was.
#[must_use]
pub fn with_attachments(message: &RawJson, mut rename: impl FnMut(&Attachment) -> Option<Attachment>) -> RawJson {
    let text = message.text();
    if !text.contains("\"link\"") && !text.contains("\"id\"") {
        return message.clone();
    }
    let Ok(raw) = serde_json::from_str::<&RawValue>(text) else { return message.clone() };
    let renamed = walk(raw, "", &mut rename).and_then(|text| RawJson::parse(text).ok());
    renamed.unwrap_or_else(|| message.clone())
}

type Rename<'a> = dyn FnMut(&Attachment) -> Option<Attachment> + 'a;

/// The value's new text; `None` where it stays.
fn walk(value: &RawValue, key: &str, rename: &mut Rename<'_>) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'{' => {
            let pairs: Pairs<'_> = serde_json::from_str(value.get()).ok()?;
            if KINDS.contains(&key)
                && let Some(attachment) = attachment(&pairs)
            {
                return rename(&attachment).map(|to| named(&pairs, &to));
            }
            let texts: Vec<_> = pairs.0.iter().map(|(key, value)| (key, value, walk(value, key, rename))).collect();
            texts.iter().any(|(.., text)| text.is_some()).then(|| {
                let pairs = texts.iter().map(|(key, value, text)| pair(key, text.as_deref().unwrap_or(value.get())));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            })
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            let texts: Vec<_> = items.iter().map(|item| (item, walk(item, "", rename))).collect();
            texts.iter().any(|(_, text)| text.is_some()).then(|| {
                let items = texts.iter().map(|(item, text)| text.as_deref().unwrap_or(item.get()));
                format!("[{}]", items.collect::<Vec<_>>().join(","))
            })
        }
        _ => None,
    }
}

fn pair(key: &str, value: &str) -> String {
    format!("{}:{value}", serde_json::Value::from(key))
}

/// The link first: WhatsApp itself takes one or the other.
fn attachment(pairs: &Pairs<'_>) -> Option<Attachment> {
    pairs.text("link").map(Attachment::Link).or_else(|| pairs.text("id").map(Attachment::Id))
}

/// The object with this name of its file and no other, in the place of the old one.
fn named(pairs: &Pairs<'_>, to: &Attachment) -> String {
    let (name, value) = match to {
        Attachment::Id(id) => ("id", id),
        Attachment::Link(link) => ("link", link),
    };
    let mut new = Some(pair(name, &serde_json::Value::from(value.as_str()).to_string()));
    let pairs = pairs.0.iter().filter_map(|(key, value)| match key.as_str() {
        "id" | "link" => new.take(),
        key => Some(pair(key, value.get())),
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}
