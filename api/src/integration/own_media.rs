//! Our own media in messages to be sent (R-MED-2): found by the links and ids under which clients know them, and
//! recorded by a path that outlives hosts and signatures.

use std::collections::HashMap;

use actix_web::HttpRequest;
use chatledger_application::chats::SendMessage;
use chatledger_domain::{
    TenantId,
    media::{Attachment, attachments, path_of, with_attachments},
};
use url::Url;
use uuid::Uuid;

use crate::{app::AppState, error::ApiError, origin};

/// Puts our own path in the place of every link to a medium of ours, and of every id of one.
///
/// # Errors
/// 400 for a link of ours to a medium that is not there, or not this inbox's: the same for both.
pub(super) async fn name(
    state: &AppState,
    request: &HttpRequest,
    tenant: TenantId,
    send: &mut SendMessage,
) -> Result<(), ApiError> {
    let mut known: HashMap<Attachment, Attachment> = HashMap::new();
    for attachment in attachments(&send.message) {
        let id = match &attachment {
            Attachment::Link(link) => own_id(state, request, tenant, link).await?,
            // WhatsApp's own ids are passed on.
            Attachment::Id(id) => Some(id.clone()).filter(|id| Uuid::try_parse(id).is_ok()),
        };
        let Some(id) = id else { continue };
        match state.application.find_media(tenant, &id).await? {
            Some(media) => {
                known.insert(attachment, Attachment::Link(path_of(media)));
            }
            None if matches!(attachment, Attachment::Link(_)) => {
                let path = format!("{}.link", send.kind);
                return Err(ApiError::field(&path, "There is no such media file."));
            }
            None => {}
        }
    }
    if !known.is_empty() {
        send.message = with_attachments(&send.message, |attachment| known.get(attachment).cloned());
    }
    Ok(())
}

/// The id in a link of ours: on the host of the request, on the deployment's own, or on one of the inbox's hosts.
async fn own_id(
    state: &AppState,
    request: &HttpRequest,
    tenant: TenantId,
    link: &str,
) -> Result<Option<String>, ApiError> {
    let base_url = origin::base_url(request);
    let Ok(url) = Url::parse(&base_url).and_then(|base| base.join(link)) else { return Ok(None) };
    let Some(id) = url.path().strip_prefix("/api/v1/media/").map(|rest| rest.trim_end_matches('/')) else {
        return Ok(None);
    };
    // Whatever the scheme: a proxy may speak https where we do not.
    let place = |url: &Url| (url.host_str().map(str::to_owned), url.port());
    let on = |base: &str| Url::parse(base).is_ok_and(|base| place(&base) == place(&url));
    if on(&base_url) || state.settings.public_url.as_deref().is_some_and(on) {
        return Ok(Some(id.to_owned()));
    }
    let host = state.application.tenant_of_host(url.host_str().unwrap_or_default()).await?;
    Ok((host == Some(tenant)).then(|| id.to_owned()))
}
