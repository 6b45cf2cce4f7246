//! Requests and rules over grantd's own API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Rig};

/// An agent, and who decides.
struct Cast {
    rig: Rig,
    agent: String,
    boss: String,
}

impl Cast {
    async fn new() -> Self {
        let rig = Rig::new().await;
        let (agent, boss) = (rig.key(&["requester"]).await, rig.key(&["approver"]).await);
        Self { rig, agent, boss }
    }

    async fn ask(&self, more: Value) -> Answer {
        let mut body = json!({"tool": "Bash", "action": "Run ls", "params": {"command": "ls"}});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.rig.with(&self.agent, "POST", "/api/v1/requests").json(body).await
    }

    async fn asked(&self) -> String {
        self.ask(json!({})).await.is(201).body["id"].as_str().unwrap().to_owned()
    }

    async fn decide(&self, id: &str, body: Value) -> Answer {
        self.rig.with(&self.boss, "POST", &format!("/api/v1/requests/{id}/decision")).json(body).await
    }

    async fn read(&self, key: &str, rest: &str) -> Answer {
        self.rig.with(key, "GET", &format!("/api/v1/requests{rest}")).send().await
    }

    async fn rule(&self, body: Value) -> Answer {
        self.rig.with(&self.boss, "POST", "/api/v1/rules").json(body).await
    }
}

#[tokio::test]
async fn an_agent_asks_and_waits_until_somebody_decides() {
    let cast = Cast::new().await;
    let made = cast.ask(json!({"path": "/work", "session": "s", "timeout_seconds": 3600})).await.is(201);
    assert_eq!((made.body["status"].as_str(), made.body["session"].as_str()), (Some("pending"), Some("s")));
    assert_eq!(made.body["params"], json!({"command": "ls"}));
    let id = made.body["id"].as_str().unwrap().to_owned();
    let decides = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cast.decide(&id, json!({"decision": "approve", "reason": "fine", "params": {"command": "ls -l"}}))
            .await
            .is(200)
    };
    let (begun, path) = (Instant::now(), format!("/{id}?wait=30"));
    let (waited, decided) = tokio::join!(cast.read(&cast.agent, &path), decides);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for answer in [waited.is(200), decided] {
        assert_eq!(answer.body["status"], "approved");
        assert_eq!(answer.body["reason"], "fine");
        assert_eq!(answer.body["edited_params"], json!({"command": "ls -l"}));
        assert!(answer.body["decided_by"].as_str().unwrap().starts_with("api_key:"), "{}", answer.text);
    }
    let again = json!({"decision": "approve"});
    cast.decide(&id, again).await.is(200);
    cast.decide(&id, json!({"decision": "deny"})).await.is_problem(409, "request_settled");
}

#[tokio::test]
async fn a_wait_ends_with_the_state_then_reached() {
    let cast = Cast::new().await;
    let id = cast.asked().await;
    let waited = cast.read(&cast.agent, &format!("/{id}?wait=1")).await.is(200);
    assert_eq!(waited.body["status"], "pending");
    let short = cast.ask(json!({"timeout_seconds": 1})).await.is(201);
    let id = short.body["id"].as_str().unwrap();
    cast.rig.clock.advance(1_000_000);
    let over = cast.read(&cast.agent, &format!("/{id}?wait=30")).await.is(200);
    assert_eq!(
        (over.body["status"].as_str(), over.body["decided_by"].as_str()),
        (Some("expired"), Some("timeout"))
    );
    cast.decide(id, json!({"decision": "approve"})).await.is_problem(409, "request_settled");
}

