//! Who calls. Every handler's first argument is one of these (R-AUTH-*).

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    time::Instant,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};
use chatledger_application::Context;
use chatledger_domain::{Actor, TenantId};
use chatledger_projections::views::UserView;
use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    app::AppState,
    error::{ApiError, INACTIVE_USER, INVALID_TOKEN, NOT_PROVIDED},
    origin,
    shell::RequestId,
};

/// Longer tokens are not looked up, in bytes.
const MAX_TOKEN: usize = 200;

/// A user that has proved who it is.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its inbox.
    pub tenant: TenantId,
    /// What it may do.
    pub actor: Actor,
    /// How it is shown.
    pub user: Arc<UserView>,
    correlation_id: String,
}

impl Caller {
    /// For the use cases.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            tenant: self.tenant,
            actor: self.actor.clone(),
            family: "integration",
            correlation_id: self.correlation_id.clone(),
        }
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { authenticate(&request).await?.ok_or(ApiError::Unauthenticated(NOT_PROVIDED)) }.boxed_local()
    }
}

/// A caller that is an admin of its inbox.
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        async move {
            let caller = caller.await?;
            if caller.actor.is_admin() { Ok(Self(caller)) } else { Err(ApiError::Forbidden) }
        }
        .boxed_local()
    }
}

/// Anybody, but a credential that is given must be good.
#[derive(Clone, Debug)]
pub struct Visitor(pub Option<Caller>);

impl FromRequest for Visitor {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { authenticate(&request).await.map(Self) }.boxed_local()
    }
}

/// Anybody; credentials are not looked at.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

/// WhatsApp: proves itself by the signature of the body, a token or a secret path, which the use case checks.
#[derive(Clone, Copy, Debug)]
pub struct WhatsApp;

macro_rules! open_to_all {
    ($name:ident) => {
        impl FromRequest for $name {
            type Error = Infallible;
            type Future = Ready<Result<Self, Infallible>>;

            fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(Ok(Self))
            }
        }
    };
}
open_to_all!(Anyone);
open_to_all!(WhatsApp);

/// The caller, `None` without a credential that this family looks at (R-AUTH-4, R-AUTH-7).
async fn authenticate(request: &HttpRequest) -> Result<Option<Caller>, ApiError> {
    let state = request.app_data::<web::Data<AppState>>().ok_or(ApiError::Internal)?;
    let Some(token) = token(request) else { return Ok(None) };
    let invalid = ApiError::Unauthenticated(INVALID_TOKEN);
    let Some(token) = token.filter(|token| token.len() <= MAX_TOKEN) else { return Err(invalid) };
    let Some((tenant, user)) = state.application.authenticate(token).await? else { return Err(invalid) };
    let host = state.application.tenant_of_host(&origin::host(request)).await?;
    if host.is_some_and(|host| host != tenant) {
        return Err(ApiError::Unauthenticated(NOT_PROVIDED));
    }
    let Some(caller) = state.inbox.caller(tenant, user).await? else { return Err(invalid) };
    if !caller.user.is_active {
        return Err(ApiError::Unauthenticated(INACTIVE_USER));
    }
    state.throttles.request(tenant, user, Instant::now()).map_err(ApiError::Throttled)?;
    let correlation_id = request.extensions().get::<RequestId>().map_or("", RequestId::as_str).to_owned();
    Ok(Some(Caller { tenant, actor: caller.actor, user: caller.user, correlation_id }))
}

/// The token of an `Authorization: Token …` header: `Some(None)` when the scheme is ours and no single token follows.
fn token(request: &HttpRequest) -> Option<Option<&str>> {
    let header = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    let mut words = header.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if !words.next()?.eq_ignore_ascii_case(b"token") {
        return None;
    }
    let token = words.next().filter(|_| words.next().is_none());
    Some(token.and_then(|token| std::str::from_utf8(token).ok()))
}

/// Arguments of handlers whose first one says who may call.
pub trait NamesCaller {}

trait Who {}
impl Who for Caller {}
impl Who for Admin {}
impl Who for Visitor {}
impl Who for Anyone {}
impl Who for WhatsApp {}

macro_rules! names_caller {
    ($($name:ident)*) => {
        #[allow(private_bounds)]
        impl<First: Who, $($name),*> NamesCaller for (First, $($name,)*) {}
    };
}
names_caller!();
names_caller!(A);
names_caller!(A B);
names_caller!(A B C);
names_caller!(A B C D);
names_caller!(A B C D E);

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn r_auth_2_and_4_only_the_scheme_token_is_looked_at_in_any_case() {
        let read = |value: &str| {
            let request = TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request();
            token(&request).map(|token| token.map(str::to_owned))
        };
        assert_eq!(read("Token abc"), Some(Some("abc".to_owned())));
        assert_eq!(read("tOkEn  abc"), Some(Some("abc".to_owned())));
        assert_eq!(read("Token"), Some(None));
        assert_eq!(read("Token a b"), Some(None));
        assert_eq!(read("Token \u{e9}"), Some(Some("\u{e9}".to_owned())));
        assert_eq!(read("Bearer abc"), None);
        assert_eq!(read("abc"), None);
    }
}
