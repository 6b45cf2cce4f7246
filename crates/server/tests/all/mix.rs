//! The approvals dialect, where the clock is moved by hand and the store fails.

use grantd_server::mix::Cors;
use grantd_testkit::faulty_store::Fault;
use grantd_testkit::ledger::store::StoreError;
use serde_json::{Value, json};

use crate::support::{Answer, Rig, Setup};

const PERMISSIONS: &str = "/mix/api/permissions";

/// An asker and a decider.
struct Cast {
    rig: Rig,
    asker: String,
    decider: String,
}

impl Cast {
    async fn new(rig: Rig) -> Self {
        let (asker, decider) = (rig.key(&["requester"]).await, rig.key(&["approver"]).await);
        Self { rig, asker, decider }
    }

    async fn ask(&self, more: Value) -> Answer {
        let mut body = json!({"sessionId": "s", "toolName": "Bash", "action": "a", "description": "d"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.rig.with(&self.asker, "POST", PERMISSIONS).json(body).await
    }

    async fn asked(&self, more: Value) -> String {
        self.ask(more).await.is(201).body["id"].as_str().unwrap().to_owned()
    }

    async fn decide(&self, id: &str, verb: &str) -> Answer {
        self.rig.with(&self.decider, "POST", &format!("{PERMISSIONS}/{id}/{verb}")).send().await
    }

    async fn read(&self, id: &str) -> Value {
        self.rig.with(&self.asker, "GET", &format!("{PERMISSIONS}/{id}")).send().await.is(200).body
    }
}

#[allow(clippy::wrong_self_convention, reason = "`is` reads as what it checks")]
impl Answer {
    /// The error that the approvals dialect names.
    fn is_mix(self, status: u16, kind: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
        assert_eq!(answer.body["error"]["code"], status, "{}", answer.text);
        assert_eq!(answer.body["error"]["type"], kind, "{}", answer.text);
        assert_eq!(answer.body["error"]["message"], answer.body["message"]);
        answer
    }
}

#[tokio::test]
async fn what_nobody_decided_in_time_is_denied() {
    let cast = Cast::new(Rig::new().await).await;
    let (brief, long) = (cast.asked(json!({})).await, cast.asked(json!({"timeoutSeconds": 2_592_000})).await);
    cast.rig.clock.advance(29_999_999);
    assert_eq!(cast.read(&brief).await["status"], "pending");
    cast.rig.clock.advance(1);
    let told = cast.read(&brief).await;
    assert_eq!((&told["status"], &told["decidedBy"]), (&json!("expired"), &json!("timeout")));
    assert_eq!(told["reason"], "timed out");
    cast.decide(&brief, "grant").await.is_mix(404, "not_found");
    cast.rig.clock.advance(29 * 86_400 * 1_000_000);
    assert_eq!(cast.decide(&long, "grant").await.is(200).body["granted"], true);
}

#[tokio::test]
async fn pages_of_others_may_call_only_if_they_are_named() {
    let closed = Rig::new().await;
    let answer =
        closed.bare("GET", "/mix/health").header("origin", "https://app.example").send().await.is(200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert!(
        closed.bare("OPTIONS", PERMISSIONS).header("origin", "https://app.example").send().await.status
            >= 400
    );

    let mix_cors = Cors::new(["https://app.example"]).unwrap();
    let rig = Rig::set_up(Setup { mix_cors, ..Setup::default() }).await;
    for path in [PERMISSIONS, "/api/permissions", "/stream", "/mix/api/sessions/x"] {
        let asked = rig.bare("OPTIONS", path).header("origin", "https://app.example").send().await.is(200);
        assert_eq!(
            (asked.header("access-control-allow-origin"), asked.text.as_str()),
            ("https://app.example", "")
        );
        assert_eq!(asked.header("access-control-max-age"), "86400");
        assert!(asked.header("access-control-allow-headers").contains("Authorization"));
        assert_eq!(asked.header("access-control-allow-credentials"), "");
    }
    // Errors can be read as well; a page has no more rights than its key.
    let refused = rig.bare("GET", PERMISSIONS).header("origin", "https://app.example").send().await;
    let refused = refused.is_mix(401, "unauthorized");
    assert_eq!(
        (refused.header("access-control-allow-origin"), refused.header("vary")),
        ("https://app.example", "Origin")
    );
    let other =
        rig.bare("OPTIONS", PERMISSIONS).header("origin", "https://evil.example").send().await.is(200);
    assert_eq!(other.header("access-control-allow-origin"), "");
    assert_eq!(other.header("access-control-allow-methods"), "");
    // Other faces know nothing of it.
    let api =
        rig.call("GET", "/api/v1/requests").header("origin", "https://app.example").send().await.is(200);
    assert_eq!(api.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_store_that_fails_is_a_typed_500() {
    let cast = Cast::new(Rig::new().await).await;
    let id = cast.asked(json!({})).await;
    cast.rig.store.on_next_append(Fault::Rejected(StoreError::Full("no room".into())));
    let answer = cast.decide(&id, "grant").await.is_mix(500, "internal_error");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(cast.read(&id).await["status"], "pending");
    cast.decide(&id, "grant").await.is(200);
}

#[tokio::test]
async fn another_node_knows_a_request_at_once() {
    let rig = Rig::set_up(Setup { shared: true, ..Setup::default() }).await;
    let other = rig.another().await;
    let cast = Cast::new(rig).await;
    let id = cast.asked(json!({})).await;
    let decide = other.with(&cast.decider, "POST", &format!("{PERMISSIONS}/{id}/deny"));
    assert_eq!(decide.send().await.is(200).body["denied"], true);
    assert_eq!(cast.read(&id).await["status"], "denied");
    let answer = cast.decide(&id, "grant").await.is_mix(404, "not_found");
    assert!(answer.body["message"].as_str().unwrap().contains("denied"), "{}", answer.text);
}

#[tokio::test]
async fn each_realm_has_requests_of_its_own() {
    let cast = Cast::new(Rig::new().await).await;
    cast.rig.create_realm("other").await;
    let id = cast.asked(json!({})).await;
    let path = format!("/r/other{PERMISSIONS}/{id}");
    cast.rig.call("GET", &path).send().await.is_mix(404, "not_found");
    cast.rig.with(&cast.decider, "GET", &path).send().await.is_mix(401, "unauthorized");
    cast.rig.call("GET", "/r/nowhere/mix/stream?sessionId=s").send().await.is_mix(404, "not_found");
}

#[tokio::test]
async fn a_repeated_request_is_one_under_its_key() {
    let cast = Cast::new(Rig::new().await).await;
    let ask = |text: &'static str| {
        let body = json!({"sessionId": "s", "toolName": "Bash", "action": text, "description": "d"});
        cast.rig.with(&cast.asker, "POST", PERMISSIONS).header("idempotency-key", "k").json(body)
    };
    let first = ask("a").await.is(201);
    assert_eq!(ask("a").await.is(201).body["id"], first.body["id"]);
    ask("b").await.is_mix(409, "bad_request");
}

#[tokio::test]
async fn open_means_two_callers_who_need_no_credential() {
    let rig = Rig::set_up(Setup { mix_open: true, ..Setup::default() }).await;
    let body = json!({"sessionId": "s", "toolName": "Bash", "action": "a", "description": "d"});
    let made = rig.bare("POST", PERMISSIONS).json(body).await.is(201);
    let id = made.body["id"].as_str().unwrap();
    let grant = format!("{PERMISSIONS}/{id}/grant");
    let foreign = rig.bare("POST", &grant).header("sec-fetch-site", "cross-site").send().await;
    foreign.is_mix(401, "unauthorized");
    assert_eq!(rig.bare("POST", &grant).send().await.is(200).body["granted"], true);
    let told = rig.bare("GET", &format!("{PERMISSIONS}/{id}")).send().await.is(200);
    assert_eq!(told.body["decidedBy"], "system:mix-approver");
    rig.bare("GET", "/api/v1/keys").send().await.is_problem(401, "unauthorized");
}
