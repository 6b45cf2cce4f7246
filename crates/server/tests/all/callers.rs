//! Who calls, and what they may.

use serde_json::json;

use crate::support::{Answer, Rig, SYSTEM_KEY};

const CHECK: &str = "/api/v1/check";

fn question() -> serde_json::Value {
    json!({"subject": "user:ann", "action": "member", "resource": "role:qa"})
}

#[tokio::test]
async fn a_writer_writes_and_makes_no_keys() {
    let rig = Rig::new().await;
    let writer = rig.key(&["writer"]).await;
    let write = json!({"write": [{"resource": "role:qa", "relation": "member", "subject": "user:ann"}]});
    rig.with(&writer, "POST", "/api/v1/relationships").json(write).await.is(200);
    let answer = rig.with(&writer, "POST", CHECK).json(question()).await.is(200);
    assert_eq!(answer.body["allowed"], true);
    let key = json!({"name": "mine", "grants": ["writer"]});
    rig.with(&writer, "POST", "/api/v1/keys").json(key).await.is_problem(403, "forbidden");
    let user = json!({"login": "ann", "password": "long enough"});
    rig.with(&writer, "POST", "/api/v1/users").json(user).await.is_problem(403, "forbidden");
    rig.with(&writer, "GET", "/api/v1/ledger").send().await.is_problem(403, "forbidden");
    rig.with(&writer, "GET", "/api/v1/keys").send().await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn a_key_made_without_grants_only_asks() {
    let rig = Rig::new().await;
    let key = rig.key(&[]).await;
    rig.with(&key, "POST", CHECK).json(question()).await.is(200);
    rig.with(&key, "GET", "/api/v1/users").send().await.is_problem(403, "forbidden");
    rig.with(&key, "GET", "/v5/identities").send().await.is_freestyle(403, "FORBIDDEN");
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let rig = Rig::new().await;
    let made = json!({"name": "short", "expires": "2026-01-01T00:00:10Z", "grants": ["admin"]});
    let key = rig.call("POST", "/api/v1/keys").json(made).await.is(201);
    let key = key.body["key"].as_str().unwrap();
    rig.clock.advance(10_000_000 - 1);
    rig.with(key, "GET", "/api/v1/users").send().await.is(200);
    rig.clock.advance(1);
    rig.with(key, "GET", "/api/v1/users").send().await.is_problem(401, "unauthorized");
    let late = json!({"name": "late", "expires": "2026-01-01T00:00:00Z"});
    rig.call("POST", "/api/v1/keys").json(late).await.is_problem(400, "invalid_request");
}

#[tokio::test]
async fn a_revoked_key_and_a_deleted_identitys_token_are_refused_at_once() {
    let rig = Rig::new().await;
    let made = rig.call("POST", "/api/v1/keys").json(json!({"name": "k", "grants": ["admin"]})).await.is(201);
    let (id, key) = (made.body["id"].as_str().unwrap(), made.body["key"].as_str().unwrap());
    rig.with(key, "DELETE", &format!("/api/v1/keys/{id}")).send().await.is(200);
    rig.with(key, "GET", "/api/v1/users").send().await.is_problem(401, "unauthorized");
    let identity = rig.identity().await;
    let token = rig.token(&identity).await;
    let whoami =
        || rig.bare("GET", "/auth/v1/whoami").header("x-freestyle-identity-access-token", &token).send();
    whoami().await.is(200);
    rig.call("DELETE", &format!("/v5/identities/{identity}")).send().await.is(200);
    whoami().await.is_freestyle(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn wrong_credentials_are_limited_and_right_ones_are_not() {
    let rig = Rig::new().await;
    let wrong = |n: u32| rig.with(&format!("gdk_wrong_{n}"), "GET", "/api/v1/users").send();
    for n in 0..60 {
        wrong(n).await.is_problem(401, "unauthorized");
    }
    let limited = wrong(60).await.is_problem(429, "too_many_requests");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1);
    let dialect =
        rig.with("wrong", "GET", "/v5/identities").send().await.is_freestyle(429, "INVALID_REQUEST");
    assert!(!dialect.header("retry-after").is_empty());
    rig.call("GET", "/api/v1/users").send().await.is(200);
    rig.bare("GET", "/api/v1/users").send().await.is_problem(401, "unauthorized");
}

#[tokio::test]
async fn what_is_no_bearer_key_is_401() {
    let rig = Rig::new().await;
    for value in ["Bearer", "Bearer ", "Basic YTpi", SYSTEM_KEY, "Token x", "Bearer é"] {
        let answer: Answer = rig.bare("GET", "/api/v1/users").header("authorization", value).send().await;
        answer.is_problem(401, "unauthorized");
    }
    let lower = format!("bearer  {SYSTEM_KEY}");
    rig.bare("GET", "/api/v1/users").header("authorization", &lower).send().await.is(200);
}

#[tokio::test]
async fn no_answer_holds_a_secret_or_its_hash() {
    let rig = Rig::new().await;
    let key = rig.key(&["admin"]).await;
    let identity = rig.identity().await;
    let token = rig.token(&identity).await;
    let user = json!({"login": "ann", "password": "a password of hers"});
    rig.call("POST", "/api/v1/users").json(user).await.is(201);
    for path in ["/api/v1/ledger", "/api/v1/keys", "/api/v1/users/ann", "/metrics"] {
        let text = rig.call("GET", path).send().await.is(200).text;
        for secret in [SYSTEM_KEY, &key, &token, "a password of hers", "argon2"] {
            assert!(!text.contains(secret), "{path} tells {secret}");
        }
    }
}