#[tokio::test]
async fn each_sees_what_concerns_them() {
    let cast = Cast::new().await;
    let other = cast.rig.key(&["requester"]).await;
    let auditor = cast.rig.key(&["auditor"]).await;
    let id = cast.asked().await;
    cast.read(&cast.agent, &format!("/{id}")).await.is(200);
    cast.read(&auditor, &format!("/{id}")).await.is(200);
    cast.read(&other, &format!("/{id}")).await.is_problem(404, "not_found");
    cast.read(&other, &format!("/{id}?wait=30")).await.is_problem(404, "not_found");
    cast.read(&other, "/none").await.is_problem(404, "not_found");
    assert_eq!(cast.read(&other, "").await.is(200).body["items"], json!([]));
    let list = cast.read(&cast.boss, "?status=pending&tool=Bash").await.is(200);
    assert_eq!(list.body["items"][0]["id"], id.as_str());
    let deny = json!({"decision": "deny"});
    let path = format!("/api/v1/requests/{id}/decision");
    cast.rig.with(&cast.agent, "POST", &path).json(deny.clone()).await.is_problem(403, "forbidden");
    cast.rig.with(&auditor, "POST", &path).json(deny.clone()).await.is_problem(403, "forbidden");
    let both = cast.rig.key(&["requester", "approver"]).await;
    let body = json!({"tool": "t", "action": "a"});
    let own = cast.rig.with(&both, "POST", "/api/v1/requests").json(body).await.is(201);
    let path = format!("/api/v1/requests/{}/decision", own.body["id"].as_str().unwrap());
    cast.rig.with(&both, "POST", &path).json(deny).await.is_problem(403, "own_request");
}

#[tokio::test]
async fn lists_are_paged_and_long_texts_left_out() {
    let cast = Cast::new().await;
    for n in 0..5 {
        let action = if n == 3 { "x".repeat(60 << 10) } else { format!("action {n}") };
        cast.ask(json!({"action": action, "session": format!("s{}", n % 2)})).await.is(201);
    }
    let page = cast.read(&cast.boss, "?limit=2").await.is(200);
    let items = page.body["items"].as_array().unwrap();
    assert_eq!(items[0]["action"], "action 4");
    assert_eq!((&items[1]["action"], &items[1]["cut"]), (&Value::Null, &json!(true)));
    let whole = cast.read(&cast.boss, &format!("/{}", items[1]["id"].as_str().unwrap())).await.is(200);
    assert_eq!(whole.body["action"].as_str().unwrap().len(), 60 << 10);
    let cursor = page.body["next"].as_str().unwrap();
    let rest = cast.read(&cast.boss, &format!("?limit=100&cursor={cursor}")).await.is(200);
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 3);
    assert_eq!(rest.body["next"], Value::Null);
    let one = cast.read(&cast.boss, "?session=s1").await.is(200);
    assert_eq!(one.body["items"].as_array().unwrap().len(), 2);
    cast.read(&cast.boss, "?status=granted").await.is_problem(400, "invalid_request");
}

#[tokio::test]
async fn rules_answer_and_are_tried_before() {
    let cast = Cast::new().await;
    let first = cast.asked().await;
    let rule = json!({"effect": "allow", "tool": "Bash", "command": "ls *"});
    let trial = json!({"rule": rule, "limit": 10});
    let tried = cast.rig.with(&cast.boss, "POST", "/api/v1/rules/test").json(trial).await.is(200);
    assert_eq!(tried.body["changed"], 1, "{}", tried.text);
    assert_eq!(
        (&tried.body["items"][0]["now"], &tried.body["items"][0]["would"]),
        (&json!("ask"), &json!("allow"))
    );
    assert_eq!(
        cast.rig.with(&cast.boss, "GET", "/api/v1/rules").send().await.is(200).body["items"],
        json!([])
    );
    let made = cast.rule(rule.clone()).await.is(201);
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(cast.rule(rule).await.is(201).body["id"], id.as_str(), "the same again is the same");
    let asked = cast.ask(json!({})).await.is(201);
    assert_eq!(
        (asked.body["status"].as_str(), asked.body["decided_by"].as_str()),
        (Some("approved"), Some(format!("rule:{id}").as_str()))
    );
    cast.decide(&first, json!({"decision": "deny", "remember": {"scope": "realm", "path": null}}))
        .await
        .is(200);
    let asked = cast.ask(json!({})).await.is(201);
    assert_eq!(asked.body["status"], "denied", "deny beats allow");
    let rules = cast.rig.with(&cast.boss, "GET", "/api/v1/rules").send().await.is(200);
    let [_, deny] = &rules.body["items"].as_array().unwrap()[..] else { panic!("{}", rules.text) };
    assert_eq!(
        (&deny["effect"], &deny["command"], &deny["session"]),
        (&json!("deny"), &json!("ls"), &Value::Null)
    );
    let path = format!("/api/v1/rules/{}", deny["id"].as_str().unwrap());
    cast.rig.with(&cast.agent, "DELETE", &path).send().await.is_problem(403, "forbidden");
    cast.rig.with(&cast.boss, "DELETE", &path).send().await.is(200);
    cast.rig.with(&cast.boss, "DELETE", &path).send().await.is_problem(404, "not_found");
    for wrong in [
        json!({"effect": "may", "tool": "Bash"}),
        json!({"effect": "allow", "tool": ""}),
        json!({"effect": "allow", "tool": "Bash", "command": "* x"}),
        json!({"effect": "allow", "tool": "Bash", "command": "ls 'x"}),
        json!({"effect": "allow", "tool": "Bash", "expires": "2001-01-01T00:00:00Z"}),
    ] {
        cast.rule(wrong).await.is_problem(400, "invalid_request");
    }
    // A command that no pattern can stand for is not remembered as every command.
    let id = cast.ask(json!({"params": {"command": "ls; rm x"}})).await.is(201).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let remember = json!({"decision": "approve", "remember": {"scope": "session"}});
    cast.decide(&id, remember).await.is_problem(400, "invalid_request");
}

