//! AuthZEN: evaluations, alone and in batches, and the metadata.

use serde_json::{Value, json};

use crate::support::{Answer, Rig};

pub(crate) const MODEL: &str = "
type record
  relations
    define owner: [user]
    define read: [user, user:*] or owner
    define write: [user] or owner

path type folder
  relations
    define view: [user]
";

pub(crate) async fn rig() -> Rig {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&[
        "record:1#read@user:alice",
        "record:1#write@user:bob",
        "record:public#read@user:*",
        "folder:/a/#view@user:alice",
    ])
    .await;
    rig
}

pub(crate) fn entity(text: &str) -> Value {
    let (kind, id) = text.split_once(':').unwrap();
    json!({"type": kind, "id": id})
}

fn question(subject: &str, action: &str, resource: &str) -> Value {
    json!({"subject": entity(subject), "action": {"name": action}, "resource": entity(resource)})
}

async fn evaluated(rig: &Rig, body: Value) -> Value {
    let answer = rig.call("POST", "/access/v1/evaluation").json(body).await.is(200);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.body
}

async fn batch(rig: &Rig, body: Value) -> Vec<Value> {
    let answer = rig.call("POST", "/access/v1/evaluations").json(body).await.is(200);
    assert!(answer.body.get("decision").is_none(), "{}", answer.text);
    answer.body["evaluations"].as_array().unwrap().clone()
}

fn decisions(evaluations: &[Value]) -> Vec<bool> {
    evaluations.iter().map(|one| one["decision"].as_bool().unwrap()).collect()
}

fn is_string(answer: Answer, status: u16) {
    let answer = answer.is(status);
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    assert!(answer.body.is_string(), "{}", answer.text);
}

#[tokio::test]
async fn a_yes_is_a_decision_and_nothing_else() {
    let rig = rig().await;
    assert_eq!(evaluated(&rig, question("user:alice", "read", "record:1")).await, json!({"decision": true}));
    let with_more = json!({
        "subject": {"type": "user", "id": "alice", "properties": {"x": [1, {"y": null}]}, "more": 1},
        "action": {"name": "read", "properties": {}},
        "resource": {"type": "record", "id": "1", "properties": null},
        "context": {"time": "now"}, "later": {"subject": 1}
    });
    assert_eq!(evaluated(&rig, with_more).await, json!({"decision": true}));
}

#[tokio::test]
async fn a_no_says_why() {
    let rig = rig().await;
    let long = format!("user:{}", "x".repeat(1_025));
    let name = "r".repeat(65);
    for (subject, action, resource, reason) in [
        ("user:bob", "read", "record:1", "not_granted"),
        ("user:nobody", "read", "record:1", "not_granted"),
        ("spaceship:x", "read", "record:1", "not_granted"),
        ("user:alice", "read", "record:nothing", "not_granted"),
        ("user:alice", "fly", "record:1", "unknown_action"),
        ("user:alice", "", "record:1", "unknown_action"),
        ("user:alice", &name, "record:1", "unknown_action"),
        ("user:alice", "read", "spaceship:1", "unknown_type"),
        // Not even `user:*` means what cannot be.
        ("user:a\nb", "read", "record:public", "invalid_entity"),
        ("user:", "read", "record:public", "invalid_entity"),
        (&long, "read", "record:public", "invalid_entity"),
        ("us er:x", "read", "record:1", "invalid_entity"),
        ("user:alice", "view", "folder:/a//b/", "invalid_entity"),
    ] {
        let answer = evaluated(&rig, question(subject, action, resource)).await;
        assert_eq!(
            answer,
            json!({"decision": false, "context": {"reason": reason}}),
            "{subject:.20} {action}"
        );
    }
    assert_eq!(evaluated(&rig, question("user:a b*#:%", "read", "record:public")).await["decision"], true);
}

#[tokio::test]
async fn ids_are_raw_and_paths_have_one_spelling() {
    let rig = rig().await;
    for (path, allowed) in
        [("/a/", true), ("/a", true), ("a", true), ("/a/b/", true), ("/%61/", true), ("/", false)]
    {
        let answer = evaluated(&rig, question("user:alice", "view", &format!("folder:{path}"))).await;
        assert_eq!(answer["decision"], allowed, "{path}");
    }
    let write = json!({"write": [{
        "resource": {"type": "record", "id": "a:b#c*%20 d"}, "relation": "read", "subject": "user:alice"
    }]});
    rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
    assert_eq!(evaluated(&rig, question("user:alice", "read", "record:a:b#c*%20 d")).await["decision"], true);
    assert_eq!(evaluated(&rig, question("user:alice", "read", "record:a:b#c*  d")).await["decision"], false);
    // A text is no userset here, and `*` no wildcard.
    assert_eq!(evaluated(&rig, question("user:*", "read", "record:1")).await["decision"], false);
}

