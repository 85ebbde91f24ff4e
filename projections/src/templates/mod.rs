//! Read model `templates`: the message templates as WhatsApp last told them.

mod apply;
mod query;
mod view;

pub(crate) use apply::Templates;
pub(crate) use query::kept;
pub use view::TemplateView;
