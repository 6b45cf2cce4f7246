//! What a user holds of the catalogue, in one piece.

use serde_json::{Value, json};

use crate::support::{Call, Rig};

const PATH: &str = "/api/v1/users/ann/permissions?format=django";

/// A server with a catalogue, the user `ann`, and the permissions' numbers.
async fn rig() -> (Rig, impl Fn(&str) -> u64) {
    let rig = Rig::new().await;
    let catalogue = json!({"content_types": [
        {"app_label": "shop", "model": "book", "permissions": [
            {"codename": "add_book", "name": "Can add"}, {"codename": "lend", "name": "Can lend"},
        ]},
        {"app_label": "shop", "model": "shelf", "permissions": [{"codename": "lend", "name": "Can lend"}]},
    ]});
    rig.call("PUT", "/api/v1/catalogue").json(catalogue).await.is(200);
    rig.user("ann").await;
    let shown: Value = rig.call("GET", "/api/v1/catalogue").send().await.is(200).body;
    let number = move |key: &str| {
        let parts: Vec<&str> = key.split('.').collect();
        let find = |list: &Value, member: &str, wanted: &str| {
            let found = list.as_array().unwrap().iter().find(|one| one[member] == wanted);
            found.unwrap_or_else(|| panic!("{wanted}")).clone()
        };
        let kind = find(&shown["content_types"], "model", parts[0]);
        find(&kind["permissions"], "codename", parts[1])["id"].as_u64().unwrap()
    };
    (rig, number)
}

fn knowing(call: Call, tag: &str) -> Call {
    call.header("if-none-match", tag)
}

#[tokio::test]
async fn direct_ones_and_those_of_roles_of_roles() {
    let (rig, number) = rig().await;
    let empty = rig.call("GET", PATH).send().await.is(200);
    assert_eq!(empty.body["permissions"], json!([]));
    assert_eq!((&empty.body["active"], &empty.body["superuser"]), (&json!(true), &json!(false)));
    for role in ["inner", "outer"] {
        rig.call("POST", "/api/v1/roles").json(json!({"key": role})).await.is(201);
    }
    rig.relate(&[
        &format!("tdp_permission:{}#holder@user:ann", number("book.add_book")),
        &format!("tdp_permission:{}#holder@role:outer#member", number("shelf.lend")),
        "role:outer#member@role:inner#member",
        "role:inner#member@user:ann",
    ])
    .await;
    let held = rig.call("GET", PATH).send().await.is(200);
    assert_eq!(held.body["permissions"], json!(["shop.add_book", "shop.lend"]));
    assert_eq!(held.body["login"], "ann");
    let plain = rig.call("GET", "/api/v1/users/ann/permissions?format=plain").send().await.is(200);
    assert_eq!(plain.text, "shop.add_book\nshop.lend\n");
    assert_ne!(plain.header("etag"), held.header("etag"));
    rig.call("GET", "/api/v1/users/ann/permissions?format=xml").send().await.is(400);
    rig.call("PUT", "/api/v1/roles/super-users/members/user:ann").send().await.is(200);
    assert_eq!(rig.call("GET", PATH).send().await.is(200).body["superuser"], true);
    rig.call("PATCH", "/api/v1/users/ann").json(json!({"active": false})).await.is(200);
    let asleep = rig.call("GET", PATH).send().await.is(200);
    let nothing = (&json!(false), &json!(false), &json!([]));
    assert_eq!((&asleep.body["active"], &asleep.body["superuser"], &asleep.body["permissions"]), nothing);
}

#[tokio::test]
async fn the_tag_changes_with_the_answer_and_with_nothing_else() {
    let (rig, number) = rig().await;
    let key = format!("tdp_permission:{}#holder@user:ann", number("book.lend"));
    let first = rig.call("GET", PATH).send().await.is(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag}");
    assert_eq!(tag.trim_matches('"'), first.body["version"]);
    let same = knowing(rig.call("GET", PATH), &tag).send().await.is(304);
    assert_eq!((same.text.as_str(), same.header("etag")), ("", tag.as_str()));
    rig.user("ben").await;
    rig.relate(&[&key.replace("ann", "ben")]).await;
    knowing(rig.call("GET", PATH), &tag).send().await.is(304);

    rig.relate(&[&key]).await;
    let second = knowing(rig.call("GET", PATH), &tag).send().await.is(200);
    assert_ne!(second.header("etag"), tag);
    knowing(rig.call("GET", PATH), &format!("\"x\", {}", second.header("etag"))).send().await.is(304);
    let gone = json!({"delete": [crate::support::related(&key)]});
    rig.call("POST", "/api/v1/relationships").json(gone).await.is(200);
    let third = knowing(rig.call("GET", PATH), second.header("etag")).send().await.is(200);
    assert_eq!(third.header("etag"), tag, "as before");
}

#[tokio::test]
async fn what_ends_at_a_time_is_gone_then() {
    let (rig, number) = rig().await;
    let until = "2026-01-01T00:01:00Z";
    let resource = format!("tdp_permission:{}", number("book.lend"));
    let one = json!({"resource": resource, "relation": "holder", "subject": "user:ann", "until": until});
    rig.call("POST", "/api/v1/relationships").json(json!({"write": [one]})).await.is(200);
    let held = rig.call("GET", PATH).send().await.is(200);
    assert_eq!(held.body["permissions"], json!(["shop.lend"]));
    rig.clock.advance(60_000_000);
    let later = knowing(rig.call("GET", PATH), held.header("etag")).send().await.is(200);
    assert_eq!(later.body["permissions"], json!([]));
}

#[tokio::test]
async fn who_may_ask() {
    let (rig, _) = rig().await;
    for (grants, status) in
        [(["checker"], 200), (["writer"], 200), (["admin"], 200), (["requester"], 403), (["auditor"], 403)]
    {
        let key = rig.key(&grants).await;
        rig.with(&key, "GET", PATH).send().await.is(status);
    }
    rig.bare("GET", PATH).send().await.is(401);
    rig.call("GET", "/api/v1/users/nobody/permissions").send().await.is_problem(404, "not_found");
    rig.person("cyd").await;
    let mut cyd = crate::browser::Browser::new(&rig);
    cyd.signs_in("cyd").await;
    cyd.get("/api/v1/users/cyd/permissions").await.is(200);
    cyd.get(PATH).await.is(403);
}
