//! Read model `template_days`: how many customers were sent a template outside the window, day by day.

mod apply;
mod query;

pub(crate) use apply::TemplateDays;
pub(crate) use query::template_day;
