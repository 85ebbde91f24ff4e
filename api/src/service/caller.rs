//! Who calls the Service API, and in which shop (R-JWT-*, R-LIM-*).

use std::time::Instant;

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};
use chatledger_application::{ApplicationError, Context, accounts::Requester, ports::rate_limits::Rate};
use chatledger_domain::{Actor, Permissions, Role, TenantId, UserId};
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::{
    error::ServiceError,
    jwt::{Claims, TokenRole},
    query::ServiceQuery,
};
use crate::{app::AppState, origin, shell::RequestId};

/// Which counter a request uses up (R-SVC-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Everything but analytics.
    General,
    /// Analytics.
    Analytics,
}

/// A caller with a good token.
pub struct ServiceCaller {
    claims: Claims,
    request: HttpRequest,
    state: web::Data<AppState>,
}

impl FromRequest for ServiceCaller {
    type Error = ServiceError;
    type Future = LocalBoxFuture<'static, Result<Self, ServiceError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Self::of(request) }.boxed_local()
    }
}

/// A shop, as this caller may see it.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The inbox.
    pub tenant: TenantId,
    /// What the caller may do there. For others than agents everything; who is no user, as nobody in particular.
    pub actor: Actor,
    /// What the caller is called.
    sub: String,
    is_user: bool,
    correlation_id: String,
}

impl ServiceCaller {
    fn of(request: HttpRequest) -> Result<Self, ServiceError> {
        let state = request.app_data::<web::Data<AppState>>().cloned().ok_or_else(ServiceError::internal)?;
        let claims = bearer(&request).and_then(|token| state.jwt.read(token, state.clock.now()));
        match claims {
            Some(claims) => Ok(Self { claims, request, state }),
            None => Err(refuse(&state, &request)),
        }
    }

    /// What the caller is.
    #[must_use]
    pub fn role(&self) -> TokenRole {
        self.claims.role
    }

    /// Whether the caller is a user, no service.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.claims.user().is_some()
    }

    /// Whether the caller may ask about a shop at all.
    #[must_use]
    pub fn covers(&self, shop: TenantId) -> bool {
        self.claims.covers(shop)
    }

    /// Who asks, for what is recorded where there may be no shop yet.
    #[must_use]
    pub fn requester(&self) -> Requester {
        let extensions = self.request.extensions();
        let correlation_id = extensions.get::<RequestId>().map_or("", RequestId::as_str).to_owned();
        Requester { user: self.claims.user(), name: self.claims.sub.clone(), correlation_id }
    }

    /// The one shop of the token.
    #[must_use]
    pub fn single_shop(&self) -> Option<TenantId> {
        self.claims.single_shop()
    }

    /// Counts the request where it names no shop that the caller may see (R-LIM-5).
    ///
    /// # Errors
    /// 429.
    pub async fn count_by_token(&self, limit: Limit) -> Result<(), ServiceError> {
        match self.single_shop() {
            Some(shop) => self.count(shop, "", limit).await,
            None => self.count(TenantId::default(), &self.claims.sub, limit).await,
        }
    }

    /// Counts the request on a shop that the caller covers, existing or not.
    ///
    /// # Errors
    /// 429.
    pub async fn count_by_shop(&self, shop: TenantId, limit: Limit) -> Result<(), ServiceError> {
        if self.covers(shop) { self.count(shop, "", limit).await } else { self.count_by_token(limit).await }
    }

    async fn count(&self, shop: TenantId, sub: &str, limit: Limit) -> Result<(), ServiceError> {
        count(&self.state, &self.request, (shop, sub), limit).await
    }

    /// A shop that the request names, counted (R-JWT-2).
    ///
    /// # Errors
    /// 404 for one that is unknown or not the caller's; 429.
    pub async fn shop(&self, shop: TenantId, limit: Limit) -> Result<Shop, ServiceError> {
        self.count_by_shop(shop, limit).await?;
        self.enter(shop).await?.ok_or_else(ServiceError::not_found)
    }

    /// The shop that a query names, counted; what names none is counted on the token (R-LIM-5).
    ///
    /// # Errors
    /// 400 for none; else as [`Self::shop`].
    pub async fn shop_of(&self, query: &ServiceQuery, limit: Limit) -> Result<Shop, ServiceError> {
        match query.shop() {
            Ok(shop) => self.shop(shop, limit).await,
            Err(error) => self.count_by_token(limit).await.and(Err(error)),
        }
    }

    /// A shop that a resource belongs to, not counted; `None` when it is not the caller's.
    ///
    /// # Errors
    /// The read models' fault.
    pub async fn enter(&self, shop: TenantId) -> Result<Option<Shop>, ServiceError> {
        if !self.covers(shop) || !self.state.application.tenant_exists(shop).await? {
            return Ok(None);
        }
        let user = self.claims.user();
        let actor = match user {
            Some(user) => self.user(shop, user).await?,
            None => Some(everything(NOBODY)),
        };
        let (sub, is_user) = (self.claims.sub.clone(), user.is_some());
        let correlation_id = self.request.extensions().get::<RequestId>().map_or("", RequestId::as_str).to_owned();
        Ok(actor.map(|actor| Shop { tenant: shop, actor, sub, is_user, correlation_id }))
    }

    /// What a token lets its user do, while that is an active user of the shop (R-JWT-3): an agent what it may itself,
    /// others everything, if they still have the role for it.
    async fn user(&self, shop: TenantId, user: UserId) -> Result<Option<Actor>, ServiceError> {
        let caller = self.state.inbox.caller(shop, user).await?.filter(|caller| caller.user.is_active);
        Ok(caller.and_then(|caller| match self.role() {
            TokenRole::Agent => Some(caller.actor),
            role => (TokenRole::from(caller.actor.role) == role).then(|| everything(user)),
        }))
    }
}

