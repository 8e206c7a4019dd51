//! The OpenAPI document that is checked in is the one that is served.

use std::path::Path;

use serde_json::Value;

use crate::world::World;

/// Rewrites the file where `SENTRI_BLESS` is set: `SENTRI_BLESS=1 cargo test -p sentri-server document`.
#[test]
fn the_checked_in_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let current = sentri_server::http::document_json();
    if std::env::var_os("SENTRI_BLESS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(checked_in == current, "docs/openapi.json is not current: set SENTRI_BLESS=1 and run this test");
}

#[tokio::test]
async fn the_served_document_names_every_route() {
    let world = World::new().await;
    let served: Value = world.send("GET", "/v1/openapi.json", None, &[], None).await.ok();
    for endpoint in sentri_server::http::endpoints() {
        let method = endpoint.method.as_str().to_lowercase();
        let operation = &served["paths"][endpoint.path][&method];
        assert!(operation["operationId"].is_string(), "{method} {}", endpoint.path);
    }
    let api = served["info"]["version"].as_str().unwrap();
    assert_eq!(api, sentri_wire::API_VERSION);
    for path in served["paths"].as_object().unwrap().keys() {
        assert!(path.starts_with(&format!("/v{api}/")), "{path}");
    }
    // Each reference leads somewhere.
    let text = served.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(served.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}
