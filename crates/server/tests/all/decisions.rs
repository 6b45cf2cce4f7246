//! grantd's own check: what it knows, supposes and says; and many at once.

use serde_json::{Value, json};

use crate::support::{Answer, Rig, related};

const MODEL: &str = "
type team
  relations
    define member: [user, team#member]

type doc
  relations
    define owner: [user]
    define view: [user, team#member] or owner
";

async fn check(rig: &Rig, body: Value) -> Answer {
    rig.call("POST", "/api/v1/check").json(body).await
}

fn ask(subject: &str, resource: &str) -> Value {
    json!({"subject": subject, "action": "view", "resource": resource})
}

#[tokio::test]
async fn an_answer_says_why_it_is_no() {
    let rig = Rig::with_model(MODEL).await;
    for (subject, action, resource, reason) in [
        ("user:ann", "view", "doc:1", "not_granted"),
        ("user:ann", "fly", "doc:1", "unknown_action"),
        ("user:ann", "view", "spaceship:1", "unknown_type"),
    ] {
        let answer = check(&rig, json!({"subject": subject, "action": action, "resource": resource})).await;
        assert_eq!(answer.body["reason"], reason, "{}", answer.text);
        assert_eq!(answer.body["allowed"], false);
    }
    rig.relate(&["doc:1#owner@user:ann"]).await;
    let answer = check(&rig, ask("user:ann", "doc:1")).await.is(200);
    assert_eq!(answer.body, json!({"allowed": true, "revision": rig.revision().await}));
}

#[tokio::test]
async fn properties_come_with_what_they_are_of() {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&["doc:1#owner@user:ann"]).await;
    let body = json!({
        "subject": {"type": "user", "id": "ann", "properties": {"a": 1}},
        "action": {"name": "view", "properties": {"soft": true}},
        "resource": {"type": "doc", "id": "1", "properties": {}},
        "context": {"ip": "::1"}
    });
    assert_eq!(check(&rig, body.clone()).await.is(200).body["allowed"], true);
    for member in ["subject", "action", "resource"] {
        let mut bad = body.clone();
        bad[member]["properties"] = json!([1]);
        check(&rig, bad).await.is(400);
    }
    let mut bad = body;
    bad["context"] = json!("x");
    let answer = check(&rig, bad).await.is_problem(400, "invalid_field");
    assert_eq!(answer.body["field"], "context");
}

#[tokio::test]
async fn contextual_relationships_count_for_one_question_only() {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&["doc:1#view@team:qa#member"]).await;
    let before = rig.revision().await;
    let mut body = ask("user:ann", "doc:1");
    assert_eq!(check(&rig, body.clone()).await.is(200).body["allowed"], false);
    body["contextual"] =
        json!([related("team:qa#member@team:new#member"), related("team:new#member@user:ann")]);
    let answer = check(&rig, body).await.is(200);
    assert_eq!((&answer.body["allowed"], &answer.body["revision"]), (&true.into(), &before.into()));
    assert_eq!(check(&rig, ask("user:ann", "doc:1")).await.is(200).body["allowed"], false);
    assert_eq!(rig.revision().await, before, "nothing was written");
}

#[tokio::test]
async fn what_cannot_be_stored_cannot_be_supposed() {
    let rig = Rig::with_model(MODEL).await;
    for key in [
        "doc:1#view@doc:2",
        "doc:1#fly@user:ann",
        "spaceship:1#view@user:ann",
        "fs_vm:x#login@identity:a%0Ab",
    ] {
        let mut body = ask("user:ann", "doc:1");
        body["contextual"] = json!([related(key)]);
        check(&rig, body).await.is(400);
    }
    let mut body = ask("user:ann", "doc:1");
    body["contextual"] = json!(vec![related("doc:1#view@user:ann"); 101]);
    let answer = check(&rig, body.clone()).await.is_problem(400, "invalid_request");
    assert_eq!(answer.body["field"], "contextual");
    body["contextual"] = json!(vec![related("doc:1#view@user:ann"); 100]);
    assert_eq!(check(&rig, body).await.is(200).body["allowed"], true);
}

