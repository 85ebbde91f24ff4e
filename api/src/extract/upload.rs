//! A file in a request: a part of a multipart form as it is, or base64 text in JSON or a form (integration §K).
//!
//! A part is passed on as it comes. Base64 text is held in memory whole, within a budget of the process.

use std::{
    borrow::Cow,
    collections::HashMap,
    future::{Ready, ready},
    time::Duration,
};

use actix_multipart::{Field, Multipart};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap, HeaderValue},
    web::{Bytes, BytesMut},
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use chatledger_application::{
    ApplicationError,
    media::{NewMedia, StoredMedia},
};
use chatledger_domain::media::{Class, FileType, tidy};
use futures_util::{StreamExt, TryStreamExt, stream, stream::LocalBoxStream};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::Semaphore, time::timeout};

use super::{Caller, raw_body::read_body, text};
use crate::{app::AppState, error::ApiError};

/// The field with the file.
const FILE: &str = "file_encoded";
/// The field with its name.
const NAME: &str = "filename";
/// The longest body with base64 text, in bytes: the largest file in base64, and what surrounds it.
const MAX_TEXT: usize = 135 << 20;
/// How much base64 text is held at once, in MiB.
static BUDGET: Semaphore = Semaphore::const_new(405);
/// How long a client may be silent …
const SILENCE: Duration = Duration::from_secs(30);
/// … and how long an upload may take in all.
const DEADLINE: Duration = Duration::from_secs(600);
/// How much of a file that is too large is still taken in, so that its sender sees why, in bytes.
const MOST_DISCARDED: usize = 16 << 20;
/// So much base64 text is decoded at once; whole groups of four.
const GROUPS: usize = 64 << 10;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file that is not read yet.
pub struct Upload {
    payload: Payload,
    content_type: String,
    length: Option<usize>,
}

impl FromRequest for Upload {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (content_type, length) = (header(header::CONTENT_TYPE).to_owned(), header(header::CONTENT_LENGTH).parse());
        ready(Ok(Self { payload: payload.take(), content_type, length: length.ok() }))
    }
}

/// The bytes of a file, as they come.
pub type Chunks = LocalBoxStream<'static, Result<Bytes, ApiError>>;

/// A file whose bytes are to come.
struct Incoming {
    new: NewMedia,
    chunks: Chunks,
}

impl Upload {
    /// Takes the file in and keeps it as a medium of the caller's inbox; `wanted` picks kinds of files.
    ///
    /// # Errors
    /// 400 for no file, 413 for too large a one (R-MED-1), 415.
    pub async fn store(
        self,
        caller: &Caller,
        state: &AppState,
        wanted: fn(&FileType) -> bool,
    ) -> Result<StoredMedia, ApiError> {
        let context = caller.context();
        self.hand(async |new, chunks| state.application.store_media(&context, new, wanted, chunks).await).await
    }

    /// Hands the file to whoever takes it in.
    ///
    /// # Errors
    /// 400 for no file, 415, and what the taker says.
    pub async fn hand<T>(
        self,
        take: impl AsyncFnOnce(NewMedia, &mut Chunks) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Incoming { new, mut chunks } = self.open().await?;
        let taken = timeout(DEADLINE, take(new, &mut chunks)).await.unwrap_or(Err(ApiError::TooSlow));
        if matches!(taken, Err(ApiError::FileTooLarge(_) | ApiError::Fields(_))) {
            discard(chunks).await;
        }
        taken
    }

    async fn open(self) -> Result<Incoming, ApiError> {
        let media_type = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "multipart/form-data" => of_multipart(self.payload, &self.content_type).await,
            "application/json" => {
                let (body, held) = self.text().await?;
                of_json(&body)?.decoded(held)
            }
            "application/x-www-form-urlencoded" => {
                let (body, held) = self.text().await?;
                of_form(&body).decoded(held)
            }
            _ if self.length.unwrap_or_default() == 0 && media_type.is_empty() => Encoded::default().decoded(None),
            _ => Err(ApiError::UnsupportedMediaType(media_type)),
        }
    }

    /// The whole body, and its place in the budget.
    async fn text(self) -> Result<(Bytes, Held), ApiError> {
        let size = self.length.unwrap_or(MAX_TEXT).min(MAX_TEXT);
        let places = u32::try_from(size.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        let held = BUDGET.try_acquire_many(places).map_err(|_| ApiError::Unavailable)?;
        let body = read_body(self.payload, self.length, MAX_TEXT, DEADLINE).await.map_err(ApiError::from);
        let body = body.map_err(|error| match error {
            ApiError::TooLarge => ApiError::FileTooLarge(Class::Document),
            error => error,
        })?;
        Ok((body, Some(held)))
    }
}

