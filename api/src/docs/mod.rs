//! The OpenAPI documents, made from the handlers, and Swagger UI.

mod common;
pub mod params;
mod service;

use actix_web::{
    HttpResponse,
    dev::Service,
    http::header::{self, HeaderValue},
    web::{self, ServiceConfig},
};
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use self::common::Common;
use crate::{health, hooks, integration, websocket};

/// A family's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Documented {
    /// The Integration API, and the doors beside it.
    Integration,
    /// The Service API.
    Service,
}

impl Documented {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Integration, Self::Service];

    /// Where the document is.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Integration => "/openapi/integration.json",
            Self::Service => "/openapi/service.json",
        }
    }
}

/// Swagger UI brings scripts and styles of its own, which the policy of the API would forbid.
const UI_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; \
                         img-src 'self' data:; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "chatledger Integration API",
        description = "A WhatsApp inbox on a ledger: chats, messages, tags, assignment, and their whole history.",
        version = "1",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/")),
    security(("token" = []), ("provider" = []), ("session" = [])),
    modifiers(&Common),
    paths(
        integration::root::root,
        integration::auth::token,
        integration::auth::convert,
        integration::auth::log_out,
        integration::auth::log_out_by_post,
        integration::login::show,
        integration::login::submit,
        integration::users::list,
        integration::users::create,
        integration::users::current,
        integration::users::get,
        integration::users::put,
        integration::users::patch,
        integration::users::delete,
        integration::users::availability,
        integration::passwords::put_own,
        integration::passwords::post_own,
        integration::passwords::put,
        integration::passwords::post,
        integration::activation::follow,
        integration::activation::activate,
        integration::groups::list,
        integration::groups::create,
        integration::groups::patch,
        integration::groups::delete,
        integration::group_permissions::get,
        integration::group_permissions::put,
        integration::chats::list,
        integration::chats::get,
        integration::chats::resolve,
        integration::messages::list,
        integration::send::send,
        integration::messages::list_of_chat,
        integration::received::mark,
        integration::persons::list,
        integration::persons::get,
        integration::assignment::get,
        integration::assignment::put,
        integration::assignment::patch,
        integration::histories::chat_assignments,
        integration::tags::list,
        integration::tags::create,
        integration::tags::patch,
        integration::tags::delete,
        integration::chat_tagging::create,
        integration::chat_tagging::get,
        integration::chat_tagging::delete,
        integration::histories::chat_taggings,
        integration::contacts::list,
        integration::contacts::get,
        integration::contacts::verify,
        integration::erasure::erase,
        integration::saved_responses::list,
        integration::saved_responses::create,
        integration::saved_responses::delete,
        integration::bulk::list,
        integration::bulk::create,
        integration::bulk::elements,
        integration::message_tagging::create,
        integration::message_tagging::get,
        integration::message_tagging::delete,
        integration::histories::message_taggings,
        integration::media::create,
        integration::media::get,
        integration::templates::list,
        integration::templates::create,
        integration::templates::delete,
        integration::templates::refresh,
        integration::templates::refresh_status,
        integration::profile::get,
        integration::profile::put,
        integration::profile::patch,
        integration::profile::get_about,
        integration::profile::patch_about,
        integration::profile::refresh,
        integration::photo::get,
        integration::photo::post,
        integration::photo::delete,
        integration::profile::refresh_status,
        integration::plugins::get,
        integration::whatsapp_accounts::list,
        integration::webhooks::list,
        integration::webhooks::create,
        integration::webhooks::get,
        integration::webhooks::put,
        integration::webhooks::patch,
        integration::webhooks::delete,
        integration::deliveries::list,
        integration::deliveries::get,
        integration::deliveries::replay,
        integration::deliveries::status,
        integration::deliveries::enable,
        integration::signing::get,
        integration::signing::create,
        integration::signing::delete,
        integration::signing::put_app_secret,
        integration::rule_engine::get,
        integration::rule_engine::put,
        integration::rule_engine::list,
        integration::rule_engine::create,
        integration::rule_engine::put_rule,
        integration::rule_engine::patch_rule,
        integration::rule_engine::delete_rule,
        integration::api_tokens::get_access,
        integration::api_tokens::put_access,
        integration::api_tokens::list,
        integration::api_tokens::create,
        integration::api_tokens::delete,
        integration::api_tokens::delete_by_query,
        integration::audit::chat,
        integration::audit::chat_state,
        integration::audit::user,
        integration::audit::tag,
        hooks::cloud::verify,
        hooks::cloud::receive,
        hooks::channel::receive,
        health::alive,
        health::ready,
        health::metrics,
        websocket::door::open,
    )
)]
struct Document;

/// The OpenAPI document of a family.
#[must_use]
pub fn openapi(of: Documented) -> utoipa::openapi::OpenApi {
    match of {
        Documented::Integration => Document::openapi(),
        Documented::Service => service::Service::openapi(),
    }
}

/// Serves the documents and Swagger UI.
pub(crate) fn register(config: &mut ServiceConfig) {
    for of in Documented::ALL {
        let document = openapi(of).to_json().unwrap_or_default();
        config.route(
            of.path(),
            web::get().to(move || {
                let document = document.clone();
                async { HttpResponse::Ok().content_type("application/json; charset=utf-8").body(document) }
            }),
        );
    }
    let to_ui = || async { HttpResponse::Found().insert_header((header::LOCATION, "/docs/")).finish() };
    config.route("/docs", web::get().to(to_ui)).service(
        web::scope("/docs")
            .wrap_fn(|request, service| {
                let answer = service.call(request);
                async {
                    let mut response = answer.await?;
                    let policy = HeaderValue::from_static(UI_POLICY);
                    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
                    Ok(response)
                }
            })
            .service(SwaggerUi::new("/{_:.*}").config(Config::new(Documented::ALL.map(Documented::path)))),
    );
}

#[cfg(test)]
mod tests;