impl Shop {
    /// Has the caller do something: a user as itself, a service as the user of its name, so that every event says who did
    /// it. Where there is no such user yet, it is made once `work` has decided that there is something to record.
    ///
    /// # Errors
    /// What `work` refuses: nothing is recorded then, the user neither.
    pub async fn act<T>(
        &self,
        state: &AppState,
        work: impl AsyncFn(&Context) -> Result<T, ApplicationError>,
    ) -> Result<T, ServiceError> {
        if self.is_user {
            return Ok(work(&self.context(self.actor.clone())).await?);
        }
        let known = state.application.service_user(self.tenant, &self.sub).await?;
        match work(&self.context(everything(known.unwrap_or(NOBODY)))).await {
            Err(ApplicationError::NoUserYet) => {
                let correlation_id = self.correlation_id.clone();
                let made = state.application.create_service_user(self.tenant, &self.sub, correlation_id).await?;
                Ok(work(&self.context(everything(made))).await?)
            }
            done => Ok(done?),
        }
    }

    fn context(&self, actor: Actor) -> Context {
        Context { tenant: self.tenant, actor, family: "service", correlation_id: self.correlation_id.clone() }
    }
}

/// Who services are until something of theirs is recorded.
const NOBODY: UserId = UserId(0);

/// May do everything.
fn everything(user: UserId) -> Actor {
    Actor { user, role: Role::Admin, groups: std::collections::BTreeSet::new(), permissions: Permissions::ADMIN }
}

/// The token of an `Authorization: Bearer …` header.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Counts a request on a shop, or on who asks.
pub(super) async fn count(
    state: &AppState,
    request: &HttpRequest,
    (shop, sub): (TenantId, &str),
    limit: Limit,
) -> Result<(), ServiceError> {
    let (name, most) = match limit {
        Limit::General => ("service", state.settings.service_requests_per_minute),
        Limit::Analytics => ("analytics", state.settings.service_analytics_per_minute),
    };
    if most == 0 {
        return Ok(());
    }
    let now = state.clock.now();
    let rate = state.application.count_request(shop, &format!("{name}:{sub}"), most, now).await?;
    let (within, wait) = (rate.within, (rate.resets_at - now).num_milliseconds());
    request.extensions_mut().insert(rate);
    if within { Ok(()) } else { Err(ServiceError::throttled((wait + 999).div_euclid(1_000).max(1))) }
}

/// 401; 429 once an address has failed too often (R-LIM-5).
pub(super) fn refuse(state: &AppState, request: &HttpRequest) -> ServiceError {
    let failed = state.throttles.failed(origin::client(request), Instant::now());
    tell_failures(state, request);
    match failed {
        Ok(()) => ServiceError::unauthorized(),
        Err(wait) => ServiceError::throttled(i64::try_from(wait.0).unwrap_or(60)),
    }
}

/// Has the answer say how many failures the address has left (R-LIM-3).
pub(super) fn tell_failures(state: &AppState, request: &HttpRequest) {
    if let Some((limit, remaining, seconds)) = state.throttles.standing(origin::client(request), Instant::now()) {
        let resets_at = state.clock.now() + chrono::TimeDelta::seconds(seconds);
        request.extensions_mut().insert(Rate { within: remaining > 0, limit, remaining, resets_at });
    }
}
