//! The document is complete, and the committed one is this one.

use std::{collections::BTreeSet, path::Path};

use utoipa::openapi::path::{Operation, PathItem};

use super::*;
use crate::routes::route_table;

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

#[test]
fn every_endpoint_is_documented_and_nothing_else() {
    let documented: BTreeSet<_> = Documented::ALL
        .into_iter()
        .flat_map(|of| openapi(of).paths.paths)
        .flat_map(|(path, item)| {
            operations(&item)
                .map(|(method, operation)| {
                    (method.to_owned(), path.clone(), operation.operation_id.clone().unwrap_or_default())
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let served = route_table()
        .into_iter()
        .map(|route| (route.method.to_owned(), route.path.to_owned(), route.operation.to_owned()))
        .collect();
    assert_eq!(documented, served);
}

#[test]
fn every_reference_leads_somewhere() {
    for of in Documented::ALL {
        let document = serde_json::to_value(openapi(of)).unwrap();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}

#[test]
fn the_service_api_names_the_type_of_every_answer() {
    let document = serde_json::to_value(openapi(Documented::Service)).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
            let named = answer.as_str().unwrap_or_default();
            assert!(named.starts_with("#/components/schemas/ServiceAnswer_Service"), "{method} {path}: {answer}");
        }
    }
}

#[test]
fn the_service_api_promises_errors_where_there_can_be_some() {
    let document = serde_json::to_value(openapi(Documented::Service)).unwrap();
    let told = |path: &str, method: &str| {
        let responses = &document["paths"][format!("/api/v1/whatsapp/{path}")][method]["responses"];
        let code = |status: &str| {
            responses[status]["content"]["application/json"]["example"]["details"]["code"].as_str().map(str::to_owned)
        };
        (code("400"), code("409").is_some() || !responses["409"].is_null())
    };
    for (path, method, bad, conflict) in [
        ("auth/token", "post", Some("INVALID_JSON"), false),
        ("accounts", "post", Some("INVALID_JSON"), true),
        ("accounts/{shopId}", "get", None, false),
        ("accounts/{shopId}", "delete", None, true),
        ("conversations", "get", Some("MISSING_PARAMETER"), false),
        ("conversations/{id}", "get", None, false),
        ("conversations/{id}/close", "post", None, true),
        ("customers/{waId}", "get", Some("MISSING_PARAMETER"), false),
        ("customers/{waId}/tags", "put", Some("INVALID_JSON"), true),
    ] {
        assert_eq!(told(path, method), (bad.map(str::to_owned), conflict), "{method} {path}");
    }
}

#[test]
fn the_committed_documents_are_these() {
    for of in Documented::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(of.path().trim_start_matches('/'));
        let current = openapi(of).to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = committed.lines().zip(current.lines()).enumerate().find(|(_, (old, new))| old != new);
        assert!(
            committed == current,
            "api{} is not what the handlers say (first difference: {differs:?}).\n\
             To adopt the change: UPDATE_SNAPSHOTS=1 cargo test -p chatledger-api --lib the_committed_documents",
            of.path()
        );
    }
}
