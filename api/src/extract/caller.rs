//! Who calls. Every handler's first argument is one of these (R-AUTH-*).

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chatledger_application::Context;
use chatledger_domain::{Actor, TenantId};
use chatledger_projections::views::UserView;
use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    auth::Attempt,
    error::{ApiError, NOT_PROVIDED},
};

/// A user that has proved who it is.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its inbox.
    pub tenant: TenantId,
    /// What it may do.
    pub actor: Actor,
    /// How it is shown.
    pub user: Arc<UserView>,
    pub(crate) correlation_id: String,
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

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let attempt = Attempt::begin(request, payload);
        async { attempt.caller().await?.ok_or(ApiError::Unauthenticated(NOT_PROVIDED)) }.boxed_local()
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

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let attempt = Attempt::begin(request, payload);
        async { attempt.caller().await.map(Self) }.boxed_local()
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

/// Arguments of handlers whose first one says who may call.
pub trait NamesCaller {}

trait Who {}
impl Who for Caller {}
impl Who for Admin {}
impl Who for Visitor {}
impl Who for Anyone {}
impl Who for WhatsApp {}
impl Who for crate::service::ServiceCaller {}

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