#[tokio::test]
async fn nobody_supposes_an_authority_on_grantd() {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&["grantd:default#writer@role:ops#member"]).await;
    let key = rig.key(&["approver"]).await;
    let id = rig.call("GET", "/api/v1/keys").send().await.is(200);
    let ours = id.body["items"].as_array().unwrap().iter().find(|key| key["grants"] == json!(["approver"]));
    let ours = format!("api_key:{}", ours.unwrap()["id"].as_str().unwrap());
    let supposed = [
        format!("grantd:default#checker@{ours}"),
        "grantd:default#admin@user:ann".to_owned(),
        "role:super-users#member@user:ann".to_owned(),
        "role:ops#member@user:ann".to_owned(),
        "role:ops#member@role:new#member".to_owned(),
    ];
    for key in &supposed {
        let mut body = ask("user:ann", "doc:1");
        body["contextual"] = json!([related(key)]);
        let answer = check(&rig, body).await.is_problem(400, "invalid_request");
        assert_eq!(answer.body["field"], "contextual", "{key}");
    }
    // Whether somebody may ask is decided by what is stored.
    let mut body = ask("user:ann", "doc:1");
    body["contextual"] = json!([related(&supposed[0])]);
    rig.with(&key, "POST", "/api/v1/check").json(body).await.is_problem(403, "forbidden");
}

#[tokio::test]
async fn an_explanation_is_given_when_asked_for() {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&["doc:1#view@team:qa#member", "team:qa#member@user:ann"]).await;
    let mut body = ask("user:ann", "doc:1");
    body["explain"] = true.into();
    let answer = check(&rig, body.clone()).await.is(200);
    let because = &answer.body["because"]["relationships"];
    assert_eq!(because, &json!([related("doc:1#view@team:qa#member"), related("team:qa#member@user:ann")]));
    body["subject"] = "user:bob".into();
    let answer = check(&rig, body).await.is(200);
    assert!(answer.body.get("because").is_none());
    let misses = answer.body["misses"].as_array().unwrap();
    assert!(misses.iter().all(|miss| miss["reason"].is_string()) && !misses.is_empty(), "{}", answer.text);
}

#[tokio::test]
async fn a_batch_is_answered_in_order_and_a_broken_question_at_its_place() {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&["doc:1#view@team:qa#member"]).await;
    let body = json!({
        "contextual": [related("team:qa#member@user:ann")],
        "checks": [
            ask("user:ann", "doc:1"), ask("user:ann", "doc:2"), {}, ["user:ann", "view", "doc:1"], 7,
            ask("nonsense", "doc:1"), ask("user:ann", "doc:1"),
        ]
    });
    let answer = rig.call("POST", "/api/v1/check/batch").json(body).await.is(200);
    assert_eq!(answer.body["revision"], rig.revision().await);
    let results = answer.body["results"].as_array().unwrap();
    let allowed: Vec<_> = results.iter().map(|one| one["allowed"].as_bool().unwrap()).collect();
    assert_eq!(allowed, [true, false, false, false, false, false, true]);
    assert_eq!(results[1], json!({"allowed": false, "reason": "not_granted"}));
    for broken in &results[2..6] {
        assert!(broken["error"]["code"].is_string() && broken["error"]["detail"].is_string(), "{broken}");
    }
    let explained = json!({"checks": [ask("user:bob", "doc:1")], "explain": true});
    let answer = rig.call("POST", "/api/v1/check/batch").json(explained).await.is(200);
    assert!(answer.body["results"][0]["misses"].is_array(), "{}", answer.text);
}

#[tokio::test]
async fn a_batch_has_a_limit() {
    let rig = Rig::with_model(MODEL).await;
    let body = |count| json!({"checks": vec![ask("user:ann", "doc:1"); count]});
    let answer = rig.call("POST", "/api/v1/check/batch").json(body(10_000)).await.is(200);
    assert_eq!(answer.body["results"].as_array().unwrap().len(), 10_000);
    rig.call("POST", "/api/v1/check/batch").json(body(10_001)).await.is_problem(400, "invalid_request");
}
