//! The query of a request; the first thing that is wrong is told (R-SVC-5, service-api §9).

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use chatledger_domain::TenantId;
use chatledger_projections::views::PageRequest;
use uuid::Uuid;

use super::error::ServiceError;

/// The longest search, in characters.
const MAX_TEXT: usize = 200;
/// The longest name in a list of names, in characters (errors-and-limits §8).
const MAX_NAME: usize = 1_000;
/// The most names in a list.
const MAX_NAMES: usize = 100;

/// The parameters of a query. Unknown ones are ignored; an empty one counts as absent, the last of several counts.
#[derive(Clone, Debug, Default)]
pub struct ServiceQuery(Vec<(String, String)>);

impl FromRequest for ServiceQuery {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::parse(request.query_string())))
    }
}

impl ServiceQuery {
    fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter, trimmed.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|(key, _)| key == name);
        last.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A text to look for.
    ///
    /// # Errors
    /// 400 when it is too long or cannot be in any text.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ServiceError> {
        let wrong = |text: &&str| text.chars().count() > MAX_TEXT || text.contains('\0');
        match self.get(name) {
            Some(text) if wrong(&text) => {
                Err(ServiceError::invalid_parameter(name, "a text of at most 200 characters"))
            }
            text => Ok(text),
        }
    }

    /// Names with commas between them; none where the parameter is absent.
    ///
    /// # Errors
    /// 400 when none is left of what was given, or there are too many or too long ones.
    pub fn names(&self, name: &str) -> Result<Vec<String>, ServiceError> {
        let Some(given) = self.get(name) else { return Ok(Vec::new()) };
        let names = given.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        let wrong = |name: &String| name.chars().count() > MAX_NAME || name.contains('\0');
        if names.is_empty() || names.len() > MAX_NAMES || names.iter().any(wrong) {
            let wanted = "1 to 100 names of at most 1000 characters, with commas between them";
            return Err(ServiceError::invalid_parameter(name, wanted));
        }
        Ok(names)
    }

    /// One of several words.
    ///
    /// # Errors
    /// 400 for any other.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, ServiceError> {
        let Some(given) = self.get(name) else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == given) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Err(ServiceError::invalid_parameter(name, &format!("one of {}", words.join(", "))))
            }
        }
    }

    /// `shopId`.
    ///
    /// # Errors
    /// 400 when it is missing or no UUID.
    pub fn shop(&self) -> Result<TenantId, ServiceError> {
        self.optional_shop()?.ok_or_else(|| ServiceError::missing_parameter("shopId"))
    }

    /// `shopId`, where it may be left out.
    ///
    /// # Errors
    /// 400 when it is no UUID.
    pub fn optional_shop(&self) -> Result<Option<TenantId>, ServiceError> {
        let parse = |text: &str| {
            text.parse::<Uuid>().map(TenantId).map_err(|_| ServiceError::invalid_parameter("shopId", "a UUID"))
        };
        self.get("shopId").map(parse).transpose()
    }

    /// `skip` and `take`.
    ///
    /// # Errors
    /// 400 when one is out of range (R-PAG-5).
    pub fn page(&self) -> Result<PageRequest, ServiceError> {
        let offset = self.number("skip", 0, 0..=i64::MAX / 4, "0 or more")?;
        let limit = self.number("take", 20, 1..=100, "between 1 and 100")?;
        Ok(PageRequest { limit, offset })
    }

    fn number(
        &self,
        name: &str,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
        wanted: &str,
    ) -> Result<i64, ServiceError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| ServiceError::out_of_range(name, wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_cus_2_names_that_were_given_are_names() {
        let names = |query: &str| ServiceQuery::parse(query).names("tags");
        assert_eq!((names(""), names("tags="), names("tags=+")), (Ok(vec![]), Ok(vec![]), Ok(vec![])));
        assert_eq!(names("tags=a,+b+,,"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert!(names(&format!("tags={}", "x".repeat(1_000))).is_ok());
        assert!(names(&format!("tags={}", ["x"; 100].join(","))).is_ok());
        let (long, many) = ("x".repeat(1_001), ["x"; 101].join(","));
        for tags in [",", ",+,", "a%00", &long, &many] {
            assert!(names(&format!("tags={tags}")).is_err(), "{tags}");
        }
    }

    #[test]
    fn r_pag_5_out_of_range_is_an_error() {
        let page = |query: &str| ServiceQuery::parse(query).page().map(|page| (page.offset, page.limit));
        assert_eq!(page(""), Ok((0, 20)));
        assert_eq!(page("skip=40&take=100"), Ok((40, 100)));
        for query in ["take=0", "take=101", "take=x", "skip=-1", "skip=1.5", "skip=99999999999999999999"] {
            assert!(page(query).is_err(), "{query}");
        }
    }
}
