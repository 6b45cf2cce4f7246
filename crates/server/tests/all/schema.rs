//! A realm's own model.

use serde_json::json;

use crate::support::Rig;

const MODEL: &str = "# Plans.\ntype plan\n  relations\n    define viewer: [user, user with late]\ncondition late(hour: int) { hour > 17 }\n";

#[tokio::test]
async fn a_model_is_put_read_and_used() {
    let rig = Rig::new().await;
    rig.user("ann").await;
    let before = rig.revision().await;
    let dry = rig.call("PUT", "/api/v1/schema").json(json!({"schema": MODEL, "dry_run": true})).await.is(200);
    assert_eq!(dry.body["orphan_count"], 0);
    assert_eq!(rig.revision().await, before);
    let put = rig.call("PUT", "/api/v1/schema").json(json!({"schema": MODEL})).await.is(200);
    assert_eq!(put.body, json!({"revision": before + 1, "orphans": [], "orphan_count": 0}));
    assert_eq!(rig.call("GET", "/api/v1/schema").send().await.is(200).text, MODEL);
    let read = rig.call("GET", "/api/v1/schema").header("accept", "application/json").send().await.is(200);
    assert_eq!(read.body["type_definitions"][0]["type"], "plan");
    assert_eq!(read.body["conditions"]["late"]["expression"], "hour > 17");
    assert_eq!(rig.call("GET", "/api/v1/schema?format=json").send().await.is(200).body, read.body);
    rig.call("GET", "/api/v1/schema?format=xml").send().await.is_problem(400, "invalid_request");

    let under = |condition: serde_json::Value| json!({"write": [{"resource": "plan:a", "relation": "viewer", "subject": "user:ann", "condition": condition}]});
    let write = |body| rig.call("POST", "/api/v1/relationships").json(body);
    write(under(json!({"name": "early"}))).await.is_problem(400, "invalid_request");
    write(under(json!({"name": "late", "parameters": {"our": 1}}))).await.is_problem(400, "invalid_request");
    write(under(json!({"name": "late"}))).await.is(200);
    let question =
        json!({"subject": "user:ann", "action": "viewer", "resource": "plan:a", "context": {"hour": 18}});
    assert_eq!(rig.call("POST", "/api/v1/check").json(question).await.is(200).body["allowed"], true);

    let refused =
        rig.call("PUT", "/api/v1/schema").json(json!({"schema": ""})).await.is_problem(409, "orphans");
    assert_eq!(refused.body["orphans"], json!(["plan:a#viewer@user:ann"]));
    assert_eq!(refused.body["orphan_count"], 1);
    // The JSON form that was read is a model again.
    let put = rig.call("PUT", "/api/v1/schema").json(json!({"schema": read.body})).await.is(200);
    assert_eq!(put.body["revision"], rig.revision().await);
}

#[tokio::test]
async fn a_mistake_names_its_place() {
    let rig = Rig::new().await;
    for (schema, said) in [
        (
            json!("type a\n relations\n define b: [c]"),
            "schema:3: relation `b` of type `a`: there is no type `c`",
        ),
        (json!("type user\n relations\n define b: [user]"), "the type is built in"),
        (json!({"schema_version": "1.0"}), "`schema_version` must be `1.1`"),
        (json!(1), "must be a text, or an object in the JSON form"),
    ] {
        let answer = rig.call("PUT", "/api/v1/schema").json(json!({ "schema": schema })).await;
        let answer = answer.is_problem(400, "invalid_request");
        assert!(answer.body["detail"].as_str().unwrap().contains(said), "{}", answer.body);
    }
    let key = rig.key(&["writer"]).await;
    rig.with(&key, "PUT", "/api/v1/schema").json(json!({"schema": MODEL})).await.is_problem(403, "forbidden");
}
