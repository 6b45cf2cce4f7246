//! VM grants as the dialect's clients send them.

use serde_json::{Value, json};

use crate::support::{Answer, Rig};

async fn grant(rig: &Rig, path: &str, body: &str) -> Answer {
    rig.call("POST", path).text("application/json", body).await
}

#[tokio::test]
async fn null_and_an_empty_list_are_told_apart() {
    let rig = Rig::new().await;
    let identity = rig.identity().await;
    let vm = |vm: &str| format!("/identity/v1/identities/{identity}/permissions/vm/{vm}");
    for (name, body, expected) in [
        ("a", json!({}), Value::Null),
        ("b", json!({"allowedUsers": null}), Value::Null),
        ("c", json!({"allowedUsers": []}), json!([])),
        ("d", json!({"allowedUsers": ["dev"]}), json!(["dev"])),
    ] {
        let made = rig.call("POST", &vm(name)).json(body).await.is(200);
        assert_eq!(made.body["allowedUsers"], expected);
        let read = rig.call("GET", &vm(name)).send().await.is(200);
        assert_eq!(read.body, made.body);
    }
}

#[tokio::test]
async fn what_is_no_list_of_users_opens_nothing() {
    let rig = Rig::new().await;
    let identity = rig.identity().await;
    let path = format!("/identity/v1/identities/{identity}/permissions/vm/v");
    for body in [
        r#"{"allowedUsers": [null]}"#,
        r#"{"allowedUsers": [1]}"#,
        r#"{"allowedUsers": [["dev"]]}"#,
        r#"{"allowedUsers": [""]}"#,
        r#"{"allowedUsers": ["../x"]}"#,
        r#"{"allowedUsers": ["."]}"#,
        r#"{"allowedUsers": "dev"}"#,
        r#"{"allowedUsers": {}}"#,
        r#"{"allowedUsers": false}"#,
        "[null]",
        "[[]]",
        "null",
        "",
    ] {
        grant(&rig, &path, body).await.is_freestyle(400, "INVALID_REQUEST");
    }
    rig.call("GET", &path).send().await.is_freestyle(404, "VM_PERMISSION_NOT_FOUND");
    grant(&rig, &path, r#"{"allowedUsers": ["dev"]}"#).await.is(200);
    for body in ["{}", "[null]", r#"{"allowedUsers": [null]}"#, "null"] {
        rig.call("PUT", &path).text("application/json", body).await.is_freestyle(400, "INVALID_REQUEST");
    }
    let v5 = format!("/v5/identities/{identity}/permissions/vm/v");
    for body in ["{}", "[null]", r#"{"allowedLinuxUsers": [null]}"#, r#"{"allowedUsers": null}"#] {
        rig.call("PATCH", &v5).text("application/json", body).await.is_freestyle(400, "INVALID_REQUEST");
    }
    assert_eq!(rig.call("GET", &path).send().await.is(200).body["allowedUsers"], json!(["dev"]));
}

#[tokio::test]
async fn an_update_keeps_what_it_is_not_about() {
    let rig = Rig::new().await;
    let identity = rig.identity().await;
    let path = format!("/identity/v1/identities/{identity}/permissions/vm/v");
    let made = grant(&rig, &path, "{}").await.is(200).body;
    rig.clock.advance(60_000_000);
    let put = rig.call("PUT", &path).json(json!({"allowedUsers": ["dev"]})).await.is(200).body;
    for kept in ["id", "vmId", "identityId", "grantedAt", "grantedBy"] {
        assert_eq!(made[kept], put[kept], "{kept}");
    }
    grant(&rig, &path, "{}").await.is_freestyle(409, "PERMISSION_ALREADY_EXISTS");
}

#[tokio::test]
async fn a_vm_id_is_one_segment_whatever_is_in_it() {
    let rig = Rig::new().await;
    let identity = rig.identity().await;
    let path = |vm: &str| format!("/identity/v1/identities/{identity}/permissions/vm/{vm}");
    for (sent, meant) in
        [("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("%C3%A5", "å"), ("a%20b", "a b"), ("x+y", "x+y")]
    {
        let made = grant(&rig, &path(sent), r#"{"allowedUsers": ["dev"]}"#).await.is(200);
        assert_eq!(made.body["vmId"], meant);
    }
    grant(&rig, &path("%FF"), "{}").await.is_freestyle(400, "INVALID_REQUEST");
    grant(&rig, &path("a%00b"), "{}").await.is_freestyle(400, "INVALID_REQUEST");
    let listed =
        rig.call("GET", &format!("/identity/v1/identities/{identity}/permissions/vm")).send().await.is(200);
    assert_eq!(listed.body["total"], 5);
}
