//! Where everything is (RFC 8414).

use serde_json::Value;

use crate::support::{Rig, Setup};

const DOCUMENT: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn the_document_names_what_there_is_and_nothing_else() {
    let rig = Rig::set_up(Setup { public_url: Some("https://grantd.example"), ..Setup::default() }).await;
    let answer = rig.bare("GET", DOCUMENT).send().await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let said = &answer.body;
    assert_eq!(said["issuer"], "https://grantd.example");
    for (name, path) in [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "tokens"),
        ("revocation_endpoint", "revoke"),
        ("introspection_endpoint", "introspect"),
    ] {
        assert_eq!(said[name], format!("https://grantd.example/oauth2/{path}"));
    }
    assert_eq!(said["scopes_supported"].as_array().map(Vec::len), Some(61));
    assert_eq!(said["code_challenge_methods_supported"], Value::from(vec!["S256"]));
    assert_eq!(said["authorization_response_iss_parameter_supported"], true);
    for absent in ["pushed_authorization_request_endpoint", "registration_endpoint", "jwks_uri"] {
        assert!(said.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn each_realm_is_an_issuer_of_its_own() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    let said = rig.bare("GET", &format!("{DOCUMENT}/r/acme")).send().await.is(200).body;
    assert_eq!(said["issuer"], format!("{}/r/acme", rig.base()));
    assert_eq!(said["token_endpoint"], format!("{}/r/acme/oauth2/tokens", rig.base()));
    rig.bare("GET", &format!("{DOCUMENT}/r/nowhere")).send().await.is_oauth(404, "invalid_request");
    rig.bare("GET", &format!("{DOCUMENT}/x")).send().await.is_oauth(404, "invalid_request");
}
