//! `/r/<realm>` selects a realm, and nothing of one shows in another.

use serde_json::json;

use crate::support::{Rig, SYSTEM_KEY};

#[tokio::test]
async fn nothing_of_one_realm_shows_in_another() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    rig.user("ann").await;
    rig.call("POST", "/r/acme/api/v1/users").json(json!({"login": "bob"})).await.is(201);
    let logins = |path: &'static str| async {
        let page = rig.call("GET", path).send().await.is(200);
        let items = page.body["items"].as_array().unwrap().clone();
        items.iter().map(|user| user["login"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(logins("/api/v1/users").await, ["admin", "ann"]);
    assert_eq!(logins("/r/default/api/v1/users").await, ["admin", "ann"]);
    assert_eq!(logins("/r/acme/api/v1/users").await, ["bob"]);
    rig.call("GET", "/r/acme/api/v1/users/ann").send().await.is_problem(404, "not_found");

    let identity = rig.identity().await;
    rig.call("GET", &format!("/r/acme/v5/identities/{identity}"))
        .send()
        .await
        .is_freestyle(404, "IDENTITY_NOT_FOUND");
    let write = json!({"write": [{"resource": "role:qa", "relation": "member", "subject": "user:ann"}]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    let question = || json!({"subject": "user:ann", "action": "member", "resource": "role:qa"});
    let asked = rig.call("POST", "/r/acme/api/v1/check").json(question()).await.is(200);
    assert_eq!(asked.body["allowed"], false);
    let (here, there) = (
        rig.call("GET", "/api/v1/ledger").send().await.is(200),
        rig.call("GET", "/r/acme/api/v1/ledger").send().await.is(200),
    );
    assert_ne!(here.revision().0, there.revision().0);
    assert!(!there.text.contains("ann"), "{}", there.text);
    let accounts = ["/auth/v1/whoami", "/r/acme/auth/v1/whoami"].map(|path| rig.call("GET", path).send());
    let [one, other] = accounts;
    assert_ne!(one.await.body["accountId"], other.await.body["accountId"]);
}

#[tokio::test]
async fn a_realms_own_key_is_nobody_elsewhere() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    let key = rig.key(&["admin"]).await;
    rig.with(&key, "GET", "/api/v1/users").send().await.is(200);
    rig.with(&key, "GET", "/r/acme/api/v1/users").send().await.is_problem(401, "unauthorized");
    rig.with(&key, "GET", "/r/system/api/v1/keys").send().await.is_problem(401, "unauthorized");
    let token = rig.token(&rig.identity().await).await;
    let call = rig.bare("GET", "/r/acme/auth/v1/whoami").header("x-freestyle-identity-access-token", &token);
    call.send().await.is_freestyle(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_system_key_holds_in_every_realm_what_it_holds_in_the_systems() {
    let rig = Rig::new().await;
    rig.create_realm("acme").await;
    let make = json!({"name": "all realms", "grants": ["auditor"]});
    let made = rig.call("POST", "/r/system/api/v1/keys").json(make).await.is(201);
    let auditor = made.body["key"].as_str().unwrap();
    for realm in ["", "/r/default", "/r/acme", "/r/system"] {
        rig.with(auditor, "GET", &format!("{realm}/api/v1/ledger")).send().await.is(200);
        let write =
            rig.with(auditor, "POST", &format!("{realm}/api/v1/users")).json(json!({"login": "x"})).await;
        write.is_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn an_unknown_realm_is_404_and_leaves_nothing_behind() {
    let rig = Rig::new().await;
    let long = format!("/r/{}/api/v1/users", "r".repeat(300));
    for path in [
        "/r/nobody/api/v1/users",
        "/r/NoName/api/v1/users",
        "/r/%2Fx/api/v1/users",
        "/r/a%00b/api/v1/users",
        &long,
    ] {
        rig.call("GET", path).send().await.is_problem(404, "unknown_realm");
    }
    rig.call("GET", "/r/nobody/v5/identities").send().await.is_freestyle(404, "INVALID_REQUEST");
    let listed = grantd_testkit::ledger::source::Source::realms(&*rig.store).await.unwrap();
    assert_eq!(listed, ["default", "system"]);
    rig.with(SYSTEM_KEY, "GET", "/r/default/api/v1/users").send().await.is(200);
}
