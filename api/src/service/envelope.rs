//! The form of every answer of the Service API (R-SVC-2), and its parts of lists (service-api §9).

use actix_web::{HttpResponse, HttpResponseBuilder};
use chatledger_projections::views::PageRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Details;
use crate::family::json_body;

/// An answer, keys in the contract's order. What is not used is `null`; failures alone have `details`.
#[derive(Debug, Serialize)]
pub struct Envelope<'a, T> {
    success: bool,
    data: Option<T>,
    error: Option<&'a str>,
    pagination: Option<Pagination>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Details>,
}

/// A success.
#[derive(ToSchema)]
#[schema(as = ServiceAnswer)]
pub struct Answer<T: ToSchema> {
    /// True.
    pub success: bool,
    /// What was asked for.
    pub data: T,
    /// Null.
    #[schema(required = true)]
    pub error: Option<String>,
    /// Which part of a list this is; null where it is none.
    #[schema(required = true)]
    pub pagination: Option<Pagination>,
}

/// Which part of a list this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServicePagination, example = json!({"page": 2, "limit": 20, "total": 150, "totalPages": 8}))]
pub struct Pagination {
    /// `floor(skip / take) + 1`.
    pub page: i64,
    /// `take`.
    pub limit: i64,
    /// All that match.
    pub total: i64,
    /// `ceil(total / take)`.
    pub total_pages: i64,
}

impl Pagination {
    /// Of a list of so many rows.
    #[must_use]
    pub fn of(part: PageRequest, total: i64) -> Self {
        let PageRequest { limit, offset } = part;
        Self { page: offset / limit + 1, limit, total, total_pages: total.saturating_add(limit - 1) / limit }
    }
}

impl<'a> Envelope<'a, ()> {
    pub(super) fn failure(text: &'a str, details: &'a Details) -> Self {
        Self { success: false, data: None, error: Some(text), pagination: None, details: Some(details) }
    }
}

impl<T: Serialize> Envelope<'_, T> {
    fn success(data: T, pagination: Option<Pagination>) -> Self {
        Self { success: true, data: Some(data), error: None, pagination, details: None }
    }

    pub(super) fn answer(&self, builder: HttpResponseBuilder) -> HttpResponse {
        json_body(builder, self)
    }
}

/// 200 with data, also for what was created.
#[must_use]
pub fn ok(data: impl Serialize) -> HttpResponse {
    Envelope::success(data, None).answer(HttpResponse::Ok())
}

/// 200 with a part of a list.
#[must_use]
pub fn list(data: impl Serialize, part: PageRequest, total: i64) -> HttpResponse {
    Envelope::success(data, Some(Pagination::of(part, total))).answer(HttpResponse::Ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r_svc_2_a_success_carries_all_four_keys() {
        let body = serde_json::to_value(Envelope::success(json!({"a": 1}), None)).unwrap();
        assert_eq!(body, json!({"success": true, "data": {"a": 1}, "error": null, "pagination": null}));
    }

    #[test]
    fn r_pag_5_skip_20_take_20_of_150_is_page_2_of_8() {
        let of = |offset, limit, total| {
            let page = Pagination::of(PageRequest { limit, offset }, total);
            (page.page, page.limit, page.total, page.total_pages)
        };
        assert_eq!(of(20, 20, 150), (2, 20, 150, 8));
        assert_eq!(of(0, 20, 0), (1, 20, 0, 0));
        assert_eq!(of(30, 20, 41), (2, 20, 41, 3));
    }
}
