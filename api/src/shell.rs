//! What goes around every answer: the request's id, security headers, panics caught, foreign errors put in form.

use std::{
    future::{Ready, ready},
    panic::AssertUnwindSafe,
    rc::Rc,
};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    web,
};
use chatledger_application::ports::rate_limits::Rate;
use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{app::AppState, error::ApiError, family::Family, hooks::HookError, origin, service::ServiceError};

/// The header with the request's id (R-GEN-10, R-ERR-2).
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a request, in bytes.
const MAX_REQUEST_ID: usize = 200;

/// The id of a request: the client's, else one made here. In the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Made from visible ASCII only.
        self.0.to_str().unwrap_or_default()
    }
}

/// The middleware.
#[derive(Clone, Copy, Debug)]
pub struct Shell;

impl<S, B> Transform<S, ServiceRequest> for Shell
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = ShellService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(ShellService { inner: Rc::new(inner) }))
    }
}

/// The middleware around a service.
pub struct ShellService<S> {
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for ShellService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let id = request_id(&request);
        let family = Family::of(request.path());
        request.extensions_mut().insert(RequestId(id.clone()));
        let inner = self.inner.clone();
        async move {
            // A panic ends this request, not the connection's task and every request behind it.
            let answer = AssertUnwindSafe(async move { inner.call(request).await }).catch_unwind().await;
            let mut response = match answer {
                Ok(Ok(response)) if is_foreign_error(&response) => {
                    let in_form = family.status_error(response.status());
                    response.into_response(in_form).map_into_right_body()
                }
                Ok(Ok(response)) => response.map_into_left_body(),
                Ok(Err(error)) => return Err(Failure::after(&error, family, id).into()),
                Err(_) => {
                    tracing::error!(incident = ?id, "a handler panicked");
                    return Err(Failure { status: StatusCode::INTERNAL_SERVER_ERROR, family, id }.into());
                }
            };
            let secure = origin::is_https(response.request());
            let rate = response.request().extensions().get::<Rate>().copied();
            dress(response.headers_mut(), id, secure);
            if let Some(rate) = rate {
                tell_rate(response.headers_mut(), rate);
            }
            if is_stopping(response.request()) {
                // So that the client comes again on another connection, to another server.
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            Ok(response)
        }
        .boxed_local()
    }
}

fn request_id(request: &ServiceRequest) -> HeaderValue {
    let given = request.headers().get(&REQUEST_ID).filter(|value| {
        !value.is_empty() && value.len() <= MAX_REQUEST_ID && value.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let state = request.app_data::<web::Data<AppState>>();
        let made = state.and_then(|state| HeaderValue::from_str(&state.random.uuid().to_string()).ok());
        made.unwrap_or_else(|| HeaderValue::from_static("unknown"))
    })
}

fn is_stopping(request: &HttpRequest) -> bool {
    request.app_data::<web::Data<AppState>>().is_some_and(|state| state.probe.is_stopping())
}

/// An error that no family's code has written: actix-web's own.
fn is_foreign_error<B>(response: &ServiceResponse<B>) -> bool {
    let error = response.response().error();
    error.is_some_and(|error| {
        error.as_error::<ApiError>().is_none()
            && error.as_error::<HookError>().is_none()
            && error.as_error::<ServiceError>().is_none()
    })
}

fn dress(headers: &mut HeaderMap, id: HeaderValue, secure: bool) {
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::REFERRER_POLICY) {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// How many requests are left (R-LIM-3).
fn tell_rate(headers: &mut HeaderMap, rate: Rate) {
    headers.insert(HeaderName::from_static("x-ratelimit-limit"), rate.limit.into());
    headers.insert(HeaderName::from_static("x-ratelimit-remaining"), rate.remaining.into());
    headers.insert(HeaderName::from_static("x-ratelimit-reset"), rate.resets_at.timestamp().into());
}

/// An answer where the request is lost: a panic, or an error below the handlers.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    family: Family,
    id: HeaderValue,
}

impl Failure {
    fn after(error: &Error, family: Family, id: HeaderValue) -> Self {
        let status = error.as_response_error().status_code();
        if status.is_server_error() {
            tracing::error!(incident = ?id, %error, "a request failed");
        }
        Self { status, family, id }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.status.fmt(f)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.family.status_error(self.status);
        dress(response.headers_mut(), self.id.clone(), false);
        response
    }
}

#[cfg(test)]
mod tests;
