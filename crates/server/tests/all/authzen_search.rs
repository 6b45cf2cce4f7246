//! AuthZEN: the three searches, and their pages.

use serde_json::{Value, json};

use crate::authzen::{entity, rig};
use crate::support::Rig;

const FIVE_MINUTES: i64 = 5 * 60 * 1_000_000;

/// What each search needs, and what is looked for by it.
fn searches() -> [(&'static str, Value); 3] {
    let (alice, one) = (entity("user:alice"), entity("record:1"));
    [
        ("subject", json!({"subject": {"type": "user"}, "action": {"name": "read"}, "resource": one})),
        ("resource", json!({"subject": alice, "action": {"name": "read"}, "resource": {"type": "record"}})),
        ("action", json!({"subject": alice, "resource": one})),
    ]
}

async fn search(rig: &Rig, which: &str, body: &Value) -> crate::support::Answer {
    rig.call("POST", &format!("/access/v1/search/{which}")).json(body.clone()).await
}

async fn results(rig: &Rig, which: &str, body: &Value) -> Value {
    search(rig, which, body).await.is(200).body["results"].clone()
}

/// All pages of so many results, put together.
async fn walked(rig: &Rig, which: &str, body: &Value, limit: usize) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut body = body.clone();
        body["page"] = json!({"limit": limit, "token": token});
        let page = search(rig, which, &body).await.is(200);
        assert!(page.text.starts_with(r#"{"page":{"#), "{}", page.text);
        let found = page.body["results"].as_array().unwrap();
        assert_eq!(page.body["page"]["count"], found.len());
        all.extend(found.iter().cloned());
        match page.body["page"]["next_token"].as_str().unwrap() {
            "" => return all,
            next => {
                assert_eq!(found.len(), limit);
                token = Some(next.to_owned());
            }
        }
    }
}

#[tokio::test]
async fn they_find_what_an_evaluation_allows() {
    let rig = rig().await;
    rig.relate(&["record:1#owner@user:zoe", "record:2#owner@user:alice"]).await;
    let [subject, resource, action] = searches();
    assert_eq!(results(&rig, "subject", &subject.1).await, json!([entity("user:alice"), entity("user:zoe")]));
    let found = [entity("record:1"), entity("record:2"), entity("record:public")];
    assert_eq!(results(&rig, "resource", &resource.1).await, json!(found));
    assert_eq!(results(&rig, "action", &action.1).await, json!([{"name": "read"}]));
    let owner = json!({"subject": entity("user:alice"), "resource": entity("record:2")});
    let names = json!([{"name": "owner"}, {"name": "read"}, {"name": "write"}]);
    assert_eq!(results(&rig, "action", &owner).await, names);
}

#[tokio::test]
async fn everybody_and_everything_below_are_results_of_their_own() {
    let rig = rig().await;
    let body =
        json!({"subject": {"type": "user"}, "action": {"name": "read"}, "resource": entity("record:public")});
    let found = results(&rig, "subject", &body).await;
    let everybody = json!({"type": "user", "id": "*", "properties": {"covers": "type"}});
    assert_eq!(found.as_array().unwrap().last(), Some(&everybody), "{found}");
    let body =
        json!({"subject": entity("user:alice"), "action": {"name": "view"}, "resource": {"type": "folder"}});
    let below = json!([{"type": "folder", "id": "/a/", "properties": {"covers": "subtree"}}]);
    assert_eq!(results(&rig, "resource", &body).await, below);
}

#[tokio::test]
async fn what_nobody_knows_is_an_empty_list() {
    let rig = rig().await;
    let empty = json!({"page": {"next_token": "", "count": 0}, "results": []});
    for (which, body) in searches() {
        for (member, inner, value) in [
            ("subject", "type", "spaceship"),
            ("subject", "type", "not a type"),
            ("subject", "id", "nobody"),
            ("subject", "id", ""),
            ("subject", "id", "a\u{0}b"),
            ("resource", "type", "spaceship"),
            ("resource", "id", "nothing"),
            ("resource", "id", &"x".repeat(2_000)),
            ("action", "name", "fly"),
        ] {
            let mut body = body.clone();
            // An id of what is looked for is not looked at; nobody says which action in a search of actions.
            if body[member].get(inner).is_none() {
                continue;
            }
            body[member][inner] = value.into();
            let answer = search(&rig, which, &body).await.is(200);
            if (which, member, value) == ("resource", "subject", "nobody") {
                assert_eq!(answer.body["results"], json!([entity("record:public")]), "all users may read it");
                continue;
            }
            assert_eq!(answer.body, empty, "{which} {member}.{inner} = {value:.20}");
        }
    }
}

#[tokio::test]
async fn what_is_looked_for_needs_no_id_and_all_else_does() {
    let rig = rig().await;
    for (which, body) in searches() {
        let expected = results(&rig, which, &body).await;
        for ignored in [json!("bob"), json!(""), json!(7), json!(null), json!({})] {
            let mut body = body.clone();
            match which {
                "action" => body["action"] = ignored,
                sought => body[sought]["id"] = ignored,
            }
            assert_eq!(results(&rig, which, &body).await, expected, "{which}");
        }
        for member in ["subject", "action", "resource"] {
            let Some(given) = body.get(member) else { continue };
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(search(&rig, which, &without).await.is(400).body.is_string());
            for inner in given.as_object().unwrap().keys() {
                let mut without = body.clone();
                without[member].as_object_mut().unwrap().remove(inner);
                assert!(
                    search(&rig, which, &without).await.is(400).body.is_string(),
                    "{which} {member}.{inner}"
                );
            }
        }
    }
}

#[tokio::test]
async fn pages_put_together_are_the_list_whatever_is_written_meanwhile() {
    let rig = rig().await;
    let readers: Vec<_> = (0..7).map(|n| format!("record:1#read@user:u{n}")).collect();
    rig.relate(&readers.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (which, body) = &searches()[0];
    let whole = walked(&rig, which, body, 1_000).await;
    assert_eq!(whole.len(), 8);
    for limit in [1, 2, 3, 8, 9] {
        assert_eq!(&walked(&rig, which, body, limit).await, &whole, "by {limit}");
    }
    let mut first = body.clone();
    first["page"] = json!({"limit": 3});
    let page = search(&rig, which, &first).await.is(200);
    let revision = page.header("grantd-revision").to_owned();
    rig.relate(&["record:1#read@user:a0", "record:1#read@user:u9"]).await;
    let delete = json!({"delete": [crate::support::related("record:1#read@user:u5")]});
    rig.call("POST", "/api/v1/relationships").json(delete).await.is(200);
    let mut seen = page.body["results"].as_array().unwrap().clone();
    let mut token = page.body["page"]["next_token"].clone();
    while token != "" {
        let mut next = body.clone();
        // Without a limit the pages stay as long as they were.
        next["page"] = json!({"token": token});
        let page = search(&rig, which, &next).await.is(200);
        assert_eq!(page.header("grantd-revision"), revision, "all pages are of one revision");
        assert!(page.body["results"].as_array().unwrap().len() <= 3);
        seen.extend(page.body["results"].as_array().unwrap().iter().cloned());
        token = page.body["page"]["next_token"].clone();
    }
    assert_eq!(seen, whole);
    assert_eq!(walked(&rig, which, body, 100).await.len(), 9, "a new search sees what was written");
}

#[tokio::test]
async fn a_token_is_good_for_the_same_search_only() {
    let rig = rig().await;
    rig.create_realm("acme").await;
    rig.relate(&["record:1#read@user:bob", "record:1#read@user:zoe"]).await;
    let (which, body) = &searches()[0];
    let mut first = body.clone();
    first["page"] = json!({"limit": 1});
    let token = search(&rig, which, &first).await.is(200).body["page"]["next_token"].clone();
    let mut next = body.clone();
    next["page"] = json!({"token": token});
    search(&rig, which, &next).await.is(200);
    let changes = [
        ("resource", entity("record:2")),
        ("action", json!({"name": "write"})),
        ("subject", json!({"type": "role"})),
        ("subject", json!({"type": "user", "properties": {"a": 1}})),
        ("context", json!({"a": 1})),
        ("page", json!({"token": format!("{}A", token.as_str().unwrap())})),
        ("page", json!({"token": "x"})),
        ("page", json!({"token": 1})),
        ("page", json!({"token": token, "limit": 0})),
        ("page", json!({"token": token, "limit": -1})),
        ("page", json!([])),
    ];
    for (member, value) in changes {
        let mut changed = next.clone();
        changed[member] = value;
        let answer = search(&rig, which, &changed).await.is(400);
        assert!(answer.body.is_string(), "{}", answer.text);
    }
    let other = rig.key(&["admin"]).await;
    rig.with(&other, "POST", "/access/v1/search/subject").json(next.clone()).await.is(400);
    rig.call("POST", "/r/acme/access/v1/search/subject").json(next.clone()).await.is(400);
    let mut elsewhere = searches()[1].1.clone();
    elsewhere["page"] = json!({"token": token});
    search(&rig, "resource", &elsewhere).await.is(400);
    rig.clock.advance(FIVE_MINUTES - 1);
    search(&rig, which, &next).await.is(200);
    rig.clock.advance(1);
    search(&rig, which, &next).await.is(400);
}

#[tokio::test]
async fn a_revision_that_was_crowded_out_is_400_and_no_wrong_page() {
    let rig = rig().await;
    rig.relate(&["record:1#read@user:bob"]).await;
    let (which, body) = &searches()[0];
    let mut first = body.clone();
    first["page"] = json!({"limit": 1});
    let token = search(&rig, which, &first).await.is(200).body["page"]["next_token"].clone();
    assert_ne!(token, "");
    let mut next = body.clone();
    next["page"] = json!({"token": token});
    for n in 0..64 {
        rig.relate(&[&format!("record:other#read@user:u{n}")]).await;
        let page = search(&rig, which, &next).await.is(200);
        assert_eq!(page.body["results"], json!([entity("user:bob")]), "{n} later");
    }
    for n in 64..128 {
        rig.relate(&[&format!("record:other#read@user:u{n}")]).await;
        search(&rig, which, &first).await.is(200);
    }
    let gone = search(&rig, which, &next).await.is(400);
    assert!(gone.text.contains("start the list again"), "{}", gone.text);
}
