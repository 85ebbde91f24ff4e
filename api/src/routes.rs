//! The one list of endpoints, from which resources, 405 answers and tests are made.

use actix_web::{
    FromRequest, Handler, HttpRequest, Responder, Route,
    http::Method,
    web::{self, ServiceConfig},
};

use crate::{extract::NamesCaller, family::Family, health, hooks, integration, service, websocket};

/// An endpoint: how it is asked for, what it is called, who answers.
pub(crate) struct Endpoint {
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    route: fn() -> Route,
}

impl Endpoint {
    /// An endpoint. `path` as the family writes it; the other spelling of the final slash is added by [`register`].
    pub(crate) const fn new(
        method: &'static str,
        path: &'static str,
        operation: &'static str,
        route: fn() -> Route,
    ) -> Self {
        Self { method, path, operation, route }
    }
}

/// A route to a handler whose first argument says who may call it; any other handler does not compile.
pub(crate) fn to<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + NamesCaller + 'static,
    F::Output: Responder + 'static,
{
    web::to(handler)
}

/// An endpoint, for tests and documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteInfo {
    /// The HTTP method. `HEAD` goes wherever `GET` goes and is not listed.
    pub method: &'static str,
    /// The path with `{parameters}`.
    pub path: &'static str,
    /// The operation's name, unique.
    pub operation: &'static str,
}

fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    integration::endpoints()
        .chain(service::endpoints())
        .chain(hooks::ENDPOINTS)
        .chain(health::ENDPOINTS)
        .chain(websocket::ENDPOINTS)
}

/// Every endpoint, in the order in which paths are matched.
#[must_use]
pub fn route_table() -> Vec<RouteInfo> {
    endpoints().map(|e| RouteInfo { method: e.method, path: e.path, operation: e.operation }).collect()
}

/// Registers every endpoint, each path with and without its final slash (R-GEN-3).
pub(crate) fn register(config: &mut ServiceConfig) {
    let mut paths: Vec<&'static str> = Vec::new();
    for endpoint in endpoints() {
        if !paths.contains(&endpoint.path) {
            paths.push(endpoint.path);
        }
    }
    for path in paths {
        let bare = path.trim_end_matches('/');
        let mut resource = web::resource(vec![bare.to_owned(), format!("{bare}/")]);
        let mut allow = Vec::new();
        for endpoint in endpoints().filter(|endpoint| endpoint.path == path) {
            for method in methods(endpoint.method) {
                allow.push(method.as_str().to_owned());
                resource = resource.route((endpoint.route)().method(method));
            }
        }
        let allow = allow.join(", ");
        config.service(resource.default_service(web::to(move |request: HttpRequest| {
            let response = Family::of(request.path()).method_not_allowed(request.method(), &allow);
            async { response }
        })));
    }
}

fn methods(name: &str) -> Vec<Method> {
    match name {
        "GET" => vec![Method::GET, Method::HEAD],
        "PUT" => vec![Method::PUT],
        "PATCH" => vec![Method::PATCH],
        "DELETE" => vec![Method::DELETE],
        _ => vec![Method::POST],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::{
        App,
        http::StatusCode,
        test::{TestRequest, call_service, init_service, read_body_json},
    };
    use serde_json::{Value, json};

    use super::*;

    #[actix_web::test]
    async fn r_gen_3_both_spellings_and_head_reach_the_endpoint() {
        let app = init_service(App::new().configure(register)).await;
        for path in ["/healthz", "/healthz/"] {
            for request in [TestRequest::get(), TestRequest::default().method(Method::HEAD)] {
                assert_eq!(call_service(&app, request.uri(path).to_request()).await.status(), StatusCode::OK);
            }
        }
    }

    #[actix_web::test]
    async fn r_err_1_another_method_is_405_in_the_familys_form() {
        let app = init_service(App::new().configure(register)).await;
        for path in ["/api/v1/tags/", "/api/v1/tags"] {
            let response = call_service(&app, TestRequest::put().uri(path).to_request()).await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
            let allow = response.headers().get("allow").and_then(|allow| allow.to_str().ok());
            assert_eq!(allow, Some("GET, HEAD, POST"));
            let body: Value = read_body_json(response).await;
            assert_eq!(body, json!({"detail": "Method \"PUT\" not allowed."}));
        }
        let response = call_service(&app, TestRequest::delete().uri("/api/v1/whatsapp/webhooks").to_request()).await;
        let body: Value = read_body_json(response).await;
        assert_eq!(body["details"]["code"], "METHOD_NOT_ALLOWED");
    }

    #[test]
    fn every_endpoint_is_listed_once() {
        let table = route_table();
        let places: BTreeSet<_> = table.iter().map(|route| (route.method, route.path)).collect();
        let names: BTreeSet<_> = table.iter().map(|route| route.operation).collect();
        assert_eq!((places.len(), names.len()), (table.len(), table.len()));
    }
}
