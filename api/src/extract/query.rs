//! The query of a request: filters, read one by one; all that is wrong is told at once (R-FIL-*).

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chatledger_domain::WaId;

use super::{FieldErrors, Pagination, value, value::text};
use crate::error::ApiError;

/// The longest search, in characters (R-FIL-7).
const MAX_SEARCH: usize = 200;

/// The parameters of a query. Unknown ones are ignored; an empty one counts as absent.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
    errors: FieldErrors,
}

impl FromRequest for Query {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::parse(request.query_string())))
    }
}

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, errors: FieldErrors::default() }
    }

    /// The last value given for a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let last = self.pairs.iter().rev().find(|(key, _)| key == name);
        last.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The values of a parameter that may come several times, or as a list with commas.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.pairs.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    /// What a parameter means to a reader of its own; what it cannot read is told as `wrong`.
    pub fn read<T>(&mut self, name: &str, reader: impl Fn(&str) -> Option<T>, wrong: &str) -> Option<T> {
        let read = reader(self.get(name)?.trim());
        if read.is_none() {
            self.errors.add(name, wrong);
        }
        read
    }

    /// An integer (R-FIL-2).
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        let parsed = self.get(name)?.trim().parse().ok();
        if parsed.is_none() {
            self.errors.add(name, text::INTEGER);
        }
        parsed
    }

    /// A boolean (R-FIL-3).
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let parsed = value::boolean(self.get(name)?);
        if parsed.is_none() {
            self.errors.add(name, text::BOOLEAN);
        }
        parsed
    }

    /// `search`, trimmed; an empty one is none (R-FIL-7).
    pub fn search(&mut self) -> Option<String> {
        self.part_of_text("search")
    }

    /// A part of text that is looked for, under any name, by the rules of `search`.
    pub fn part_of_text(&mut self, name: &str) -> Option<String> {
        let search = self.get(name)?.trim().to_owned();
        if search.contains('\0') {
            self.errors.add(name, text::NUL);
        } else if search.chars().count() > MAX_SEARCH {
            self.errors.add(name, text::too_long(MAX_SEARCH));
        }
        (!search.is_empty()).then_some(search)
    }

    /// `wa_id`: `Err` when it names nothing, so that the list is empty (R-FIL-4).
    pub fn wa_id(&self) -> Option<Result<WaId, NamesNothing>> {
        self.get("wa_id").map(|text| WaId::parse(text).map_err(|_| NamesNothing))
    }

    /// Notes an error found elsewhere.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.errors.add(name, message);
    }

    /// The part of the list that is asked for; 100 rows unless told, at most 1000.
    ///
    /// # Errors
    /// All that was noted.
    pub fn page(self) -> Result<Pagination, ApiError> {
        self.page_of_at_most(1_000)
    }

    /// The same with another maximum.
    ///
    /// # Errors
    /// All that was noted.
    pub fn page_of_at_most(self, at_most: i64) -> Result<Pagination, ApiError> {
        if !self.errors.is_empty() {
            return Err(ApiError::Fields(self.errors));
        }
        Ok(Pagination::new(self.pairs, at_most))
    }
}

/// A filter that nothing can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamesNothing;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r_fil_2_and_3_all_that_is_wrong_is_told() {
        let mut query = Query::parse("since_time=x&from_us=yes&before_time=5&unread=True&offset=x");
        assert_eq!((query.integer("since_time"), query.integer("before_time")), (None, Some(5)));
        assert_eq!((query.boolean("from_us"), query.boolean("unread")), (None, Some(true)));
        let Err(ApiError::Fields(errors)) = query.page() else { panic!("must be refused") };
        assert_eq!(
            errors.body(),
            json!({"since_time": ["A valid integer is required."], "from_us": ["Must be a valid boolean."],
                   "reason": "since_time: A valid integer is required."})
        );
    }

    #[test]
    fn r_fil_7_a_search_is_trimmed_and_an_empty_one_is_none() {
        assert_eq!(Query::parse("search=+rui+").search().as_deref(), Some("rui"));
        assert_eq!(Query::parse("search=").search(), None);
        let mut query = Query::parse(&format!("search={}", "a".repeat(201)));
        let _ = query.search();
        assert!(query.page().is_err());
    }
}
