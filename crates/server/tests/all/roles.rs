//! `/api/v1/roles`, and the roles of users.

use serde_json::json;

use crate::support::{Answer, Rig};

async fn role(rig: &Rig, key: &str) -> Answer {
    rig.call("POST", "/api/v1/roles").json(json!({"key": key})).await.is(201)
}

async fn is_member(rig: &Rig, subject: &str, role: &str) -> bool {
    let question = json!({"subject": subject, "action": "member", "resource": role});
    rig.call("POST", "/api/v1/check").json(question).await.is(200).body["allowed"].as_bool().unwrap()
}

#[tokio::test]
async fn a_role_is_made_read_changed_and_deleted() {
    let rig = Rig::new().await;
    let body = json!({"key": "qa", "display_name": "Quality", "description": null});
    let made = rig.call("POST", "/api/v1/roles").json(body.clone()).await.is(201).body;
    assert_eq!((&made["key"], &made["display_name"]), (&json!("qa"), &json!("Quality")));
    assert_eq!((&made["number"], &made["description"]), (&json!(3), &json!(null)));
    assert_eq!(rig.call("GET", "/api/v1/roles/qa").send().await.is(200).body, made);
    rig.call("POST", "/api/v1/roles").json(body).await.is_problem(409, "already_exists");
    let change = json!({"display_name": null, "description": "who tests"});
    let changed = rig.call("PATCH", "/api/v1/roles/qa").json(change).await.is(200).body;
    assert_eq!((&changed["display_name"], &changed["description"]), (&json!(null), &json!("who tests")));
    let before = rig.revision().await;
    rig.call("PATCH", "/api/v1/roles/qa").json(json!({})).await.is(200);
    assert_eq!(rig.revision().await, before);
    rig.call("DELETE", "/api/v1/roles/qa").send().await.is(200);
    rig.call("GET", "/api/v1/roles/qa").send().await.is_problem(404, "not_found");
    rig.call("DELETE", "/api/v1/roles/qa").send().await.is_problem(404, "not_found");
    rig.call("PATCH", "/api/v1/roles/qa").json(json!({})).await.is_problem(404, "not_found");
    for key in ["", "a b", "a.b", "ä", "a/b"] {
        let refused = rig.call("POST", "/api/v1/roles").json(json!({"key": key})).await;
        assert_eq!(refused.is_problem(400, "invalid_request").body["field"], "key", "{key}");
    }
}

#[tokio::test]
async fn roles_and_members_come_in_pages() {
    let rig = Rig::new().await;
    for n in 0..5 {
        role(&rig, &format!("r{n}")).await;
        rig.user(&format!("u{n}")).await;
        rig.call("PUT", &format!("/api/v1/roles/r0/members/user:u{n}")).send().await.is(200);
    }
    rig.call("PUT", "/api/v1/roles/r0/members/role:r1%23member").send().await.is(200);
    for (path, member, expected) in [
        ("/api/v1/roles", "key", vec!["admin", "r0", "r1", "r2", "r3", "r4", "super-users"]),
        (
            "/api/v1/roles/r0/members",
            "member",
            vec!["user:u0", "user:u1", "user:u2", "user:u3", "user:u4", "role:r1#member"],
        ),
    ] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = rig.call("GET", &format!("{path}?limit=2{cursor}")).send().await.is(200).body;
            let items = page["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| item[member].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(items.len(), 2);
            cursor = format!("&cursor={next}");
        }
        found.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{path}");
    }
    rig.call("GET", "/api/v1/roles/none/members").send().await.is_problem(404, "not_found");
}

#[tokio::test]
async fn members_are_put_in_and_taken_out() {
    let rig = Rig::new().await;
    rig.user("ann").await;
    role(&rig, "qa").await;
    role(&rig, "dev").await;
    rig.call("PUT", "/api/v1/roles/qa/members/user:ann").send().await.is(200);
    rig.call("PUT", "/api/v1/roles/dev/members/role:qa%23member").send().await.is(200);
    assert!(is_member(&rig, "user:ann", "role:dev").await);
    assert_eq!(rig.call("GET", "/api/v1/users/ann").send().await.is(200).body["roles"], json!(["qa"]));
    let before = rig.revision().await;
    rig.call("PUT", "/api/v1/roles/qa/members/user:ann").send().await.is(200);
    rig.call("DELETE", "/api/v1/roles/dev/members/user:ann").send().await.is(200);
    assert_eq!(rig.revision().await, before, "who is in it already, and who is not");
    rig.call("DELETE", "/api/v1/roles/qa/members/user:ann").send().await.is(200);
    assert!(!is_member(&rig, "user:ann", "role:dev").await);
    for (member, status, code) in [
        ("user:nobody", 404, "not_found"),
        ("role:none%23member", 404, "not_found"),
        ("role:qa", 400, "invalid_request"),
        ("role:qa%23member", 400, "invalid_request"),
        ("api_key:1", 400, "invalid_request"),
        ("ann", 400, "invalid_request"),
    ] {
        let path = format!("/api/v1/roles/qa/members/{member}");
        rig.call("PUT", &path).send().await.is_problem(status, code);
    }
}

