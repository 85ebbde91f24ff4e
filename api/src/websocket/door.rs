//! The way in: which requests become a websocket, and what the others are told before anything is upgraded.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use chatledger_application::ApplicationError;
use url::Url;

use super::{
    HOST_PREFIX,
    client::Client,
    connection::{Origin, serve},
};
use crate::{
    app::AppState,
    error::ApiError,
    extract::Anyone,
    family::{self, Family},
    origin,
};

const NO_UPGRADE: &str = "This address speaks the websocket protocol: ask for an upgrade.";
const NOT_SECURE: &str = "Websockets are served over TLS only: use wss.";
const FOREIGN: &str = "Pages of this origin may not open websockets here.";
const NO_ROOM: &str = "There are too many websockets now, or the server is about to stop. Please try again.";

/// Opens the websocket that tells what happens in the inbox.
///
/// After the upgrade the client sends one text frame, `{"token": "…"}`, within 10 seconds, and is answered
/// `{"type": "token", "status": "success", "message": "Authenticated."}`; an unknown token is answered with status
/// `failed` and close code 1008, any other frame with
/// `{"type": "response", "status": "bad_request", "message": "Token is required."}`, three times at most.
/// From then on each event is a frame `{"type": "waba_webhook", "waba_payload": {…}}`, whose payload is the body of a
/// webhook call, and for events of the inbox itself a second one with the type `getchat_webhook`. With
/// `"dialect": "classic"` beside the token only the flat keys come, under `waba_webhook`; with `"dialect": "cloud"`
/// only `object` and `entry`, and `getchat_webhook`. Events before the token are read over REST.
///
/// The same is served at the root of the inbox's host with `websockets-` before its name. Close codes: 1001 the server
/// stops, 1008 no valid token or the user's access has ended, 1009 a frame over 64 KiB, 1011 and 1013 come again: the
/// client was too far behind (1,000 frames or 1 MiB), or there is no room for it.
#[utoipa::path(get, path = "/ws/", operation_id = "open_websocket", tag = "Websocket", security(()),
    responses((status = 101, description = "From here on the websocket protocol is spoken."),
        (status = 400, description = "The upgrade is not a websocket's."),
        (status = 403, description = "Not over TLS, or from a page that is not the inbox's."),
        (status = 426, description = "No upgrade was asked for."),
        (status = 503, description = "No room, or the server is about to stop.")))]
pub async fn open(
    _: Anyone,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    if !asks_for_upgrade(&request) {
        let mut response = refuse(StatusCode::UPGRADE_REQUIRED, NO_UPGRADE, "UPGRADE_REQUIRED");
        response.headers_mut().insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
        return Ok(response);
    }
    if !origin::is_https(&request) && !state.settings.allow_plain_websockets {
        return Ok(refuse(StatusCode::FORBIDDEN, NOT_SECURE, "TLS_REQUIRED"));
    }
    let host = home(&request);
    if !is_welcome(&state, &request, &host).await? {
        return Ok(refuse(StatusCode::FORBIDDEN, FOREIGN, "ORIGIN_REFUSED"));
    }
    let Some(entry) = state.hub.enter() else {
        return Ok(refuse(StatusCode::SERVICE_UNAVAILABLE, NO_ROOM, "UNAVAILABLE"));
    };
    let Ok((response, session, stream)) = actix_ws::handle(&request, payload) else {
        return Ok(Family::Integration.status_error(StatusCode::BAD_REQUEST));
    };
    let origin = Origin { host, address: origin::client(&request), state };
    actix_web::rt::spawn(serve(Client::new(session, stream), entry, origin));
    Ok(response)
}

/// The same at the root of the host that is named after the websocket; of other hosts there is nothing.
pub(super) async fn open_at_root(
    anyone: Anyone,
    state: web::Data<AppState>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    if origin::host(&request).starts_with(HOST_PREFIX) {
        open(anyone, state, request, payload).await
    } else {
        Ok(family::not_found(request).await)
    }
}

fn refuse(status: StatusCode, text: &str, code: &str) -> HttpResponse {
    Family::Integration.error(status, text, code)
}

fn asks_for_upgrade(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.to_ascii_lowercase().contains("websocket"))
}

/// The inbox's own host, without the websocket's prefix.
fn home(request: &HttpRequest) -> String {
    let host = origin::host(request);
    host.strip_prefix(HOST_PREFIX).map(str::to_owned).unwrap_or(host)
}

/// Whether the page that asks may: programs name no page; pages must be the inbox's own, or on the operator's list.
async fn is_welcome(state: &AppState, request: &HttpRequest, home: &str) -> Result<bool, ApiError> {
    let Some(page) = request.headers().get(header::ORIGIN) else { return Ok(true) };
    let Some(page) = page.to_str().ok().and_then(|page| Url::parse(page).ok()) else { return Ok(false) };
    let Some(host) = page.host_str().map(str::to_lowercase) else { return Ok(false) };
    let same = |known: &String| Url::parse(known).is_ok_and(|known| known.origin() == page.origin());
    if host == home || state.settings.public_url.iter().chain(&state.settings.allowed_origins).any(same) {
        return Ok(true);
    }
    is_same_inbox(state, &host, home).await.map_err(ApiError::from)
}

/// Whether both hosts are of one tenant.
async fn is_same_inbox(state: &AppState, page: &str, home: &str) -> Result<bool, ApplicationError> {
    let Some(of_page) = state.application.tenant_of_host(page).await? else { return Ok(false) };
    Ok(state.application.resolve_tenant(Some(home), None).await? == Some(of_page))
}
