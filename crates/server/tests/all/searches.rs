//! grantd's own searches.

use serde_json::{Value, json};

use crate::support::{Rig, related};

const MODEL: &str = "
type doc
  relations
    define owner: [user]
    define view: [user, user:*] or owner

path type folder
  relations
    define view: [user]
";

async fn rig() -> Rig {
    let rig = Rig::with_model(MODEL).await;
    rig.relate(&[
        "doc:1#view@user:ann",
        "doc:1#owner@user:bob",
        "doc:2#view@user:ann",
        "doc:all#view@user:*",
        "folder:/a/#view@user:ann",
    ])
    .await;
    rig
}

async fn items(rig: &Rig, which: &str, body: Value) -> Value {
    let answer = rig.call("POST", &format!("/api/v1/search/{which}")).json(body).await.is(200);
    assert_eq!(answer.body["revision"], answer.revision().1);
    answer.body["items"].clone()
}

#[tokio::test]
async fn each_search_has_results_of_its_own() {
    let rig = rig().await;
    let who = json!({"subject_type": "user", "action": "view", "resource": "doc:1"});
    assert_eq!(items(&rig, "subjects", who).await, json!([{"subject": "user:ann"}, {"subject": "user:bob"}]));
    let who = json!({"subject_type": "user", "action": "view", "resource": "doc:all"});
    let found = items(&rig, "subjects", who).await;
    assert_eq!(found.as_array().unwrap().last(), Some(&json!({"subject": "user:*"})), "{found}");
    let what = json!({"subject": "user:ann", "action": "view", "resource_type": "doc"});
    let docs = json!([{"resource": "doc:1"}, {"resource": "doc:2"}, {"resource": "doc:all"}]);
    assert_eq!(items(&rig, "resources", what).await, docs);
    let below = json!({"subject": "user:ann", "action": "view", "resource_type": "folder"});
    let folders = json!([{"resource": "folder:/a/", "covers": "subtree"}]);
    assert_eq!(items(&rig, "resources", below).await, folders);
    let which = json!({"subject": {"type": "user", "id": "bob"}, "resource": "doc:1"});
    assert_eq!(items(&rig, "actions", which).await, json!([{"action": "owner"}, {"action": "view"}]));
}

#[tokio::test]
async fn a_search_can_suppose() {
    let rig = rig().await;
    let mut who = json!({"subject_type": "user", "action": "view", "resource": "doc:2"});
    who["contextual"] = json!([related("doc:2#owner@user:zoe")]);
    who["limit"] = 1.into();
    let first = rig.call("POST", "/api/v1/search/subjects").json(who.clone()).await.is(200);
    assert_eq!(first.body["items"], json!([{"subject": "user:ann"}]));
    who["cursor"] = first.body["next"].clone();
    assert_eq!(items(&rig, "subjects", who.clone()).await, json!([{"subject": "user:zoe"}]));
    who["contextual"] = json!([]);
    let changed = rig.call("POST", "/api/v1/search/subjects").json(who).await;
    assert_eq!(changed.is_problem(400, "invalid_request").body["field"], "cursor");
}

#[tokio::test]
async fn what_nobody_knows_is_an_empty_list_and_what_is_no_name_is_400() {
    let rig = rig().await;
    let who = |kind, action, resource| json!({"subject_type": kind, "action": action, "resource": resource});
    for body in
        [who("spaceship", "view", "doc:1"), who("user", "fly", "doc:1"), who("user", "view", "spaceship:1")]
    {
        assert_eq!(items(&rig, "subjects", body).await, json!([]));
    }
    rig.call("POST", "/api/v1/search/subjects")
        .json(who("user", "view", "nonsense"))
        .await
        .is_problem(400, "invalid_request");
    let mut zero = who("user", "view", "doc:1");
    zero["limit"] = 0.into();
    rig.call("POST", "/api/v1/search/subjects").json(zero).await.is_problem(400, "invalid_request");
}
