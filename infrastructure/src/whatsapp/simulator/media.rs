//! Media, in memory: upload, where it is, download, forget.

use std::{future::ready, time::Duration};

use actix_multipart::Multipart;
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    body::SizedStream,
    rt,
    web::{self, Bytes, BytesMut, Data, Payload, ServiceConfig},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::{
    account::number,
    behaviour::MediaWoe,
    fault,
    messages::{PREFIXES, bearer, by_key, invalid_key},
    state::State,
    templates::NAMESPACE,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/download/{id}", web::get().to(download))
        .route("/media", web::post().to(upload))
        .route("/v1/media", web::post().to(upload))
        .route("/v1/media/{id}", web::get().to(download))
        .route("/v1/media/{id}", web::delete().to(forget));
    for prefix in PREFIXES {
        config
            .route(&format!("{prefix}/{{id}}/media"), web::post().to(upload))
            .route(&format!("{prefix}/{{id}}"), web::get().to(look_up))
            .route(&format!("{prefix}/{{id}}"), web::delete().to(forget));
    }
}

/// Whether the request has the credential of any number.
fn is_known(state: &State, request: &HttpRequest) -> bool {
    let token = bearer(request);
    by_key(state, request).is_some() || state.lock().numbers.iter().any(|number| token == Some(&number.access_token))
}

fn refused(request: &HttpRequest) -> HttpResponse {
    if request.headers().contains_key("d360-api-key") {
        HttpResponse::Unauthorized().json(invalid_key())
    } else {
        fault::answer(190, "", false)
    }
}

async fn upload(state: Data<State>, request: HttpRequest, payload: Payload) -> actix_web::Result<HttpResponse> {
    if !is_known(&state, &request) {
        return Ok(refused(&request));
    }
    let woe = state.lock().behaviour.next_media_fault(&[MediaWoe::Busy, MediaWoe::Gone]);
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let flat = request.path().starts_with("/v1/");
    let mut payload = payload.into_inner();
    let (mime_type, bytes) = if content_type.starts_with("multipart/") {
        match file(Multipart::new(request.headers(), payload)).await? {
            Some(file) => file,
            None => return Ok(fault::answer(100, "The parameter file is required.", flat)),
        }
    } else {
        (content_type.to_owned(), Bytes::from_request(&request, &mut payload).await?)
    };
    match woe.map(|woe| woe.fault) {
        Some(MediaWoe::Busy) => return Ok(fault::of_http(503, false, flat, None)),
        Some(_) => return Ok(fault::answer(131_053, "", flat)),
        None => {}
    }
    let id = state.lock().keep(mime_type, bytes);
    Ok(HttpResponse::Ok().json(if flat { json!({ "media": [{ "id": id }] }) } else { json!({ "id": id }) }))
}

/// The part with the file; its type, unless a part `type` says otherwise.
async fn file(mut parts: Multipart) -> actix_web::Result<Option<(String, Bytes)>> {
    let (mut found, mut stated) = (None, None);
    while let Some(mut part) = parts.try_next().await? {
        let name = part.name().unwrap_or_default().to_owned();
        let mime_type = part.content_type().map(ToString::to_string);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = part.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        match name.as_str() {
            "file" => {
                found = Some((mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()), bytes.freeze()))
            }
            "type" => stated = String::from_utf8(bytes.to_vec()).ok(),
            _ => {}
        }
    }
    Ok(found.map(|(mime_type, bytes)| (stated.unwrap_or(mime_type), bytes)))
}

async fn look_up(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if let Some(told) = number(&state, &request, request.match_info().query("id")).await {
        return told;
    }
    if !is_known(&state, &request) {
        return refused(&request);
    }
    let id = request.match_info().query("id");
    let mut memory = state.lock();
    let woe = memory.behaviour.next_media_fault(&[MediaWoe::Gone, MediaWoe::Busy, MediaWoe::Elsewhere]);
    let mut host = state.url.as_str();
    match woe.map(|woe| woe.fault) {
        Some(MediaWoe::Gone) => return fault::answer(100, "Object does not exist", false),
        Some(MediaWoe::Busy) => return fault::of_http(503, false, false, None),
        Some(_) => host = "http://169.254.169.254",
        None => {}
    }
    if let Some(media) = memory.media.get(id) {
        return HttpResponse::Ok().json(json!({
            "messaging_product": "whatsapp", "id": id, "url": format!("{host}/download/{id}"),
            "mime_type": media.mime_type, "sha256": media.sha256, "file_size": media.bytes.len(),
        }));
    }
    if memory.numbers.iter().any(|number| number.waba_id == id) {
        return HttpResponse::Ok().json(json!({ "id": id, "message_template_namespace": NAMESPACE }));
    }
    match memory.number(id) {
        Some(number) => HttpResponse::Ok().json(json!({
            "id": id, "display_phone_number": number.display_phone_number, "verified_name": "Simulated business",
            "quality_rating": "GREEN", "code_verification_status": "VERIFIED", "platform_type": "CLOUD_API",
        })),
        None => fault::answer(100, "Object does not exist", false),
    }
}

async fn download(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if !is_known(&state, &request) {
        return refused(&request);
    }
    let of_bytes = [MediaWoe::Missing, MediaWoe::Cut, MediaWoe::Wrong, MediaWoe::Slow];
    let woe = state.lock().behaviour.next_media_fault(&of_bytes);
    let media = state.lock().media.get(request.match_info().query("id")).cloned();
    let (Some(media), woe) = (media, woe) else { return HttpResponse::NotFound().finish() };
    let bytes = media.bytes;
    let mut answer = HttpResponse::Ok();
    answer.content_type(media.mime_type);
    let Some(woe) = woe else { return answer.body(bytes) };
    let half = bytes.len() / 2;
    match woe.fault {
        MediaWoe::Cut => {
            let cut = stream::iter([Ok(bytes.slice(..half)), Err("cut")]);
            answer.body(SizedStream::new(bytes.len() as u64, cut.map_err(Box::<dyn std::error::Error>::from)))
        }
        MediaWoe::Wrong => answer.body(vec![b'x'; bytes.len()]),
        MediaWoe::Slow => {
            let pause = Duration::from_millis(woe.ms);
            let (size, rest) = (bytes.len() as u64, bytes.slice(half..));
            let first = stream::once(ready(Ok::<_, actix_web::Error>(bytes.slice(..half))));
            let slow = first.chain(stream::once(async move {
                rt::time::sleep(pause).await;
                Ok(rest)
            }));
            answer.body(SizedStream::new(size, Box::pin(slow)))
        }
        _ => HttpResponse::NotFound().finish(),
    }
}

async fn forget(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if !is_known(&state, &request) {
        return refused(&request);
    }
    match state.lock().media.remove(request.match_info().query("id")) {
        Some(_) => HttpResponse::Ok().json(json!({ "success": true })),
        None => fault::answer(100, "Object does not exist", false),
    }
}
