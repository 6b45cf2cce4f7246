//! Which revision an answer is of.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::support::{Answer, Rig};

const USERS: &str = "/api/v1/users";

#[tokio::test]
async fn every_answer_of_a_realm_names_its_revision() {
    let rig = Rig::new().await;
    let (ledger, before) = rig.call("GET", USERS).send().await.is(200).revision();
    let made = rig.user("ann").await;
    assert_eq!(made.revision(), (ledger.clone(), before + 1));
    let refused = rig.call("POST", USERS).json(json!({"login": "ann"})).await.is(409);
    assert_eq!(refused.revision(), (ledger.clone(), before + 1));
    let unauthorized = rig.bare("GET", USERS).send().await.is(401);
    assert_eq!(unauthorized.revision(), (ledger.clone(), before + 1));
    let bad = rig.call("POST", USERS).json(json!({"login": 1})).await.is(400);
    assert_eq!(bad.revision(), (ledger.clone(), before + 1));
    let dialect = rig.call("POST", "/v5/identities").json(json!({})).await.is(200);
    assert_eq!(dialect.revision(), (ledger.clone(), before + 2));
    for (method, path, status) in [("GET", "/nowhere", 404), ("PUT", USERS, 405), ("GET", "/healthz", 200)] {
        let early = rig.bare(method, path).send().await.is(status);
        assert_eq!(early.revision(), (ledger.clone(), before + 2), "{method} {path}");
    }
}

fn at_least(token: &str) -> impl Fn(crate::support::Call) -> crate::support::Call + '_ {
    move |call| call.header("grantd-at-least", token)
}

#[tokio::test]
async fn at_least_waits_for_the_revision() {
    let rig = Rig::new().await;
    let (ledger, now) = rig.call("GET", USERS).send().await.revision();
    let token = format!("{ledger}.{}", now + 1);
    let waiting = at_least(&token)(rig.call("GET", &format!("{USERS}/ann"))).send();
    let writing = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        rig.user("ann").await
    };
    let (read, written) = tokio::join!(waiting, writing);
    assert_eq!(read.is(200).revision(), written.revision());
    at_least(&token)(rig.call("GET", USERS)).send().await.is(200);
}

#[tokio::test]
async fn at_least_waits_only_so_long() {
    let rig = Rig::new().await;
    let (ledger, now) = rig.call("GET", USERS).send().await.revision();
    let token = format!("{ledger}.{}", now + 100);
    let answers = tokio::join!(
        at_least(&token)(rig.call("GET", USERS)).send(),
        at_least(&token)(rig.call("GET", "/v5/identities")).send(),
    );
    let native = answers.0.is_problem(503, "not_yet");
    assert_eq!(native.header("retry-after"), "1");
    answers.1.is_freestyle(503, "INTERNAL_ERROR");
}

#[tokio::test]
async fn another_ledger_is_told_at_once() {
    let rig = Rig::new().await;
    let token = format!("{}.1", Uuid::from_u128(1));
    at_least(&token)(rig.call("GET", USERS)).send().await.is_problem(409, "other_ledger");
    at_least(&token)(rig.call("GET", "/v5/identities")).send().await.is_freestyle(409, "INVALID_REQUEST");
}

#[tokio::test]
async fn what_is_no_revision_is_refused() {
    let rig = Rig::new().await;
    let (ledger, _) = rig.call("GET", USERS).send().await.revision();
    let too_large = format!("{ledger}.99999999999999999999");
    let negative = format!("{ledger}.-1");
    for token in ["", "1", "x.1", ".", ledger.as_str(), &too_large, &negative] {
        at_least(token)(rig.call("GET", USERS)).send().await.is_problem(400, "invalid_revision");
    }
    at_least("x")(rig.call("GET", "/v5/identities")).send().await.is_freestyle(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn full_consistency_is_asked_for_by_that_word() {
    let rig = Rig::new().await;
    let asked = |how: &'static str| rig.call("GET", USERS).header("grantd-consistency", how).send();
    let answer: Answer = asked("full").await;
    answer.is(200);
    asked("half").await.is_problem(400, "invalid_revision");
}
