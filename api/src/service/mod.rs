//! The Service API: one file a resource, and the list of its endpoints. The same domain as every other family; here are
//! only its envelope, its credentials and its names.

pub mod accounts;
pub mod analytics;
pub mod body;
pub mod caller;
mod content;
pub mod conversations;
pub mod customer_tags;
pub mod customers;
pub mod envelope;
pub mod error;
pub mod jwt;
pub mod opt_in;
pub mod query;
pub mod send;
pub mod times;
pub mod token;
pub mod wire;

use actix_web::web;

pub use caller::{Limit, ServiceCaller, Shop};
pub use error::ServiceError;

use crate::{app::AppState, routes::Endpoint};

/// The shared state, as handlers take it.
pub type State = web::Data<AppState>;

/// The endpoints, resource by resource.
pub(crate) fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    let resources = [
        token::ENDPOINTS,
        accounts::ENDPOINTS,
        conversations::ENDPOINTS,
        send::ENDPOINTS,
        customers::ENDPOINTS,
        customer_tags::ENDPOINTS,
        opt_in::ENDPOINTS,
        analytics::ENDPOINTS,
    ];
    resources.into_iter().flatten()
}
