//! `/api/v1/settings/business/profile/` and `…/profile/about/`: what customers see of the business (R-SET-1).

use actix_web::HttpResponse;
use chatledger_application::ports::refreshes::Subject;
use chatledger_domain::{
    TenantId,
    business_profile::{Profile, ProfileChange, code_of_vertical},
};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{State, refresh::RefreshStatus, wire::BusinessProfile};
use crate::{
    error::ApiError,
    extract::{Admin, Body, Caller, Fields, Valid, format, text},
    family::json_body,
    routes::{Endpoint, to},
};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/settings/business/profile/", "get_business_profile", || to(get)),
    Endpoint::new("PUT", "/api/v1/settings/business/profile/", "put_business_profile", || to(put)),
    Endpoint::new("PATCH", "/api/v1/settings/business/profile/", "patch_business_profile", || to(patch)),
    Endpoint::new("GET", "/api/v1/settings/profile/about/", "get_about", || to(get_about)),
    Endpoint::new("PATCH", "/api/v1/settings/profile/about/", "patch_about", || to(patch_about)),
    Endpoint::new("POST", "/api/v1/settings/refresh/issue/", "refresh_settings", || to(refresh)),
    Endpoint::new("GET", "/api/v1/settings/refresh/status/", "get_settings_refresh", || to(refresh_status)),
];

/// The longest `about`, in characters; WhatsApp's limit, as are the next.
const MAX_ABOUT: usize = 139;
const MAX_ADDRESS: usize = 256;
const MAX_DESCRIPTION: usize = 512;
const MAX_EMAIL: usize = 128;
const MAX_WEBSITE: usize = 256;
const MAX_WEBSITES: usize = 2;

/// The business profile from now on; for PUT all fields but `websites` and `about`, for PATCH any.
#[derive(ToSchema)]
#[schema(example = json!({"email": "hello@acme.example", "vertical": "Clothing and Apparel"}))]
pub struct ChangeBusinessProfile {
    /// Where the business is; at most 256 characters.
    pub address: Option<String>,
    /// What it does; at most 512 characters.
    pub description: Option<String>,
    /// How it is written to; at most 128 characters.
    pub email: Option<String>,
    /// Its branch, by the long label or WhatsApp's code: `Automotive` or `AUTO`.
    pub vertical: Option<String>,
    /// At most two addresses of at most 256 characters.
    pub websites: Option<Vec<String>>,
    /// The line under the name; 1 to 139 characters.
    pub about: Option<String>,
}

/// The line under the name.
#[derive(ToSchema)]
#[schema(example = json!({"text": "Open 9 to 18"}))]
pub struct About {
    /// 1 to 139 characters.
    pub text: String,
}

/// The business profile. It is kept; WhatsApp is asked the first time, and now and then.
#[utoipa::path(get, path = "/api/v1/settings/business/profile/", operation_id = "get_business_profile",
    tag = "Settings", responses((status = 200, description = "The profile.", body = BusinessProfile)))]
pub async fn get(caller: Caller, state: State) -> Result<HttpResponse, ApiError> {
    let profile = kept(&state, caller.tenant).await?;
    Ok(super::ok(&BusinessProfile::new(&profile)))
}

/// Sets the business profile; for admins.
#[utoipa::path(put, path = "/api/v1/settings/business/profile/", operation_id = "put_business_profile",
    tag = "Settings", request_body = ChangeBusinessProfile,
    responses((status = 200, description = "The profile from now on.", body = BusinessProfile)))]
pub async fn put(admin: Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    change(admin, state, read(body.read().await?, true)?).await
}

/// Changes fields of the business profile; for admins.
#[utoipa::path(patch, path = "/api/v1/settings/business/profile/", operation_id = "patch_business_profile",
    tag = "Settings", request_body = ChangeBusinessProfile,
    responses((status = 200, description = "The profile from now on.", body = BusinessProfile)))]
pub async fn patch(admin: Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    change(admin, state, read(body.read().await?, false)?).await
}