type Held = Option<tokio::sync::SemaphorePermit<'static>>;

async fn discard(mut chunks: Chunks) {
    let mut left = MOST_DISCARDED;
    while left > 0
        && let Some(Ok(chunk)) = chunks.next().await
    {
        left = left.saturating_sub(chunk.len());
    }
}

fn broken() -> ApiError {
    ApiError::Reason("Multipart form parse error.".to_owned())
}

fn no_file() -> ApiError {
    ApiError::field(FILE, "The submitted data was not a file. Check the encoding type on the form.")
}

async fn of_multipart(payload: Payload, content_type: &str) -> Result<Incoming, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(|_| broken())?);
    let mut form = Multipart::new(&headers, payload);
    let mut named = None;
    while let Some(mut part) = timely(form.try_next()).await? {
        let disposition = part.content_disposition();
        let filename = disposition.and_then(|disposition| disposition.get_filename()).map(str::to_owned);
        let declared = part.content_type().map(ToString::to_string);
        match part.name() {
            Some(FILE) if filename.is_none() && declared.is_none() => {
                let text = short(&mut part, MAX_TEXT).await?;
                return Encoded { file: Some(text), filename: named }.decoded(None);
            }
            Some(FILE) => {
                let filename = named.or(filename).as_deref().and_then(tidy);
                let chunks = parts(form, part);
                return Ok(Incoming { new: NewMedia { filename, declared }, chunks });
            }
            Some(NAME) => named = Some(String::from_utf8_lossy(&short(&mut part, 4_096).await?).into_owned()),
            _ => {}
        }
    }
    Err(ApiError::field(FILE, text::REQUIRED))
}

/// What comes in time.
async fn timely<T, E>(next: impl Future<Output = Result<T, E>>) -> Result<T, ApiError> {
    timeout(SILENCE, next).await.map_err(|_| ApiError::TooSlow)?.map_err(|_| broken())
}

/// The bytes of a part; the form stays alive beside it.
fn parts(form: Multipart, part: Field) -> Chunks {
    stream::try_unfold((form, part), |(form, mut part)| async move {
        let chunk = timely(part.try_next()).await?;
        Ok(chunk.map(|chunk| (chunk, (form, part))))
    })
    .boxed_local()
}

/// A part with text, whole.
async fn short(part: &mut Field, at_most: usize) -> Result<Bytes, ApiError> {
    let mut text = BytesMut::new();
    while let Some(chunk) = timely(part.try_next()).await? {
        text.extend_from_slice(&chunk);
        if text.len() > at_most {
            return Err(ApiError::FileTooLarge(Class::Document));
        }
    }
    Ok(text.freeze())
}

/// A file as text.
#[derive(Default)]
struct Encoded {
    file: Option<Bytes>,
    filename: Option<String>,
}

fn of_json(body: &Bytes) -> Result<Encoded, ApiError> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let unparsable = |error: serde_json::Error| ApiError::Parse(error.to_string());
    if body.is_empty() {
        return Ok(Encoded::default());
    }
    let fields: HashMap<String, &RawValue> = match serde_json::from_slice(body) {
        Err(error) if error.is_data() => {
            return Err(ApiError::field("non_field_errors", "Invalid data. Expected a dictionary."));
        }
        read => read.map_err(unparsable)?,
    };
    let text = |name: &str| match fields.get(name).map(|raw| raw.get()) {
        None => Ok(None),
        Some("null") if name == FILE => Err(ApiError::field(name, text::NULL)),
        Some("null") => Ok(None),
        Some(raw) => match serde_json::from_str::<Text<'_>>(raw) {
            Ok(Text(text)) => Ok(Some(text)),
            Err(error) if error.is_data() => Err(ApiError::field(name, text::STRING)),
            Err(error) => Err(unparsable(error)),
        },
    };
    let file = text(FILE)?.map(|text| match text {
        Cow::Borrowed(text) => body.slice_ref(text.as_bytes()),
        Cow::Owned(text) => text.into(),
    });
    let filename = text(NAME)?.map(Cow::into_owned);
    if filename.as_ref().is_some_and(|name| name.contains('\0')) {
        return Err(ApiError::field(NAME, text::NUL));
    }
    Ok(Encoded { file, filename })
}

fn of_form(body: &[u8]) -> Encoded {
    let mut encoded = Encoded::default();
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            // A plus that its sender forgot to escape.
            FILE => encoded.file = Some(value.replace(' ', "+").into()),
            NAME => encoded.filename = Some(value.into_owned()),
            _ => {}
        }
    }
    encoded
}

