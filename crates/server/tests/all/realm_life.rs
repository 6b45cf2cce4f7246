//! Realms are made, listed, deleted and made again.

use serde_json::json;

use crate::support::{Answer, Rig};

async fn make(rig: &Rig, name: &str) -> Answer {
    rig.call("POST", "/api/v1/realms").json(json!({"name": name})).await
}

async fn names(rig: &Rig) -> Vec<String> {
    let page = rig.call("GET", "/api/v1/realms").send().await.is(200);
    let items = page.body["items"].as_array().unwrap();
    items.iter().map(|realm| realm["name"].as_str().unwrap().to_owned()).collect()
}

async fn delete(rig: &Rig, name: &str) -> Answer {
    rig.call("DELETE", &format!("/api/v1/realms/{name}?confirm={name}")).send().await
}

#[tokio::test]
async fn a_new_realm_has_its_own_key_people_and_ledger() {
    let rig = Rig::new().await;
    let made =
        rig.call("POST", "/api/v1/realms").json(json!({"name": "acme", "admin_key": true})).await.is(201);
    let key = made.body["admin_key"]["key"].as_str().unwrap();
    rig.with(key, "POST", "/r/acme/api/v1/users").json(json!({"login": "ann"})).await.is(201);
    rig.with(key, "GET", "/api/v1/users").send().await.is_problem(401, "unauthorized");
    assert_eq!(names(&rig).await, ["acme", "default"]);
    let told = rig.call("GET", "/api/v1/realms/acme").send().await.is(200);
    assert_eq!(told.body["ledger_id"], made.body["ledger_id"]);
    assert_eq!(told.body["users"], 1);
    let ledger = rig.call("GET", "/r/acme/api/v1/ledger").send().await.is(200);
    let actor = ledger.body["items"][0]["actor"].as_str().unwrap();
    assert!(actor.starts_with("system/api_key:"), "{actor}");
    make(&rig, "acme").await.is_problem(409, "already_exists");
    make(&rig, "Acme").await.is_problem(400, "invalid_request");
    for name in ["system", "default"] {
        make(&rig, name).await.is_problem(409, "already_exists");
    }
}

#[tokio::test]
async fn a_deleted_realm_is_served_no_more_and_begins_with_nothing_when_made_again() {
    let rig = Rig::new().await;
    let first =
        rig.call("POST", "/api/v1/realms").json(json!({"name": "acme", "admin_key": true})).await.is(201);
    let old_key = first.body["admin_key"]["key"].as_str().unwrap();
    rig.with(old_key, "POST", "/r/acme/api/v1/users").json(json!({"login": "marked"})).await.is(201);
    let old_revision =
        rig.call("GET", "/r/acme/api/v1/users").send().await.header("grantd-revision").to_owned();

    rig.call("DELETE", "/api/v1/realms/acme").send().await.is_problem(400, "invalid_request");
    rig.call("DELETE", "/api/v1/realms/acme?confirm=acne").send().await.is_problem(400, "invalid_request");
    delete(&rig, "acme").await.is(200);
    assert_eq!(names(&rig).await, ["default"]);
    for (method, path) in [
        ("GET", "/r/acme/api/v1/users"),
        ("GET", "/r/acme/api/v1/ledger"),
        ("POST", "/r/acme/api/v1/users"),
        ("GET", "/r/acme/api/v1/relationships/export"),
    ] {
        for key in [old_key, crate::support::SYSTEM_KEY] {
            let answer = rig.with(key, method, path).json(json!({"login": "x"})).await;
            let answer = answer.is_problem(404, "unknown_realm");
            assert_eq!(answer.header("grantd-revision"), "");
        }
    }
    rig.call("GET", "/r/acme/v5/identities").send().await.is_freestyle(404, "INVALID_REQUEST");
    rig.call("GET", "/api/v1/realms/acme").send().await.is_problem(404, "not_found");
    delete(&rig, "acme").await.is_problem(404, "not_found");

    let second = make(&rig, "acme").await.is(201);
    assert_ne!(second.body["ledger_id"], first.body["ledger_id"]);
    rig.with(old_key, "GET", "/r/acme/api/v1/users").send().await.is_problem(401, "unauthorized");
    let users = rig.call("GET", "/r/acme/api/v1/users").send().await.is(200);
    assert_eq!(users.body["items"], json!([]));
    assert_eq!(users.revision().0, second.body["ledger_id"].as_str().unwrap());
    let call = rig.call("GET", "/r/acme/api/v1/users").header("grantd-at-least", &old_revision);
    call.send().await.is_problem(409, "other_ledger");
    rig.call("POST", "/r/acme/api/v1/users").json(json!({"login": "new"})).await.is(201);
    rig.node.upkeep().await;
}