async fn change(Admin(caller): Admin, state: State, change: ProfileChange) -> Result<HttpResponse, ApiError> {
    // What is left as it is must be known.
    state.application.look_once(caller.tenant, Subject::Settings).await?;
    state.application.change_profile(&caller.context(), change).await?;
    let profile = kept(&state, caller.tenant).await?;
    Ok(super::ok(&BusinessProfile::new(&profile)))
}

/// The line under the name.
#[utoipa::path(get, path = "/api/v1/settings/profile/about/", operation_id = "get_about", tag = "Settings",
    responses((status = 200, description = "The line.", body = Object,
        example = json!({"settings": {"profile": {"about": {"text": "Open 9 to 18"}}}}))))]
pub async fn get_about(caller: Caller, state: State) -> Result<HttpResponse, ApiError> {
    let Profile { about, .. } = kept(&state, caller.tenant).await?;
    Ok(super::ok(&json!({"settings": {"profile": {"about": {"text": about}}}})))
}

/// Changes the line under the name; for admins.
#[utoipa::path(patch, path = "/api/v1/settings/profile/about/", operation_id = "patch_about", tag = "Settings",
    request_body = About, responses((status = 200, description = "The line from now on.", body = About)))]
pub async fn patch_about(Admin(caller): Admin, state: State, body: Body) -> Result<HttpResponse, ApiError> {
    let mut fields = body.read().await?;
    let read = (fields.text("text", MAX_ABOUT),);
    let (about,) = fields.finish(read)?;
    state.application.look_once(caller.tenant, Subject::Settings).await?;
    let change = ProfileChange { about: Some(about.clone()), ..ProfileChange::default() };
    state.application.change_profile(&caller.context(), change).await?;
    Ok(super::ok(&json!({"text": about})))
}

/// Has WhatsApp asked for the profile anew, unless that is under way.
#[utoipa::path(post, path = "/api/v1/settings/refresh/issue/", operation_id = "refresh_settings", tag = "Settings",
    responses((status = 202, description = "It is under way.", body = Object, example = json!({}))))]
pub async fn refresh(caller: Caller, state: State) -> Result<HttpResponse, ApiError> {
    state.application.issue_refresh(caller.tenant, Subject::Settings).await?;
    Ok(json_body(HttpResponse::Accepted(), &json!({})))
}

/// Whether WhatsApp is being asked for the profile.
#[utoipa::path(get, path = "/api/v1/settings/refresh/status/", operation_id = "get_settings_refresh",
    tag = "Settings", responses((status = 200, description = "Whether it is under way.", body = RefreshStatus)))]
pub async fn refresh_status(caller: Caller, state: State) -> Result<HttpResponse, ApiError> {
    let currently_refreshing = state.application.is_refreshing(caller.tenant, Subject::Settings).await?;
    Ok(super::ok(&RefreshStatus { currently_refreshing }))
}

/// The profile as kept; a first or old look is seen to. What is known is shown whether or not WhatsApp answers.
async fn kept(state: &State, tenant: TenantId) -> Result<Profile, ApiError> {
    let looked = state.application.look_once(tenant, Subject::Settings).await;
    match state.inbox.business_profile(tenant).await? {
        Some(profile) => Ok(profile),
        None => looked.map(|()| Profile::default()).map_err(Into::into),
    }
}

fn read(mut fields: Fields, whole: bool) -> Result<ProfileChange, ApiError> {
    let texts = (
        plain(&mut fields, "address", whole, MAX_ADDRESS),
        plain(&mut fields, "description", whole, MAX_DESCRIPTION),
        plain(&mut fields, "email", whole, MAX_EMAIL),
    );
    if let Some(Some(email)) = &texts.2
        && !email.is_empty()
        && !format::is_email(email)
    {
        fields.refuse("email", format::EMAIL);
    }
    let vertical = vertical(&mut fields, whole);
    let websites = if fields.has("websites") { websites(&mut fields).map(Some) } else { Some(None) };
    let about = if fields.has("about") { fields.text("about", MAX_ABOUT).map(Some) } else { Some(None) };
    let (address, description, email) = texts;
    let (address, description, email, vertical, (websites, about)) =
        fields.finish((address, description, email, vertical, websites.zip(about)))?;
    Ok(ProfileChange { about, address, description, email, vertical, websites })
}

