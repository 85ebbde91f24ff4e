//! `/api/v1/media/`: files, uploaded and served (integration §K, R-MED-1 … R-MED-3, R-MSG-15).

use std::ops::Range;

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        Method, StatusCode,
        header::{self, Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue},
    },
    web,
};
use chatledger_application::ports::{media::Chunks, read_models::StoredBlob};
use chatledger_domain::{TenantId, media::FileType};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{State, wire::Links};
use crate::{
    app::AppState,
    error::{ApiError, NOT_PROVIDED},
    extract::{Caller, Upload, Visitor},
    origin,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("POST", "/api/v1/media/", "create_media", || to(create)),
    Endpoint::new("GET", "/api/v1/media/{id}/", "get_media", || to(get)),
];

/// What a browser may do with a file that it opens by itself: nothing.
const POLICY: &str = "sandbox; default-src 'none'";

/// A file to be uploaded: a part of a multipart form, or base64 text or a data URL in JSON or a form.
#[derive(ToSchema)]
#[schema(example = json!({"file_encoded": "data:image/png;base64,iVBORw0KGgo=", "filename": "receipt.png"}))]
pub struct NewFile {
    /// The file. Limits go by what its bytes are: image 5 MiB, audio and video 16 MiB, sticker (WebP) 500 KiB,
    /// anything else 100 MiB.
    pub file_encoded: String,
    /// Its name; of a part, the part's own.
    pub filename: Option<String>,
}

/// A file that is kept.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "file": "https://acme.inbox.example.com/api/v1/media/0190f3a2-6000-7c00-8000-000000000001/",
    "id": "0190f3a2-6000-7c00-8000-000000000001"
}))]
pub struct KeptFile {
    /// Where it is; fit to be the `link` of a message.
    pub file: String,
    /// Its id.
    pub id: String,
}

/// The signature of a link.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinkParams {
    /// Until when the link is good, POSIX seconds. Looked at only without another credential.
    #[param(example = "1767866400")]
    pub exp: Option<String>,
    /// The signature.
    pub sig: Option<String>,
}

/// Uploads a file, to be sent by its address afterwards.
#[utoipa::path(post, path = "/api/v1/media/", operation_id = "create_media", tag = "Media",
    request_body(content((NewFile = "application/json"), (NewFile = "multipart/form-data"))),
    responses((status = 201, description = "The file is kept.", body = KeptFile),
        (status = 413, description = "The file is too large for its type.", body = Object, example = json!({
            "reason": "The file is too large.", "detail": "An image may have at most 5 MiB."
        }))))]
pub async fn create(
    caller: Caller,
    state: State,
    request: HttpRequest,
    upload: Upload,
) -> Result<HttpResponse, ApiError> {
    let stored = upload.store(&caller, &state, |_| true).await?;
    let id = stored.id.to_string();
    let file = Links::of(&request, &state, caller.tenant).bare_media(&id);
    Ok(super::created(&KeptFile { file, id }))
}

/// A file's bytes, for users of the inbox and for whoever has a signed link. Takes our id or WhatsApp's. 404 with
/// `Retry-After` while a customer's file is still being fetched.
#[utoipa::path(get, path = "/api/v1/media/{id}/", operation_id = "get_media", tag = "Media", params(
        ("id" = String, Path, description = "The file."), LinkParams),
    responses((status = 200, description = "The bytes.", content_type = "*/*"),
        (status = 206, description = "The bytes that `Range` asks for.", content_type = "*/*"),
        (status = 304, description = "Unchanged since `If-None-Match`."),
        (status = 416, description = "The file has no such part.")))]
pub async fn get(
    Visitor(caller): Visitor,
    state: State,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = path.into_inner();
    let tenant = match signed_for(&state, &request, &id).await? {
        Some(tenant) => tenant,
        None => caller.ok_or(ApiError::Unauthenticated(NOT_PROVIDED))?.tenant,
    };
    let found = state.inbox.media(tenant, &id).await?.ok_or(ApiError::NotFound)?;
    match found.stored {
        Some(stored) => serve(&state, &request, tenant, &stored).await,
        None if found.has_failed => Err(ApiError::NotFound),
        None => Err(ApiError::NotYet),
    }
}

/// The inbox whose file the request's link opens, where it has a good one.
async fn signed_for(state: &AppState, request: &HttpRequest, id: &str) -> Result<Option<TenantId>, ApiError> {
    let query: Vec<_> = url::form_urlencoded::parse(request.query_string().as_bytes()).collect();
    let given = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| &**value);
    let (Some(expiry), Some(signature)) = (given("exp").and_then(|exp| exp.parse().ok()), given("sig")) else {
        return Ok(None);
    };
    let now = state.clock.now().timestamp();
    let Some(tenant) = state.media_links.open(id, expiry, signature, now) else { return Ok(None) };
    // As with any other credential, the host must not be another inbox's (R-GEN-2).
    let host = state.application.tenant_of_host(&origin::host(request)).await?;
    Ok(Some(tenant).filter(|tenant| host.is_none_or(|host| host == *tenant)))
}

