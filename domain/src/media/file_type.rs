//! What a file is, found in its bytes, and how large it may be (R-MED-1).
//!
//! What a client says about its file decides only between types that look alike: a program never becomes a picture.

/// So many bytes of the start tell what a file is.
pub const HEAD: usize = 64 * 1024;

/// The kinds of files that WhatsApp tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// A sticker: WebP.
    Sticker,
    /// Anything else.
    Document,
}

impl Class {
    /// The largest file, in bytes (R-MED-1).
    #[must_use]
    pub fn limit(self) -> u64 {
        match self {
            Self::Sticker => 500 << 10,
            Self::Image => 5 << 20,
            Self::Audio | Self::Video => 16 << 20,
            Self::Document => 100 << 20,
        }
    }

    /// The word for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Sticker => "sticker",
            Self::Document => "document",
        }
    }
}

/// Who says what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A client, who may say anything.
    Client,
    /// WhatsApp, which has looked at it; believed where the bytes tell nothing.
    WhatsApp,
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileType {
    /// Its MIME type.
    pub mime_type: String,
    /// Its class.
    pub class: Class,
}

/// Text in the eyes of WhatsApp and harmless in a browser.
const TEXTS: &[&str] =
    &["text/plain", "text/csv", "text/calendar", "text/vcard", "text/x-vcard", "text/markdown", "application/json"];

/// Types that share a container and cannot be told apart by its first bytes.
const ALIKE: &[&[&str]] = &[
    &["video/mp4", "audio/mp4", "video/3gpp", "audio/3gpp", "video/quicktime", "video/x-m4v"],
    &["audio/ogg", "audio/opus", "video/ogg"],
    &["video/webm", "audio/webm", "video/x-matroska"],
    &[
        "application/x-ole-storage",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.ms-outlook",
    ],
    &[
        "application/zip",
        "application/epub+zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
    ],
    TEXTS,
];

const UNKNOWN: &str = "application/octet-stream";

impl FileType {
    /// What a file is whose first bytes these are (all of it, or [`HEAD`]); `declared` is what its sender says.
    #[must_use]
    pub fn detect(head: &[u8], declared: Option<&str>, source: Source) -> Self {
        let declared = declared.map(essence);
        let found = found(head);
        let alike = |group: &&&[&str]| group.contains(&found);
        let mime_type = match &declared {
            Some(said) if ALIKE.iter().find(alike).is_some_and(|group| group.contains(&said.as_str())) => said.as_str(),
            Some(said) if source == Source::WhatsApp && tells_nothing(found) && is_plain(said) => said.as_str(),
            _ => found,
        };
        Self::of(mime_type)
    }

    /// The type of this name.
    #[must_use]
    pub fn of(mime_type: &str) -> Self {
        let class = match mime_type.split_once('/').map_or("", |(kind, _)| kind) {
            _ if mime_type == "image/webp" => Class::Sticker,
            _ if is_script(mime_type) => Class::Document,
            "image" => Class::Image,
            "audio" => Class::Audio,
            "video" => Class::Video,
            _ => Class::Document,
        };
        Self { mime_type: mime_type.to_owned(), class }
    }

    /// Whether a browser may show it beside our pages: pictures, sound and film run nothing.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.class != Class::Document
    }

    /// Under which type it is served: what a browser could run is not called by its name.
    #[must_use]
    pub fn served_as(&self) -> &str {
        if is_script(&self.mime_type) { UNKNOWN } else { &self.mime_type }
    }
}

/// Without parameters, in lower case.
fn essence(mime_type: &str) -> String {
    mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn tells_nothing(found: &str) -> bool {
    found == UNKNOWN || found == "text/plain"
}

/// Whether it is a type's name, of a type that runs nothing.
fn is_plain(mime_type: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-' | b'_'))
    };
    let known = mime_type.len() <= 100 && mime_type.split_once('/').is_some_and(|(a, b)| word(a) && word(b));
    known && !is_script(mime_type)
}

/// What a browser may run.
fn is_script(mime_type: &str) -> bool {
    let kinds = ["html", "xml", "script", "xsl", "mathml", "flash"];
    // Office's names hold `openxml`, and nothing that runs.
    !mime_type.starts_with("application/vnd.openxmlformats-")
        && kinds.iter().any(|kind| mime_type.contains(kind))
        && mime_type != "application/postscript"
}

fn found(head: &[u8]) -> &'static str {
    let kind = infer::get(head).map(|kind| kind.mime_type());
    if let Some(text) = text(head) {
        // Two letters make a bitmap or a program for the library; of text only these are not text.
        return match kind {
            Some(kind @ ("application/pdf" | "application/rtf" | "application/postscript")) => kind,
            _ => markup(text),
        };
    }
    match kind.unwrap_or(UNKNOWN) {
        "audio/m4a" => "audio/mp4",
        "audio/x-wav" => "audio/wav",
        "audio/x-flac" => "audio/flac",
        "text/html" | "text/xml" | "text/x-shellscript" => UNKNOWN,
        kind => kind,
    }
}

/// The bytes as text, when that is what they are; a letter may be cut at the end.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}');
    (!text.is_empty() && !text.contains(control)).then_some(text)
}

fn markup(text: &str) -> &'static str {
    let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let has = |tags: &[&str]| tags.iter().any(|tag| text.contains(tag));
    if has(&["<!doctype html", "<html", "<script", "<body", "<iframe", "<head"]) {
        "text/html"
    } else if has(&["<svg"]) {
        "image/svg+xml"
    } else if text.starts_with('<') {
        "text/xml"
    } else {
        "text/plain"
    }
}
