//! `/api/v1/settings/profile/photo/`: the photo that customers see (R-SET-1).

use actix_web::{HttpRequest, HttpResponse};
use chatledger_application::ports::refreshes::Subject;
use serde_json::json;
use utoipa::ToSchema;

use super::{State, media};
use crate::{
    error::ApiError,
    extract::{Admin, Caller, Upload},
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/settings/profile/photo/", "get_profile_photo", || to(get)),
    Endpoint::new("POST", "/api/v1/settings/profile/photo/", "set_profile_photo", || to(post)),
    Endpoint::new("DELETE", "/api/v1/settings/profile/photo/", "delete_profile_photo", || to(delete)),
];

/// A picture: a part of a multipart form, or base64 text or a data URL in JSON or a form.
#[derive(ToSchema)]
#[schema(example = json!({"file_encoded": "data:image/png;base64,iVBORw0KGgo="}))]
pub struct NewPhoto {
    /// The picture, at most 5 MiB.
    pub file_encoded: String,
}

/// The photo. It is kept; WhatsApp is asked the first time, and now and then.
#[utoipa::path(get, path = "/api/v1/settings/profile/photo/", operation_id = "get_profile_photo", tag = "Settings",
    responses((status = 200, description = "The picture.", content_type = "image/png"),
        (status = 404, description = "There is none.", body = Object, example = json!({"detail": "Not found."}))))]
pub async fn get(caller: Caller, state: State, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let looked = state.application.look_once(caller.tenant, Subject::Settings).await;
    match state.inbox.profile_photo(caller.tenant).await? {
        Some(photo) => media::serve(&state, &request, caller.tenant, &photo).await,
        None => Err(looked.err().map_or(ApiError::NotFound, Into::into)),
    }
}

/// Sets the photo; for admins.
#[utoipa::path(post, path = "/api/v1/settings/profile/photo/", operation_id = "set_profile_photo", tag = "Settings",
    request_body(content((NewPhoto = "application/json"), (NewPhoto = "multipart/form-data"))),
    responses((status = 200, description = "It is the photo now.", body = Object, example = json!({})),
        (status = 413, description = "Larger than 5 MiB.", body = Object, example = json!({
            "reason": "The file is too large.", "detail": "An image may have at most 5 MiB."
        }))))]
pub async fn post(Admin(caller): Admin, state: State, upload: Upload) -> Result<HttpResponse, ApiError> {
    let context = caller.context();
    let take = async |new: chatledger_application::media::NewMedia, chunks: &mut _| {
        state.application.change_photo(&context, new.declared.as_deref(), chunks).await
    };
    upload.hand(take).await?;
    Ok(super::ok(&json!({})))
}

/// Takes the photo away; for admins.
#[utoipa::path(delete, path = "/api/v1/settings/profile/photo/", operation_id = "delete_profile_photo",
    tag = "Settings", responses((status = 204, description = "It is gone."),
        (status = 404, description = "There is none.", body = Object, example = json!({"detail": "Not found."}))))]
pub async fn delete(Admin(caller): Admin, state: State) -> Result<HttpResponse, ApiError> {
    let looked = state.application.look_once(caller.tenant, Subject::Settings).await;
    if state.application.remove_photo(&caller.context()).await? {
        return Ok(super::no_content());
    }
    Err(looked.err().map_or(ApiError::NotFound, Into::into))
}