/// A file's bytes, or the part that is asked for.
pub(super) async fn serve(
    state: &AppState,
    request: &HttpRequest,
    tenant: TenantId,
    stored: &StoredBlob,
) -> Result<HttpResponse, ApiError> {
    let etag = format!("\"{}\"", stored.sha256);
    let asked = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let known = asked(header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',').any(|tag| matches!(tag.trim().trim_start_matches("W/"), t if t == etag || t == "*"))
    });
    if known {
        return Ok(dressed(StatusCode::NOT_MODIFIED, stored, &etag).finish());
    }
    let same = asked(header::IF_RANGE).is_none_or(|tag| tag == etag);
    let part = asked(header::RANGE).filter(|_| same).and_then(|range| part_of(range, stored.size));
    let (status, part) = match part {
        None => (StatusCode::OK, None),
        Some(Some(part)) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        Some(None) => {
            let mut refusal = dressed(StatusCode::RANGE_NOT_SATISFIABLE, stored, &etag);
            return Ok(refusal.insert_header((header::CONTENT_RANGE, format!("bytes */{}", stored.size))).finish());
        }
    };
    let mut answer = dressed(status, stored, &etag);
    let length = match &part {
        None => stored.size,
        Some(part) => {
            let range = format!("bytes {}-{}/{}", part.start, part.end - 1, stored.size);
            answer.insert_header((header::CONTENT_RANGE, range));
            part.end - part.start
        }
    };
    let chunks: Chunks = if request.method() == Method::HEAD {
        stream::empty().boxed()
    } else {
        let chunks = state.application.read_media(tenant, stored.blob, part).await?;
        chunks.ok_or_else(|| {
            tracing::error!(%tenant, blob = %stored.blob, "the bytes of a file are lost");
            ApiError::NotFound
        })?
    };
    let chunks = chunks.map(|chunk| chunk.map_err(Box::<dyn std::error::Error>::from));
    Ok(answer.body(SizedStream::new(length, chunks)))
}

/// The headers of a file: what it is, and that nothing in it may run.
fn dressed(status: StatusCode, stored: &StoredBlob, etag: &str) -> actix_web::HttpResponseBuilder {
    let file_type = FileType::of(&stored.mime_type);
    let disposition = if file_type.is_shown() { DispositionType::Inline } else { DispositionType::Attachment };
    let named = |name: &String| {
        DispositionParam::FilenameExt(ExtendedValue {
            charset: Charset::Ext("UTF-8".to_owned()),
            language_tag: None,
            value: name.as_bytes().to_vec(),
        })
    };
    let parameters = stored.filename.iter().map(named).collect();
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CONTENT_TYPE, file_type.served_as()))
        .insert_header((header::ETAG, etag))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, "private, max-age=3600"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(ContentDisposition { disposition, parameters });
    answer
}

/// The part that a `Range` header asks for: `Some(None)` when there is no such part, `None` for the whole.
fn part_of(range: &str, size: u64) -> Option<Option<Range<u64>>> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = (from.trim(), to.trim());
    let part = match (from.is_empty(), to.is_empty()) {
        (true, true) => return None,
        (true, false) => size.saturating_sub(to.parse().ok()?)..size,
        (false, true) => from.parse().ok()?..size,
        (false, false) => {
            let (from, to) = (from.parse::<u64>().ok()?, to.parse::<u64>().ok()?);
            if from > to {
                return None;
            }
            from..to.saturating_add(1).min(size)
        }
    };
    Some((part.start < part.end).then_some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_part_of_the_file_or_nothing() {
        assert_eq!(part_of("bytes=0-3", 10), Some(Some(0..4)));
        assert_eq!(part_of("bytes=4-", 10), Some(Some(4..10)));
        assert_eq!(part_of("bytes=-3", 10), Some(Some(7..10)));
        assert_eq!(part_of("bytes=-30", 10), Some(Some(0..10)));
        assert_eq!(part_of("bytes=5-99", 10), Some(Some(5..10)));
        assert_eq!(part_of("bytes=10-", 10), Some(None));
        assert_eq!(part_of("bytes=-0", 10), Some(None));
        for whole in ["bytes=3-1", "bytes=-", "items=0-1", "bytes=0-1,3-4", "bytes=a-b", "bytes=1"] {
            assert_eq!(part_of(whole, 10), None, "{whole}");
        }
    }
}