#[tokio::test]
async fn the_roles_of_a_user_are_given_and_replaced() {
    let rig = Rig::new().await;
    role(&rig, "qa").await;
    role(&rig, "ops").await;
    let made = rig.call("POST", "/api/v1/users").json(json!({"login": "ann", "roles": ["qa", "qa"]})).await;
    assert_eq!(made.is(201).body["roles"], json!(["qa"]));
    let change = |roles| rig.call("PATCH", "/api/v1/users/ann").json(json!({"roles": roles}));
    assert_eq!(change(json!(["ops"])).await.is(200).body["roles"], json!(["ops"]));
    change(json!(["qa", "none"])).await.is_problem(404, "not_found");
    assert_eq!(rig.call("GET", "/api/v1/users/ann").send().await.is(200).body["roles"], json!(["ops"]));
    assert_eq!(change(json!([])).await.is(200).body["roles"], json!([]));
    let unknown = json!({"login": "bob", "roles": ["none"]});
    rig.call("POST", "/api/v1/users").json(unknown).await.is_problem(404, "not_found");
    rig.call("GET", "/api/v1/users/bob").send().await.is_problem(404, "not_found");
}

#[tokio::test]
async fn super_users_stay() {
    let rig = Rig::new().await;
    rig.call("GET", "/api/v1/roles/super-users").send().await.is(200);
    rig.call("DELETE", "/api/v1/roles/super-users").send().await.is_problem(409, "super_users_fixed");
    let admin = "/api/v1/roles/super-users/members/user:admin";
    rig.call("DELETE", admin).send().await.is_problem(409, "last_super_user");
    rig.call("DELETE", "/api/v1/users/admin").send().await.is_problem(409, "last_super_user");
    for change in [json!({"active": false}), json!({"roles": []})] {
        rig.call("PATCH", "/api/v1/users/admin").json(change).await.is_problem(409, "last_super_user");
    }
    rig.user("ann").await;
    let ann = "/api/v1/roles/super-users/members/user:ann";
    let operator = rig.key(&["operator", "writer"]).await;
    rig.with(&operator, "PUT", ann).send().await.is_problem(403, "not_held");
    rig.call("PUT", ann).send().await.is(200);
    rig.with(&operator, "DELETE", admin).send().await.is_problem(403, "not_held");
    rig.call("DELETE", admin).send().await.is(200);
    let write = json!({"write": [{"resource": "pulp_uri:/", "relation": "read", "subject": "role:super-users#member"}]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is_problem(409, "managed_relation");
}

#[tokio::test]
async fn a_repeated_request_is_carried_out_once() {
    let rig = Rig::new().await;
    let make = || rig.call("POST", "/api/v1/roles").header("idempotency-key", "k").json(json!({"key": "qa"}));
    let first = make().await.is(201).body;
    rig.call("DELETE", "/api/v1/roles/qa").send().await.is(200);
    let again = make().await.is(201).body;
    assert_eq!(again["uuid"], first["uuid"]);
    rig.call("GET", "/api/v1/roles/qa").send().await.is(404);
}

#[tokio::test]
async fn the_ledger_tells_of_roles_and_forgets_their_texts() {
    let rig = Rig::new().await;
    let body = json!({"key": "qa", "display_name": "Quality", "description": "who tests"});
    rig.call("POST", "/api/v1/roles").json(body).await.is(201);
    rig.call("PATCH", "/api/v1/roles/qa").json(json!({"description": null})).await.is(200);
    rig.call("DELETE", "/api/v1/roles/qa").send().await.is(200);
    let ledger = rig.call("GET", "/api/v1/ledger?limit=100").send().await.is(200).body;
    let kinds: Vec<&str> = ledger["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|entry| entry["changes"].as_array().unwrap())
        .filter_map(|change| change["kind"].as_str())
        .filter(|kind| kind.starts_with("role_"))
        .collect();
    assert_eq!(
        kinds,
        ["role_created", "role_created", "role_changed", "role_deleted"],
        "`admin` is the first"
    );
}