#[tokio::test]
async fn what_is_missing_or_mistyped_is_400() {
    let rig = rig().await;
    let good = question("user:alice", "read", "record:1");
    let mut bad = Vec::new();
    for member in ["subject", "action", "resource"] {
        for value in
            [json!("x"), json!(1), json!([]), json!(["user", "alice"]), json!({}), json!(null), json!(true)]
        {
            let mut body = good.clone();
            body[member] = value;
            bad.push(body);
        }
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(member);
        bad.push(body);
    }
    for (member, inner) in
        [("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")]
    {
        for value in [json!(1), json!(null), json!({}), json!([])] {
            let mut body = good.clone();
            body[member][inner] = value;
            bad.push(body);
        }
        let mut body = good.clone();
        body[member].as_object_mut().unwrap().remove(inner);
        bad.push(body);
    }
    for value in [json!(1), json!("x"), json!([])] {
        let mut body = good.clone();
        body["subject"]["properties"] = value.clone();
        bad.push(body);
        let mut body = good.clone();
        body["context"] = value;
        bad.push(body);
    }
    for body in bad {
        for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
            is_string(rig.call("POST", path).json(body.clone()).await, 400);
        }
    }
    let error = rig.call("POST", "/access/v1/evaluation").json(json!({"subject": {"type": "user"}})).await;
    assert_eq!(error.body, "`subject.id`: a value is required");
}

#[tokio::test]
async fn what_is_no_json_is_400() {
    let rig = rig().await;
    let good = question("user:alice", "read", "record:1").to_string();
    for path in ["evaluation", "evaluations", "search/subject", "search/resource", "search/action"] {
        let path = format!("/access/v1/{path}");
        for body in ["", " ", "{ not json", "[]", "null", "1", "\"x\"", &format!("{good}}}")] {
            is_string(rig.call("POST", &path).text("application/json", body).await, 400);
        }
        for content_type in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
        {
            is_string(rig.call("POST", &path).text(content_type, &good).await, 400);
        }
        is_string(rig.call("POST", &path).send().await, 400);
    }
    rig.call("POST", "/access/v1/evaluation").text("application/json; charset=UTF-8", &good).await.is(200);
}

#[tokio::test]
async fn the_request_id_comes_back_with_errors_too() {
    let rig = rig().await;
    let body = question("user:alice", "read", "record:1");
    for body in [body, json!({})] {
        let call = rig.call("POST", "/access/v1/evaluation").header("x-request-id", "req-1");
        assert_eq!(call.json(body).await.header("x-request-id"), "req-1");
    }
}

#[tokio::test]
async fn defaults_are_replaced_whole() {
    let rig = rig().await;
    let body = json!({
        "subject": entity("user:alice"), "action": {"name": "read"},
        "evaluations": [
            {"resource": entity("record:1")},
            {"resource": entity("record:2")},
            {"resource": entity("record:1"), "subject": entity("user:bob")},
            {"resource": entity("record:1"), "subject": entity("user:bob"), "action": {"name": "write"}},
            {"resource": entity("record:1"), "subject": null, "context": {"a": 1}},
            // No part of the default is merged in.
            {"resource": entity("record:1"), "subject": {"type": "user"}},
            {"resource": entity("record:1"), "action": {}},
        ]
    });
    let evaluations = batch(&rig, body).await;
    assert_eq!(decisions(&evaluations), [true, false, false, true, true, false, false]);
    assert_eq!(evaluations[5]["context"]["error"]["status"], 400);
}

#[tokio::test]
async fn a_broken_evaluation_breaks_no_other() {
    let rig = rig().await;
    let body = json!({
        "subject": entity("user:alice"), "action": {"name": "read"},
        "evaluations": [
            {"resource": entity("record:1")}, {}, 1, "x", null, [], [entity("user:alice")], {"resource": []},
            {"resource": {"type": "record", "id": 1}}, {"resource": entity("record:1"), "context": 1},
            {"resource": entity("record:1")},
        ]
    });
    let evaluations = batch(&rig, body).await;
    assert_eq!(evaluations.len(), 11);
    for (at, one) in evaluations.iter().enumerate() {
        if at == 0 || at == 10 {
            assert_eq!(one, &json!({"decision": true}));
        } else {
            assert_eq!(one["decision"], false, "{at}");
            assert_eq!(one["context"]["error"]["status"], 400, "{at}: {one}");
            assert!(one["context"]["error"]["message"].is_string(), "{at}: {one}");
        }
    }
}

#[tokio::test]
async fn a_batch_without_evaluations_is_one_evaluation() {
    let rig = rig().await;
    for evaluations in [None, Some(json!([])), Some(json!(null))] {
        let mut body = question("user:alice", "read", "record:1");
        if let Some(evaluations) = evaluations {
            body["evaluations"] = evaluations;
        }
        let answer = rig.call("POST", "/access/v1/evaluations").json(body).await.is(200);
        assert_eq!(answer.body, json!({"decision": true}));
    }
}

