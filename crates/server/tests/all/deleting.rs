//! Relationships deleted by filter, and those that have ended.

use serde_json::json;

use crate::support::{Answer, Rig};

async fn with_members() -> Rig {
    let rig = Rig::new().await;
    let member = |role: &str, user: &str| json!({"resource": format!("role:{role}"), "relation": "member", "subject": format!("user:{user}")});
    let write = json!({"write": [
        member("qa", "ann"), member("qa", "bob"), member("qa", "cyd"), member("dev", "ann"), member("ops", "dan"),
    ]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    rig
}

async fn delete(rig: &Rig, query: &str) -> Answer {
    rig.call("DELETE", &format!("/api/v1/relationships?{query}")).send().await
}

async fn members(rig: &Rig) -> usize {
    let path = "/api/v1/relationships?resource_type=role&subject_type=user&relation=member";
    let page = rig.call("GET", path).send().await.is(200);
    // Without the super user that every realm `default` begins with.
    page.body["items"].as_array().unwrap().len() - 1
}

fn counts(answer: &Answer) -> (u64, u64, u64) {
    let count = |name: &str| answer.body[name].as_u64().unwrap();
    (count("matched"), count("deleted"), count("remaining"))
}

#[tokio::test]
async fn what_matches_goes_as_one_entry() {
    let rig = with_members().await;
    let before = rig.revision().await;
    let dry = delete(&rig, "resource=role:qa&dry_run=true").await.is(200);
    assert_eq!(counts(&dry), (3, 0, 3));
    assert_eq!((members(&rig).await, rig.revision().await), (5, before));
    let answer = delete(&rig, "resource=role:qa").await.is(200);
    assert_eq!(counts(&answer), (3, 3, 0));
    assert_eq!((members(&rig).await, rig.revision().await), (2, before + 1));
    assert_eq!(counts(&delete(&rig, "resource=role:qa").await.is(200)), (0, 0, 0));
    assert_eq!(counts(&delete(&rig, "subject=user:ann&resource_type=role").await.is(200)), (1, 1, 0));
    assert_eq!(rig.revision().await, before + 2);
}

#[tokio::test]
async fn more_than_the_limit_is_said_to_remain() {
    let rig = with_members().await;
    assert_eq!(counts(&delete(&rig, "resource=role:qa&limit=2").await.is(200)), (3, 2, 1));
    assert_eq!(counts(&delete(&rig, "resource=role:qa&limit=2").await.is(200)), (1, 1, 0));
    for limit in ["0", "10001", "x"] {
        delete(&rig, &format!("resource=role:qa&limit={limit}")).await.is(400);
    }
}

#[tokio::test]
async fn one_that_is_managed_or_not_held_refuses_all_of_them() {
    let rig = with_members().await;
    let (before, all) = (rig.revision().await, members(&rig).await);
    delete(&rig, "resource_type=role").await.is_problem(409, "managed_relation");
    let write = json!({"write": [
        {"resource": "grantd:default", "relation": "operator", "subject": "role:qa#member"},
    ]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    let writer = rig.key(&["writer"]).await;
    let path = "/api/v1/relationships?resource=role:qa";
    rig.with(&writer, "DELETE", path).send().await.is_problem(403, "not_held");
    assert_eq!(members(&rig).await, all);
    assert_eq!(rig.revision().await, before + 2, "the operator and the key");
}

#[tokio::test]
async fn everything_is_never_meant() {
    let rig = with_members().await;
    delete(&rig, "").await.is_problem(400, "invalid_request");
    delete(&rig, "dry_run=true").await.is_problem(400, "invalid_request");
    delete(&rig, "resource=nonsense").await.is_problem(400, "invalid_request");
    let checker = rig.key(&["checker"]).await;
    let path = "/api/v1/relationships?resource=role:qa&dry_run=true";
    rig.with(&checker, "DELETE", path).send().await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_key_used_for_another_filter_is_refused() {
    let rig = with_members().await;
    let with_key = |query: &str| {
        rig.call("DELETE", &format!("/api/v1/relationships?{query}")).header("idempotency-key", "k").send()
    };
    assert_eq!(counts(&with_key("resource=role:qa").await.is(200)).1, 3);
    assert_eq!(counts(&with_key("resource=role:qa").await.is(200)).1, 3, "the same answer again");
    with_key("resource=role:dev").await.is_problem(409, "idempotency_key_reused");
    assert_eq!(members(&rig).await, 2);
}

#[tokio::test]
async fn what_has_ended_is_shown_nowhere_and_upkeep_takes_it_away() {
    let rig = with_members().await;
    let now = rig.clock.now();
    let until = jiff::Timestamp::from_microsecond(now + 1_000_000).unwrap().to_string();
    let write = json!({"write": [
        {"resource": "role:qa", "relation": "member", "subject": "user:zoe", "until": until},
    ]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    assert_eq!(members(&rig).await, 6);
    rig.clock.advance(1_000_000);
    let stored = || async { rig.node.realm("default").await.unwrap().published().state.graph().len() };
    let before = (rig.revision().await, stored().await);
    assert_eq!(members(&rig).await, 5);
    assert_eq!(counts(&delete(&rig, "subject=user:zoe").await.is(200)), (0, 0, 0));
    rig.node.upkeep().await;
    assert_eq!((rig.revision().await, stored().await), (before.0 + 1, before.1 - 1));
    let ledger = rig.call("GET", &format!("/api/v1/ledger?after={}", before.0)).send().await.is(200);
    assert_eq!(ledger.body["items"][0]["actor"], "system:expiry", "{}", ledger.text);
    assert_eq!(ledger.body["items"][0]["changes"][0]["kind"], "relationship_deleted");
    rig.node.upkeep().await;
    assert_eq!(rig.revision().await, before.0 + 1, "once");
}
