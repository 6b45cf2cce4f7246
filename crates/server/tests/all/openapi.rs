//! The OpenAPI document: the stored one, the served one and the route table are the same.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::route_table::api;
use crate::support::Rig;

fn stored() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

/// `GRANTD_UPDATE_DOCS=1` writes it anew.
#[test]
fn the_stored_document_is_the_one_that_is_made() {
    let made = grantd_server::api::document() + "\n";
    if std::env::var_os("GRANTD_UPDATE_DOCS").is_some() {
        std::fs::write(stored(), &made).unwrap();
    }
    let stored = std::fs::read_to_string(stored()).unwrap_or_default();
    assert!(
        stored == made,
        "docs/openapi.json is not what the handlers say: look at the difference, then run this \
                             test once with GRANTD_UPDATE_DOCS=1"
    );
}

#[tokio::test]
async fn it_is_served_to_everybody() {
    let rig = Rig::new().await;
    let answer = rig.bare("GET", "/openapi.json").send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.text, grantd_server::api::document());
}

#[test]
fn it_names_every_route_and_no_other() {
    let document: Value = serde_json::from_str(&grantd_server::api::document()).unwrap();
    let mut named = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            named.insert((method.to_uppercase(), path.clone()));
        }
    }
    assert_eq!(named, api().into_iter().collect());
}

#[test]
fn every_call_says_that_it_needs_a_credential() {
    let document: Value = serde_json::from_str(&grantd_server::api::document()).unwrap();
    assert_eq!(document["security"][0]["api_key"], serde_json::json!([]));
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            assert!(call["responses"]["401"].is_object(), "{method} {path}");
            assert!(call["summary"].is_string(), "{method} {path}");
        }
    }
}