#[tokio::test]
async fn a_batch_stops_where_it_is_told_to() {
    let rig = rig().await;
    let resources = ["record:2", "record:1", "record:3", "record:public", "record:4"];
    let ask = |semantic: &str, first: usize| {
        let evaluations: Vec<_> = resources[first..].iter().map(|r| json!({"resource": entity(r)})).collect();
        json!({
            "subject": entity("user:alice"), "action": {"name": "read"}, "evaluations": evaluations,
            "options": {"evaluations_semantic": semantic, "more": 1}
        })
    };
    for (semantic, first, expected) in [
        ("execute_all", 0, &[false, true, false, true, false][..]),
        ("deny_on_first_deny", 0, &[false]),
        ("deny_on_first_deny", 1, &[true, false]),
        ("permit_on_first_permit", 0, &[false, true]),
        ("permit_on_first_permit", 1, &[true]),
        ("permit_on_first_permit", 4, &[false]),
    ] {
        assert_eq!(decisions(&batch(&rig, ask(semantic, first)).await), expected, "{semantic} {first}");
    }
    for options in
        [json!({"evaluations_semantic": "other"}), json!({"evaluations_semantic": 1}), json!("x"), json!([])]
    {
        let mut body = ask("execute_all", 0);
        body["options"] = options;
        is_string(rig.call("POST", "/access/v1/evaluations").json(body).await, 400);
    }
}

#[tokio::test]
async fn a_batch_may_be_long_but_not_too_long() {
    let rig = rig().await;
    let body = |count: usize| {
        let one = question("user:alice", "read", "record:1");
        json!({"evaluations": vec![one; count]})
    };
    let evaluations = batch(&rig, body(10_000)).await;
    assert_eq!(evaluations.len(), 10_000);
    assert!(decisions(&evaluations).into_iter().all(|decision| decision));
    is_string(rig.call("POST", "/access/v1/evaluations").json(body(10_001)).await, 400);
    is_string(rig.call("POST", "/access/v1/evaluations").json(json!({"evaluations": 1})).await, 400);
}

#[tokio::test]
async fn an_answer_names_the_revision_and_another_realm_is_another_world() {
    let rig = rig().await;
    rig.create_realm("acme").await;
    let body = question("user:alice", "read", "record:1");
    let here = rig.call("POST", "/access/v1/evaluation").json(body.clone()).await.is(200);
    let there = rig.call("POST", "/r/acme/access/v1/evaluation").json(body.clone()).await.is(200);
    assert_eq!((&here.body["decision"], &there.body["decision"]), (&true.into(), &false.into()));
    assert_ne!(here.revision().0, there.revision().0);
    is_string(rig.call("POST", "/r/nowhere/access/v1/evaluation").json(body).await, 404);
}

#[tokio::test]
async fn explain_is_asked_for_in_the_context() {
    let rig = rig().await;
    let mut body = question("user:alice", "read", "record:1");
    body["context"] = json!({"explain": true});
    let yes = evaluated(&rig, body.clone()).await;
    assert_eq!(yes["decision"], true);
    let used = &yes["context"]["because"]["relationships"];
    assert_eq!(
        used,
        &json!([{"resource": "record:1", "relation": "read", "subject": "user:alice"}]),
        "{yes}"
    );
    body["subject"]["id"] = "bob".into();
    let no = evaluated(&rig, body.clone()).await;
    assert_eq!((&no["decision"], &no["context"]["reason"]), (&false.into(), &"not_granted".into()));
    assert!(!no["context"]["misses"].as_array().unwrap().is_empty(), "{no}");
    for not_asked in [json!({"explain": false}), json!({"explain": "true"}), json!({})] {
        body["context"] = not_asked;
        assert!(evaluated(&rig, body.clone()).await["context"].get("misses").is_none());
    }
}

#[tokio::test]
async fn the_metadata_says_where_everything_is() {
    let rig = rig().await;
    rig.create_realm("acme").await;
    for (path, realm) in [("", ""), ("/r/acme", "/r/acme")] {
        let path = format!("/.well-known/authzen-configuration{path}");
        let answer = rig.bare("GET", &path).header("host", "evil.example").send().await.is(200);
        let base = format!("{}{realm}", rig.base());
        let expected = json!({
            "policy_decision_point": base,
            "access_evaluation_endpoint": format!("{base}/access/v1/evaluation"),
            "access_evaluations_endpoint": format!("{base}/access/v1/evaluations"),
            "search_subject_endpoint": format!("{base}/access/v1/search/subject"),
            "search_resource_endpoint": format!("{base}/access/v1/search/resource"),
            "search_action_endpoint": format!("{base}/access/v1/search/action"),
        });
        assert_eq!(answer.body, expected);
    }
    for nothing in ["/r/nowhere", "/r/", "/x", "/r/acme/x"] {
        let path = format!("/.well-known/authzen-configuration{nothing}");
        is_string(rig.bare("GET", &path).send().await, 404);
    }
    rig.bare("GET", "/r/acme/.well-known/authzen-configuration").send().await.is(404);
}