impl Encoded {
    /// The bytes that the text stands for, decoded as they are asked for.
    fn decoded(self, held: Held) -> Result<Incoming, ApiError> {
        let Some(mut text) = self.file else { return Err(ApiError::field(FILE, text::REQUIRED)) };
        if text.iter().all(u8::is_ascii_whitespace) {
            return Err(ApiError::field(FILE, text::BLANK));
        }
        let mut declared = None;
        if text.starts_with(b"data:") {
            let comma = text.iter().take(1_000).position(|b| *b == b',').ok_or_else(no_file)?;
            let head = std::str::from_utf8(&text[5..comma]).map_err(|_| no_file())?;
            declared = Some(head.strip_suffix(";base64").ok_or_else(no_file)?.to_owned());
            text = text.slice(comma + 1..);
            if text.is_empty() {
                return Err(ApplicationError::EmptyFile.into());
            }
        }
        let filename = self.filename.as_deref().and_then(tidy);
        let chunks = stream::try_unfold((text, held), |(mut text, held)| async move {
            let chunk = decode_some(&mut text)?;
            Ok((!chunk.is_empty()).then_some((chunk, (text, held))))
        });
        Ok(Incoming { new: NewMedia { filename, declared }, chunks: chunks.boxed_local() })
    }
}

/// Takes some groups of four off the text, and decodes them.
fn decode_some(text: &mut Bytes) -> Result<Bytes, ApiError> {
    let mut groups = Vec::with_capacity(text.len().min(GROUPS));
    let mut taken = 0;
    for byte in text.iter() {
        taken += 1;
        if !byte.is_ascii_whitespace() {
            groups.push(*byte);
            if groups.len() == GROUPS {
                break;
            }
        }
    }
    let _ = text.split_to(taken);
    // Padding within the text ends it.
    let is_cut = groups.contains(&b'=') && text.iter().any(|b| !b.is_ascii_whitespace());
    if is_cut {
        return Err(no_file());
    }
    BASE64.decode(groups).map(Bytes::from).map_err(|_| no_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bytes(incoming: Result<Incoming, ApiError>) -> Result<Vec<u8>, ApiError> {
        let chunks: Vec<Bytes> = incoming?.chunks.try_collect().await?;
        Ok(chunks.concat())
    }

    async fn decoded(text: &str) -> Result<Vec<u8>, ApiError> {
        let file = Some(Bytes::copy_from_slice(text.as_bytes()));
        bytes(Encoded { file, filename: None }.decoded(None)).await
    }

    #[actix_web::test]
    async fn base64_is_read_with_and_without_padding_lines_and_a_data_url() {
        for text in ["aGVsbG8=", "aGVsbG8", "aGVs\r\nbG8=\n", "data:text/plain;base64,aGVsbG8="] {
            assert_eq!(decoded(text).await.unwrap(), b"hello", "{text}");
        }
        let long = vec![7_u8; 200_001];
        assert_eq!(decoded(&BASE64.encode(&long)).await.unwrap(), long);
        for text in ["aGVsbG8=aGVs", "aGVs*G8=", "data:text/plain,hello", "data:nothing", "a"] {
            assert!(matches!(decoded(text).await, Err(ApiError::Fields(_))), "{text}");
        }
    }

    #[actix_web::test]
    async fn r_gen_4_a_form_equals_json() {
        let json = Bytes::from_static(br#"{"file_encoded": "++\/\/", "filename": "a.txt"}"#);
        let form = of_form(b"file_encoded=++//&filename=a.txt");
        let json = of_json(&json).unwrap();
        assert_eq!(json.filename, form.filename);
        assert_eq!(bytes(json.decoded(None)).await.unwrap(), bytes(form.decoded(None)).await.unwrap());
    }

    #[test]
    fn what_is_wrong_with_json_is_told() {
        let told = |body: &'static str| match of_json(&Bytes::from_static(body.as_bytes())) {
            Err(ApiError::Fields(errors)) => errors.body()["reason"].as_str().map(str::to_owned),
            Err(ApiError::Parse(_)) => Some("parse".to_owned()),
            _ => None,
        };
        assert_eq!(told(r#"{"file_encoded": 5}"#).unwrap(), "file_encoded: Not a valid string.");
        assert_eq!(told(r#"{"file_encoded": null}"#).unwrap(), "file_encoded: This field may not be null.");
        assert_eq!(
            told(r#"{"file_encoded": "YQ==", "filename": "a\u0000"}"#).unwrap(),
            "filename: Null characters are not allowed."
        );
        assert!(told("[]").unwrap().starts_with("Invalid data"));
        assert_eq!(told("{").unwrap(), "parse");
        assert_eq!(told(r#"{"filename": null}"#), None);
    }
}