#[tokio::test]
async fn the_two_realms_that_every_store_has_stay() {
    let rig = Rig::new().await;
    for name in ["system", "default"] {
        delete(&rig, name).await.is_problem(400, "invalid_request");
    }
    rig.call("GET", "/api/v1/users").send().await.is(200);
}

#[tokio::test]
async fn only_who_administers_the_realm_system_rules_over_realms() {
    let rig = Rig::new().await;
    make(&rig, "acme").await.is(201);
    let own = rig.key(&["admin"]).await;
    let make_key = |grant: &str| {
        let body = json!({"name": "k", "grants": [grant]});
        let call = rig.call("POST", "/r/system/api/v1/keys").json(body);
        async { call.await.is(201).body["key"].as_str().unwrap().to_owned() }
    };
    let auditor = make_key("auditor").await;
    let other = make_key("admin").await;
    for key in [&own, &auditor] {
        let body = json!({"name": "mine"});
        rig.with(key, "POST", "/api/v1/realms").json(body).await.is_problem(403, "forbidden");
        let path = "/api/v1/realms/acme?confirm=acme";
        rig.with(key, "DELETE", path).send().await.is_problem(403, "forbidden");
    }
    rig.with(&own, "GET", "/api/v1/realms").send().await.is_problem(403, "forbidden");
    rig.with(&own, "GET", "/api/v1/realms/acme").send().await.is_problem(403, "forbidden");
    rig.with(&auditor, "GET", "/api/v1/realms").send().await.is(200);
    for prefix in ["/r/system", "/r/acme", "/r/default"] {
        let path = format!("{prefix}/api/v1/realms");
        let name = format!("by-{}", prefix.trim_start_matches("/r/"));
        rig.with(&other, "POST", &path).json(json!({"name": name})).await.is(201);
    }
    assert_eq!(names(&rig).await, ["acme", "by-acme", "by-default", "by-system", "default"]);
}

#[tokio::test]
async fn a_repeated_request_makes_and_deletes_once() {
    let rig = Rig::new().await;
    let make = |key: &'static str| {
        let call = rig.call("POST", "/api/v1/realms").header("idempotency-key", key);
        call.json(json!({"name": "acme", "admin_key": true}))
    };
    let delete = |key: &'static str| {
        let call = rig.call("DELETE", "/api/v1/realms/acme?confirm=acme").header("idempotency-key", key);
        call.send()
    };
    let first = make("make").await.is(201);
    let again = make("make").await.is(201);
    assert_eq!(again.body["ledger_id"], first.body["ledger_id"]);
    assert_eq!(
        again.body["admin_key"],
        json!({"id": first.body["admin_key"]["id"]}),
        "the secret is shown once"
    );
    make("another").await.is_problem(409, "already_exists");
    delete("delete").await.is(200);
    delete("delete").await.is(200);
    delete("another").await.is_problem(404, "not_found");
    make("make").await.is_problem(404, "not_found");
    assert_eq!(names(&rig).await, ["default"]);
}

/// An answer that is remembered for a key belongs to the realm that gave it, not to the next one of its name.
#[tokio::test]
async fn nothing_remembered_of_the_realm_before_is_answered_in_the_next() {
    let rig = Rig::new().await;
    make(&rig, "acme").await.is(201);
    let user = || {
        let call = rig.call("POST", "/r/acme/api/v1/users").header("idempotency-key", "k");
        call.json(json!({"login": "ann"}))
    };
    user().await.is(201);
    delete(&rig, "acme").await.is(200);
    make(&rig, "acme").await.is(201);
    user().await.is(201);
    rig.call("GET", "/r/acme/api/v1/users/ann").send().await.is(200);
}

#[tokio::test]
async fn a_wait_ends_with_its_realm() {
    let rig = Rig::new().await;
    make(&rig, "acme").await.is(201);
    let waiting = rig.call("GET", "/r/acme/api/v1/ledger?after=1&wait=20");
    let waiting = tokio::spawn(waiting.send());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    delete(&rig, "acme").await.is(200);
    waiting.await.unwrap().is_problem(404, "unknown_realm");
}

#[tokio::test]
async fn the_list_has_pages() {
    let rig = Rig::new().await;
    for n in 0..5 {
        make(&rig, &format!("r{n}")).await.is(201);
    }
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = rig.call("GET", &format!("/api/v1/realms?limit=2{cursor}")).send().await.is(200);
        found.extend(
            page.body["items"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()),
        );
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["default", "r0", "r1", "r2", "r3", "r4"]);
}
