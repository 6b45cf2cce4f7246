//! The native API's errors: each code once.

use grantd_testkit::faulty_store::Fault;
use grantd_testkit::ledger::store::StoreError;
use serde_json::json;

use crate::support::Rig;

const WRITE: &str = "/api/v1/relationships";

fn relationship(key: &str) -> serde_json::Value {
    let (rest, subject) = key.split_once('@').unwrap();
    let (resource, relation) = rest.split_once('#').unwrap();
    json!({"resource": resource, "relation": relation, "subject": subject})
}

#[tokio::test]
async fn what_is_there_and_what_is_not() {
    let rig = Rig::new().await;
    rig.user("ann").await;
    rig.call("POST", "/api/v1/users").json(json!({"login": "ann"})).await.is_problem(409, "already_exists");
    for path in ["/api/v1/users/bob", "/api/v1/entities/user/bob"] {
        rig.call("GET", path).send().await.is_problem(404, "not_found");
        rig.call("DELETE", path).send().await.is_problem(404, "not_found");
    }
    let id = uuid::Uuid::from_u128(1);
    rig.call("DELETE", &format!("/api/v1/keys/{id}")).send().await.is_problem(404, "not_found");
    rig.call("PATCH", "/api/v1/users/bob").json(json!({})).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_managed_names_the_call() {
    let rig = Rig::new().await;
    let body = json!({"write": [relationship("grantd:default#admin@user:ann")]});
    let answer = rig.call("POST", WRITE).json(body).await.is_problem(409, "managed_relation");
    assert!(answer.body["instead"].as_str().unwrap().contains("/api/v1/keys"), "{}", answer.text);
}

#[tokio::test]
async fn what_is_not_held_is_not_given() {
    let rig = Rig::new().await;
    let operator = rig.key(&["operator", "checker", "requester"]).await;
    let key = json!({"name": "more", "grants": ["auditor"]});
    rig.with(&operator, "POST", "/api/v1/keys").json(key).await.is_problem(403, "not_held");
}

#[tokio::test]
async fn a_precondition_that_does_not_hold() {
    let rig = Rig::new().await;
    let (one, other) = (relationship("role:qa#member@user:ann"), relationship("role:qa#member@user:bob"));
    let body = json!({"write": [one], "require": [{"must_exist": other}]});
    rig.call("POST", WRITE).json(body).await.is_problem(409, "precondition_failed");
}

#[tokio::test]
async fn what_does_not_fit_names_its_field() {
    let rig = Rig::new().await;
    let past = json!({"resource": "role:qa", "relation": "member", "subject": "user:a", "until": "2020-01-01T00:00:00Z"});
    for (body, field) in [
        (json!({"write": [past]}), "until"),
        (json!({"write": [relationship("nothing:x#member@user:a")]}), "write"),
        (json!({"write": [relationship("role#member@user:a")]}), "resource"),
        (json!({"delete": [relationship("role:qa#Not a relation@user:a")]}), "relation"),
        (json!({"delete": [relationship("role:qa#member@user")]}), "subject"),
    ] {
        let answer = rig.call("POST", WRITE).json(body.clone()).await.is_problem(400, "invalid_request");
        assert_eq!(answer.body["field"], field, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_store_that_takes_no_writes() {
    let rig = Rig::new().await;
    rig.store.on_next_append(Fault::Rejected(StoreError::Full("no room".into())));
    let post =
        || rig.call("POST", "/api/v1/users").header("idempotency-key", "k").json(json!({"login": "ann"}));
    let answer = post().await.is_problem(503, "store_unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!answer.text.contains("no room"), "what the store says is for the log");
    rig.store.on_next_append(Fault::Rejected(StoreError::Full("no room".into())));
    rig.call("POST", "/v5/identities").json(json!({})).await.is_freestyle(503, "INTERNAL_ERROR");
    post().await.is(201);
}

#[tokio::test]
async fn an_outcome_that_nobody_knows() {
    let rig = Rig::new().await;
    rig.store.on_next_append(Fault::UnknownWritten);
    rig.store.fail_reopens(1_000);
    let post =
        || rig.call("POST", "/api/v1/users").header("idempotency-key", "k").json(json!({"login": "ann"}));
    let answer = post().await.is_problem(503, "outcome_unknown");
    assert!(answer.body["detail"].as_str().unwrap().contains("Idempotency-Key"), "says what to do");
    rig.store.fail_reopens(0);
    post().await.is(201);
    rig.call("GET", "/api/v1/users/ann").send().await.is(200);
}
