//! Parts of lists, and the links between them (R-PAG-1 … R-PAG-4).

use actix_web::HttpRequest;
use chatledger_projections::views::PageRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::origin;

/// Rows unless told otherwise.
const DEFAULT_LIMIT: i64 = 100;
/// Beyond every list, and safe to add to.
const MAX_OFFSET: i64 = i64::MAX / 4;

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub struct Pagination {
    limit: i64,
    offset: i64,
    others: Vec<(String, String)>,
}

/// A part of a list (R-GEN-13).
#[derive(Debug, Serialize, ToSchema)]
pub struct ListPage<T> {
    /// All rows that match.
    pub count: i64,
    /// The link to the next part.
    pub next: Option<String>,
    /// The link to the part before.
    pub previous: Option<String>,
    /// The rows of this part.
    pub results: Vec<T>,
}

impl Pagination {
    pub(super) fn new(pairs: Vec<(String, String)>, at_most: i64) -> Self {
        let number = |name: &str| {
            let last = pairs.iter().rev().find(|(key, _)| key == name);
            last.and_then(|(_, value)| natural(value)).unwrap_or(0)
        };
        let limit = match number("limit") {
            0 => DEFAULT_LIMIT,
            limit => limit.min(at_most),
        };
        let offset = number("offset").min(MAX_OFFSET);
        // `mark_as_received` is left out so that following a link marks nothing by accident (R-PAG-4).
        let own = ["limit", "offset", "mark_as_received"];
        let others = pairs.into_iter().filter(|(key, _)| !own.contains(&key.as_str())).collect();
        Self { limit, offset, others }
    }

    /// For the read models.
    #[must_use]
    pub fn request(&self) -> PageRequest {
        PageRequest { limit: self.limit, offset: self.offset }
    }

    /// The answer with its links.
    #[must_use]
    pub fn answer<T>(&self, request: &HttpRequest, count: i64, results: Vec<T>) -> ListPage<T> {
        let place = || format!("{}{}/", origin::base_url(request), request.path().trim_end_matches('/'));
        let next = self.offset.saturating_add(self.limit);
        ListPage {
            count,
            next: (next < count).then(|| self.link(&place(), next)),
            previous: (self.offset > 0).then(|| self.link(&place(), self.offset - self.limit)),
            results,
        }
    }

    /// The answer of a list that nothing can be in.
    #[must_use]
    pub fn nothing<T>(&self, request: &HttpRequest) -> ListPage<T> {
        self.answer(request, 0, Vec::new())
    }

    /// The link to what follows in a list that is read along a cursor: the same question with these parameters.
    #[must_use]
    pub fn follow(&self, request: &HttpRequest, set: &[(&str, i64)]) -> String {
        let place = format!("{}{}/", origin::base_url(request), request.path().trim_end_matches('/'));
        let mut pairs = self.others.clone();
        pairs.retain(|(key, _)| !set.iter().any(|(name, _)| name == key));
        pairs.extend(set.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())));
        self.linked(&place, pairs)
    }

    fn link(&self, place: &str, offset: i64) -> String {
        let mut pairs = self.others.clone();
        if offset > 0 {
            pairs.push(("offset".to_owned(), offset.to_string()));
        }
        self.linked(place, pairs)
    }

    fn linked(&self, place: &str, mut pairs: Vec<(String, String)>) -> String {
        pairs.push(("limit".to_owned(), self.limit.to_string()));
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{place}?{query}")
    }
}

/// A number without sign; one too long to hold is very large.
fn natural(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::extract::Query;

    fn page(query: &str) -> Pagination {
        Query::parse(query).page().unwrap()
    }

    fn links(uri: &str, count: i64) -> (Option<String>, Option<String>) {
        let request = TestRequest::with_uri(uri).insert_header(("host", "acme.example:8443")).to_http_request();
        let page = page(request.query_string()).answer::<()>(&request, count, Vec::new());
        (page.next, page.previous)
    }

    #[test]
    fn r_pag_1_what_makes_no_sense_is_corrected() {
        for query in ["", "limit=0", "limit=-1", "limit=x", "limit=&offset=-5", "limit=1.5&offset=x"] {
            let PageRequest { limit, offset } = page(query).request();
            assert_eq!((limit, offset), (100, 0), "{query}");
        }
        assert_eq!(page("limit=5000").request().limit, 1_000);
        assert_eq!(page("limit=99999999999999999999").request().limit, 1_000);
        assert_eq!(Query::parse("limit=9999").page_of_at_most(5_000).unwrap().request().limit, 5_000);
        assert_eq!(page("offset=99999999999999999999").request().offset, MAX_OFFSET);
    }

    #[test]
    fn r_pag_3_links_are_absolute_and_keep_the_rest() {
        let (next, previous) = links("/api/v1/messages?wa_id=351912000111&limit=20&search=a+b%26c", 276);
        let place = "http://acme.example:8443/api/v1/messages/";
        let expected = format!("{place}?limit=20&offset=20&search=a+b%26c&wa_id=351912000111");
        assert_eq!((next, previous), (Some(expected), None));
        let (next, previous) = links("/api/v1/tags/?limit=20&offset=20", 40);
        assert_eq!((next, previous.as_deref()), (None, Some("http://acme.example:8443/api/v1/tags/?limit=20")));
        let (_, previous) = links("/api/v1/tags/?limit=20&offset=60", 40);
        assert_eq!(previous.as_deref(), Some("http://acme.example:8443/api/v1/tags/?limit=20&offset=40"));
    }

    #[test]
    fn r_pag_4_links_never_mark_as_received() {
        let (next, _) = links("/api/v1/messages/?mark_as_received=1&limit=1", 2);
        assert_eq!(next.as_deref(), Some("http://acme.example:8443/api/v1/messages/?limit=1&offset=1"));
    }
}