#[tokio::test]
async fn sessions_have_a_title_and_one_above() {
    let cast = Cast::new().await;
    let open = |body: Value| cast.rig.with(&cast.agent, "POST", "/api/v1/approval-sessions").json(body);
    open(json!({"id": "above", "title": "The whole"})).await.is(201);
    let made = open(json!({"parent": "above"})).await.is(201);
    let id = made.body["id"].as_str().unwrap().to_owned();
    open(json!({"id": "above"})).await.is_problem(409, "already_exists");
    open(json!({"id": "a/b"})).await.is_problem(400, "invalid_request");
    cast.ask(json!({"session": id})).await.is(201);
    let list = cast.rig.with(&cast.agent, "GET", "/api/v1/approval-sessions").send().await.is(200);
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["id"], &items[0]["parent"], &items[0]["pending"]),
        (&json!(id), &json!("above"), &json!(1))
    );
    let path = format!("/api/v1/approval-sessions/{id}");
    let other = cast.rig.key(&["requester"]).await;
    cast.rig.with(&other, "DELETE", &path).send().await.is_problem(403, "forbidden");
    cast.rig.with(&cast.agent, "DELETE", &path).send().await.is(200);
    cast.rig.with(&cast.agent, "DELETE", &path).send().await.is_problem(404, "not_found");
    let list = cast.read(&cast.agent, "?status=cancelled").await.is(200);
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_input_is_refused_and_changes_nothing() {
    let cast = Cast::new().await;
    let before = cast.rig.revision().await;
    for wrong in [
        json!({"tool": ""}),
        json!({"params": []}),
        json!({"params": "ls"}),
        json!({"session": "a b"}),
        json!({"timeout_seconds": 0}),
        json!({"timeout_seconds": 2_592_001}),
        json!({"timeout_seconds": u64::MAX}),
        json!({"action": "x".repeat(65_537)}),
    ] {
        cast.ask(wrong.clone()).await.is_problem(400, "invalid_request");
    }
    assert_eq!(cast.rig.revision().await, before);
    let id = cast.asked().await;
    for wrong in [
        json!({"decision": "granted"}),
        json!({"decision": "deny", "params": {}}),
        json!({"decision": "approve", "params": []}),
        json!({"decision": "approve", "reason": "x".repeat(4_097)}),
        json!({"decision": "approve", "remember": {"scope": "world"}}),
    ] {
        cast.decide(&id, wrong).await.is_problem(400, "invalid_request");
    }
    let twice = r#"{"tool":"Bash","action":"a","params":{"command":"ls","command":"rm x"}}"#;
    let made = cast.rig.with(&cast.agent, "POST", "/api/v1/requests").text("application/json", twice).await;
    assert_eq!(made.is(201).body["params"], json!({"command": "rm x"}), "what is judged is what is shown");
}
