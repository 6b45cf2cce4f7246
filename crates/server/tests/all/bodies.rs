//! Bodies that are not what they should be.

use serde_json::{Value, json};

use crate::route_table::{api, filled, freestyle};
use crate::support::Rig;

fn takes_a_body(method: &str) -> bool {
    ["POST", "PUT", "PATCH"].contains(&method)
}

/// The routes of the API whose body is a JSON object. An import is a stream; who comes into a role, or
/// what is taken back, stands in the path.
fn json_routes() -> impl Iterator<Item = (String, String)> {
    let has_none = |path: &str| {
        ["/import", "/{member}", "/cancel", "/secret", "/gateway-key", "/ssh/ca", "/{id}/test"]
            .iter()
            .any(|end| path.ends_with(end))
    };
    api().into_iter().filter(move |(method, path)| takes_a_body(method) && !has_none(path))
}

/// The paths of the dialect that take no body at all.
fn needs_none(path: &str) -> bool {
    path.ends_with("/tokens") || path == "/identity/v1/identities"
}

#[tokio::test]
async fn an_array_is_no_object() {
    let rig = Rig::new().await;
    let before = rig.revision().await;
    for (method, path) in json_routes() {
        for body in ["[]", " [null]", "[\"a\", \"b\", \"c\", [], []]"] {
            let answer = rig.call(&method, &filled(&path)).text("application/json", body).await;
            assert_eq!(answer.status, 400, "{method} {path} {body}: {}", answer.text);
        }
    }
    for (method, path) in freestyle().into_iter().filter(|(method, _)| takes_a_body(method)) {
        if needs_none(&path) {
            continue;
        }
        for body in ["[]", "\n[null]", "[null, null, null, null, null]"] {
            let answer = rig.call(&method, &filled(&path)).text("application/json", body).await;
            assert_eq!(answer.status, 400, "{method} {path} {body}: {}", answer.text);
        }
    }
    assert_eq!(rig.revision().await, before, "nothing was written");
}

#[tokio::test]
async fn what_is_no_json_of_the_right_form_is_400() {
    let rig = Rig::new().await;
    let deep = format!("{}1{}", "{\"a\":".repeat(2_000), "}".repeat(2_000));
    let before = rig.revision().await;
    for (method, path) in json_routes() {
        for body in ["", "{", "null", "1", "\"x\"", "{\"a\":1}}", "\u{feff}{}", &deep] {
            let answer = rig.call(&method, &filled(&path)).text("application/json", body).await;
            assert_eq!(answer.status, 400, "{method} {path} {body:.30}: {}", answer.text);
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        let answer = rig.call(&method, &filled(&path)).text("text/plain", "{}").await;
        answer.is_problem(415, "unsupported_media_type");
    }
    assert_eq!(rig.revision().await, before, "nothing was written");
}

#[tokio::test]
async fn a_wrong_type_is_named_by_its_field() {
    let rig = Rig::new().await;
    for (path, body, field) in [
        ("/api/v1/users", json!({"login": 1}), "login"),
        ("/api/v1/users", json!({"login": "ann", "roles": [null]}), "roles[0]"),
        ("/api/v1/users", json!({"name": "x"}), "login"),
        ("/api/v1/keys", json!({"name": "k", "grants": "admin"}), "grants"),
        ("/api/v1/keys", json!({"name": "k", "grants": ["king"]}), "grants"),
        ("/api/v1/keys", json!({"name": "k", "expires": "tomorrow"}), "expires"),
        ("/api/v1/relationships", json!({"require": [{}]}), "require"),
    ] {
        let answer = rig.call("POST", path).json(body.clone()).await.is(400);
        let named = answer.body["field"].as_str().map(str::to_owned);
        let told = named.as_deref() == Some(field) || answer.text.contains(field);
        assert!(told, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn too_long_is_413() {
    let rig = Rig::new().await;
    let long = |bytes: usize| json!({"login": "x".repeat(bytes)});
    rig.call("POST", "/api/v1/users").json(long(2 << 20)).await.is_problem(413, "payload_too_large");
    let allowed = rig.call("POST", "/api/v1/relationships").json(long(2 << 20)).await;
    assert_eq!(allowed.status, 200, "an empty write with a long word that nobody reads: {}", allowed.text);
    let dialect = rig.call("POST", "/git/v1/repo").json(long(2 << 20)).await;
    dialect.is_freestyle(413, "INVALID_REQUEST");
}

#[tokio::test]
async fn too_many_relationships_are_refused() {
    let rig = Rig::new().await;
    let one =
        |n: usize| json!({"resource": "role:qa", "relation": "member", "subject": format!("user:u{n}")});
    let many = |count: usize| json!({"write": (0..count).map(one).collect::<Vec<Value>>()});
    let post = |body: Value| rig.call("POST", "/api/v1/relationships").json(body);
    post(many(10_001)).await.is_problem(400, "invalid_request");
    assert_eq!(post(many(10_000)).await.is(200).body["written"], 10_000);
}