/// Text that may be empty, for that is how it is taken away.
fn plain(fields: &mut Fields, name: &str, required: bool, at_most: usize) -> Valid<Option<String>> {
    if fields.has(name) || required { fields.text_or_empty(name, at_most).map(Some) } else { Some(None) }
}

fn vertical(fields: &mut Fields, required: bool) -> Valid<Option<String>> {
    if !fields.has("vertical") && !required {
        return Some(None);
    }
    let given = fields.text_or_empty("vertical", usize::MAX)?;
    match code_of_vertical(&given) {
        Some(code) => Some(Some(code.to_owned())),
        None => {
            fields.refuse("vertical", format!("\"{given}\" is not a valid choice."));
            None
        }
    }
}

/// At most two addresses; empty ones, as forms send them, count as absent.
fn websites(fields: &mut Fields) -> Valid<Vec<String>> {
    let (_, value) = fields.json("websites")?;
    let Value::Array(items) = value else {
        fields.refuse("websites", text::not_a_list(&value));
        return None;
    };
    let mut websites = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("websites.{index}");
        match item {
            Value::String(url) if url.trim().is_empty() => {}
            Value::String(url) if url.chars().count() > MAX_WEBSITE => {
                fields.refuse(&path, text::too_long(MAX_WEBSITE));
            }
            Value::String(url) if format::is_url(url.trim()) => websites.push(url.trim().to_owned()),
            Value::String(_) => fields.refuse(&path, format::URL),
            Value::Null => fields.refuse(&path, text::NULL),
            _ => fields.refuse(&path, text::STRING),
        }
    }
    if websites.len() > MAX_WEBSITES {
        fields.refuse("websites", format!("Ensure this field has no more than {MAX_WEBSITES} elements."));
    }
    Some(websites)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::fields_of;

    fn told(body: Value, whole: bool) -> Value {
        match read(fields_of(&body.to_string()), whole) {
            Err(ApiError::Fields(errors)) => errors.body(),
            Err(_) => Value::Null,
            Ok(change) => json!({"vertical": change.vertical, "websites": change.websites, "email": change.email}),
        }
    }

    #[test]
    fn put_wants_all_and_patch_any() {
        let body = told(json!({}), true);
        for field in ["address", "description", "email", "vertical"] {
            assert_eq!(body[field], json!(["This field is required."]), "{field}");
        }
        assert_eq!(body["websites"], Value::Null);
        assert_eq!(told(json!({}), false)["reason"], Value::Null);
    }

    #[test]
    fn all_that_is_wrong_with_a_profile_is_told_at_once() {
        let body = told(
            json!({
                "email": "x", "vertical": "Farming", "about": " ", "address": "a".repeat(257),
                "websites": ["acme", null, 5, "https://a.example"],
            }),
            false,
        );
        assert_eq!(body["email"], json!(["Enter a valid email address."]));
        assert_eq!(body["vertical"], json!(["\"Farming\" is not a valid choice."]));
        assert_eq!(body["about"], json!(["This field may not be blank."]));
        assert_eq!(body["address"], json!(["Ensure this field has no more than 256 characters."]));
        let inside =
            json!({"0": ["Enter a valid URL."], "1": ["This field may not be null."], "2": ["Not a valid string."]});
        assert_eq!(body["websites"], inside);
        let three = json!({"websites": ["https://a.example", "https://b.example", "https://c.example"]});
        assert_eq!(told(three, false)["websites"], json!(["Ensure this field has no more than 2 elements."]));
        assert_eq!(
            told(json!({"websites": {}}), false)["websites"],
            json!(["Expected a list of items but got type \"dict\"."])
        );
    }

    #[test]
    fn labels_and_codes_are_one_vertical_and_empty_websites_are_none() {
        let body = told(json!({"vertical": "Beauty, Spa and Salon", "websites": ["", "https://a.example"]}), false);
        assert_eq!(body, json!({"vertical": "BEAUTY", "websites": ["https://a.example"], "email": null}));
        assert_eq!(told(json!({"vertical": "BEAUTY", "email": ""}), false)["email"], "");
    }
}
