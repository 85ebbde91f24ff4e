//! Read model `customers`: everybody who wrote, was written to, was saved or said whether it wishes to hear from us
//! (R-CUS-1). When each was last contacted changes with every message and stands in a narrow table of its own.

mod apply;
mod customer;
mod query;
mod tagged;
mod tags;
mod view;

pub(crate) use apply::Customers;
pub use view::{CustomerFilter, CustomerProfileView, CustomerView};
