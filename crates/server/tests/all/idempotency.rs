//! `Idempotency-Key` and `Grantd-Reason`.

use serde_json::json;

use crate::support::{Answer, Rig};

const KEYS: &str = "/api/v1/keys";

async fn made(rig: &Rig, key: &str, body: serde_json::Value) -> Answer {
    rig.call("POST", KEYS).header("idempotency-key", key).json(body).await
}

#[tokio::test]
async fn a_replay_says_the_same_without_the_secret() {
    let rig = Rig::new().await;
    let body = || json!({"name": "ci"});
    let first = made(&rig, "k", body()).await.is(201);
    rig.user("somebody").await;
    let before = rig.revision().await;
    let second = made(&rig, "k", body()).await.is(201);
    assert_eq!(first.body["id"], second.body["id"]);
    assert!(first.body["key"].is_string() && second.body.get("key").is_none(), "{}", second.text);
    assert_eq!(first.revision(), second.revision(), "of when it was carried out");
    assert_eq!(rig.revision().await, before);
    made(&rig, "other", body()).await.is(201);
    assert_eq!(rig.revision().await, before + 1);
}

#[tokio::test]
async fn the_dialects_take_one_too() {
    let rig = Rig::new().await;
    let identity = rig.identity().await;
    let path = format!("/v5/identities/{identity}/tokens");
    let token = || rig.call("POST", &path).header("idempotency-key", "k").send();
    let (first, second) = (token().await.is(200), token().await.is(200));
    assert_eq!(first.body["id"], second.body["id"]);
    assert!(first.body["token"].is_string() && second.body.get("token").is_none());
}

#[tokio::test]
async fn another_body_is_refused() {
    let rig = Rig::new().await;
    made(&rig, "k", json!({"name": "ci"})).await.is(201);
    made(&rig, "k", json!({"name": "cd"})).await.is_problem(409, "idempotency_key_reused");
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let rig = Rig::new().await;
    let other = rig.key(&["admin"]).await;
    let first = made(&rig, "k", json!({"name": "ci"})).await.is(201);
    let call = rig.with(&other, "POST", KEYS).header("idempotency-key", "k");
    let second = call.json(json!({"name": "ci"})).await.is(201);
    assert_ne!(first.body["id"], second.body["id"]);
    assert!(second.body["key"].is_string());
}

#[tokio::test]
async fn a_key_is_of_one_route_and_realm() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    let id = |answer: Answer| answer.is(201).body["id"].clone();
    let here = id(made(&rig, "k", json!({"name": "ci"})).await);
    let call = rig.call("POST", "/r/acme/api/v1/keys").header("idempotency-key", "k");
    let there = id(call.json(json!({"name": "ci"})).await);
    assert_ne!(here, there);
}

#[tokio::test]
async fn a_reason_stands_in_the_ledger() {
    let rig = Rig::new().await;
    let reason = "för the audit";
    let call = rig.call("POST", KEYS).header("grantd-reason", reason);
    let revision = call.json(json!({"name": "ci"})).await.is(201).revision().1;
    let path = format!("/api/v1/ledger?after={}", revision - 1);
    let entries = rig.call("GET", &path).send().await.is(200);
    assert_eq!(entries.body["items"][0]["reason"], reason);
    rig.user("ann").await;
    let entries = rig.call("GET", &format!("/api/v1/ledger?after={revision}")).send().await;
    assert!(entries.body["items"][0].get("reason").is_none());
}

#[tokio::test]
async fn what_is_no_reason_and_no_key_is_refused() {
    let rig = Rig::new().await;
    let before = rig.revision().await;
    let (long, longest) = ("x".repeat(1_001), "x".repeat(256));
    for (name, value) in [
        ("grantd-reason", ""),
        ("grantd-reason", "  "),
        ("grantd-reason", "a\tb"),
        ("grantd-reason", &long),
        ("idempotency-key", ""),
        ("idempotency-key", &longest),
    ] {
        let answer = rig.call("POST", KEYS).header(name, value).json(json!({"name": "ci"})).await;
        assert_eq!(answer.is_problem(400, "invalid_request").body["field"], name);
    }
    assert_eq!(rig.revision().await, before);
}
