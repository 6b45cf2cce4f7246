//! Two nodes on one store: what an answer of one says after a change through the other. Nothing follows by itself here, so that
//! whatever is new was asked for.

use grantd_testkit::ledger::source::Source;
use serde_json::json;

use crate::support::{Rig, SYSTEM_KEY, Setup};

const SECOND: i64 = 1_000_000;
const CHECK: &str = "/api/v1/check";
const WHO: &str = "/access/v1/evaluation";

async fn two() -> (Rig, Rig) {
    let here = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    let there = here.another().await;
    (here, there)
}

fn question() -> serde_json::Value {
    json!({"subject": {"type": "user", "id": "ann"}, "action": {"name": "reader"},
        "resource": {"type": "user", "id": "bob"}})
}

#[tokio::test]
async fn a_revision_that_another_node_wrote_is_reached_at_once() {
    let (here, there) = two().await;
    let (ledger, written) = here.user("ann").await.revision();
    let asked = there.call("POST", WHO).json(question()).await;
    assert!(asked.revision().1 < written, "a check is answered from memory");
    let token = format!("{ledger}.{written}");
    let asked = there.call("POST", WHO).header("grantd-at-least", &token).json(question()).await.is(200);
    assert_eq!(asked.revision(), (ledger, written));
}

#[tokio::test]
async fn full_consistency_asks_for_the_head() {
    let (here, there) = two().await;
    let written = here.user("ann").await.revision();
    let asked = there.call("POST", WHO).header("grantd-consistency", "full").json(question()).await.is(200);
    assert_eq!(asked.revision(), written);
}

#[tokio::test]
async fn a_token_of_another_life_of_the_realm_is_looked_for() {
    let (here, there) = two().await;
    let realm = "/api/v1/realms";
    here.call("POST", realm).json(json!({"name": "acme"})).await.is(201);
    there.call("GET", "/r/acme/api/v1/users").send().await.is(200);
    here.call("DELETE", "/api/v1/realms/acme?confirm=acme").send().await.is(200);
    here.call("POST", realm).json(json!({"name": "acme"})).await.is(201);
    let (ledger, revision) = here.call("GET", "/r/acme/api/v1/users").send().await.revision();
    let token = format!("{ledger}.{revision}");
    let check = || there.call("POST", "/r/acme/access/v1/evaluation");
    check().header("grantd-at-least", &token).json(question()).await.is(200);
    let other = format!("{}.1", uuid::Uuid::from_u128(5));
    check().header("grantd-at-least", &other).json(question()).await.is(409);
}

#[tokio::test]
async fn reads_of_who_knows_no_header_are_of_the_head() {
    let (here, there) = two().await;
    here.user("ann").await;
    there.call("GET", "/api/v1/users/ann").send().await.is(200);
    let made = here.call("POST", "/v5/identities").json(json!({})).await.is(200);
    let id = made.body["id"].as_str().unwrap().to_owned();
    there.call("GET", &format!("/v5/identities/{id}")).send().await.is(200);
    // Changes that name a record begin there as well.
    let path = format!("/v5/identities/{id}/tokens");
    there.call("POST", &path).json(json!({})).await.is(200);
    here.call("DELETE", &format!("/v5/identities/{id}")).send().await;
    there.call("GET", &format!("/v5/identities/{id}")).send().await.is(404);
}

#[tokio::test]
async fn a_key_that_was_revoked_through_another_node_is_refused_where_the_head_is_asked() {
    let (here, there) = two().await;
    let made =
        here.call("POST", "/api/v1/keys").json(json!({"name": "k", "grants": ["admin"]})).await.is(201);
    let (id, key) = (made.body["id"].as_str().unwrap(), made.body["key"].as_str().unwrap());
    there.with(key, "GET", "/v5/identities").send().await.is(200);
    here.call("DELETE", &format!("/api/v1/keys/{id}")).send().await;
    let ask = || there.with(key, "POST", WHO).header("grantd-consistency", "full");
    ask().json(question()).await.is(401);
    there.with(key, "GET", "/v5/identities").send().await.is(401);
}

#[tokio::test]
async fn answers_that_may_be_old_say_so_on_every_face() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    let asked = rig.call("POST", WHO).json(question()).await.is(200);
    assert_eq!(asked.header("grantd-stale"), "");
    // The store does not answer any more; nor does anybody ask it.
    rig.store.fail_reads(usize::MAX);
    rig.clock.advance(7 * SECOND);
    let asked = rig.call("POST", WHO).json(question()).await.is(200);
    assert_eq!(asked.header("grantd-stale"), "7");
    let native = json!({"subject": "user:ann", "action": "reader", "resource": "user:bob"});
    assert_eq!(rig.call("POST", CHECK).json(native).await.header("grantd-stale"), "7");
    for path in ["/api/v1/users", "/v5/identities", "/mollie/v2/permissions", "/pulp/api/v2/users/"] {
        let refused = rig.call("GET", path).send().await.is(503);
        assert_eq!(refused.header("grantd-stale"), "7", "{path}");
        assert_eq!(refused.header("retry-after"), "1", "{path}");
    }
    rig.store.fail_reads(0);
    let read = rig.call("GET", "/api/v1/users").send().await.is(200);
    assert_eq!(read.header("grantd-stale"), "");
}

#[tokio::test]
async fn while_the_store_is_away_every_face_refuses_changes_and_says_when_to_try_again() {
    let rig = Rig::set_up(Setup { shared: true, mix_open: true, ..Setup::default() }).await;
    rig.store.fail_reads(usize::MAX);
    rig.call("GET", "/api/v1/users").send().await.is(503);
    let appends = rig.store.appends();
    // The approvals dialect's clients have a type for no other failure than 500.
    for (path, status, body) in [
        ("/api/v1/users", 503, json!({"login": "ann"})),
        ("/v5/identities", 503, json!({})),
        ("/mix/api/permissions", 500, json!({"tool": "bash"})),
        ("/pulp/api/v2/users/", 503, json!({"login": "ann"})),
    ] {
        let refused = rig.call("POST", path).json(body).await.is(status);
        assert_eq!(refused.header("retry-after"), "1", "{path}");
    }
    let form = "grant_type=refresh_token&refresh_token=x";
    let call = rig.bare("POST", "/oauth2/tokens");
    let refused = call.text("application/x-www-form-urlencoded", form).await.is(503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(rig.store.appends(), appends);
}

#[tokio::test]
async fn a_node_that_is_not_ready_says_why() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    let ready = rig.bare("GET", "/readyz").send().await.is(200);
    assert_eq!(ready.body, json!({"status": "ready"}));
    rig.clock.advance(61 * SECOND);
    let answer = rig.bare("GET", "/readyz").send().await.is(503);
    assert_eq!(answer.body["status"], "not ready");
    assert_eq!(answer.body["reasons"][0]["code"], "lagging");
    assert!(answer.body["reasons"][0]["detail"].as_str().unwrap().contains("61 s"), "{}", answer.text);
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_realm_that_the_store_contradicts_is_served_no_more() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    let empty = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    rig.user("ann").await;
    rig.store.becomes(empty.store.clone());
    rig.call("GET", "/api/v1/users").send().await.is_problem(503, "contradiction");
    let refused = rig.call("POST", WHO).json(question()).await.is(503);
    assert_eq!(refused.header("retry-after"), "1");
    let answer = rig.bare("GET", "/readyz").send().await.is(503);
    assert_eq!(answer.body["reasons"][0]["code"], "contradiction");
    assert!(empty.store.head("default").await.is_ok());
    empty.with(SYSTEM_KEY, "GET", "/api/v1/users").send().await.is(200);
}
