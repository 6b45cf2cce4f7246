//! Webhooks, against a receiver on this machine.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use grantd_node::realm::webhook::Retries;
use grantd_server::webhook::WebhookSettings;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use grantd_testkit::ledger::source::Source;
use grantd_testkit::ledger::store::{Append, Appended, SecretWrite, Store as _};

use crate::support::{Rig, Setup};

/// A message as it came.
#[derive(Debug, Clone)]
struct Seen {
    id: String,
    timestamp: i64,
    signature: String,
    body: Value,
}

#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// What is answered, in order; after that 204.
    answers: Arc<Mutex<VecDeque<Response>>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert!(header("user-agent").starts_with("grantd/"));
    receiver.seen.lock().unwrap().push(Seen {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        body: serde_json::from_slice(&body).unwrap(),
    });
    receiver.answers.lock().unwrap().pop_front().unwrap_or_else(|| StatusCode::NO_CONTENT.into_response())
}

impl Receiver {
    /// Where it is.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks?of=a", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(self.clone());
        tokio::spawn(async move { axum_serve(listener, router).await });
        url
    }

    fn answers(&self, answers: impl IntoIterator<Item = Response>) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    async fn until(&self, count: usize) -> Vec<Seen> {
        eventually(async || Some(self.seen()).filter(|seen| seen.len() >= count)).await
    }
}

/// One connection after the other is enough for a receiver, and each has one request.
async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let _hung_up = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

async fn eventually<T>(mut found: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = found().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing within ten seconds");
}

fn private(waits: &[i64]) -> Setup {
    let webhooks =
        WebhookSettings { allow_private: true, retries: Retries::new(waits), ..WebhookSettings::default() };
    Setup { webhooks, ..Setup::default() }
}

async fn make(rig: &Rig, url: &str, events: &[&str]) -> String {
    let made = rig.call("POST", "/api/v1/webhooks").json(json!({"url": url, "events": events})).await.is(201);
    assert!(made.body["secret"].as_str().unwrap().starts_with("whsec_"));
    made.body["id"].as_str().unwrap().to_owned()
}

async fn ping(rig: &Rig, id: &str) -> String {
    let sent = rig.call("POST", &format!("/api/v1/webhooks/{id}/test")).send().await.is(202);
    sent.body["id"].as_str().unwrap().to_owned()
}

async fn deliveries(rig: &Rig, id: &str) -> Vec<Value> {
    let list = rig.call("GET", &format!("/api/v1/webhooks/{id}/deliveries")).send().await.is(200);
    list.body["items"].as_array().unwrap().clone()
}

/// The first delivery that has this status.
async fn delivery(rig: &Rig, id: &str, status: &str) -> Value {
    let found = async || deliveries(rig, id).await.into_iter().find(|one| one["status"] == status);
    eventually(found).await
}

async fn ask(rig: &Rig, key: &str) -> String {
    let body = json!({"tool": "Bash", "action": "Runs", "params": {"command": "secret-in-params"}});
    rig.with(key, "POST", "/api/v1/requests").json(body).await.is(201).body["id"].as_str().unwrap().into()
}

#[tokio::test]
async fn a_request_is_told_with_a_link_to_the_inbox() {
    let rig = Rig::set_up(Setup { public_url: Some("https://grantd.example/g"), ..private(&[1]) }).await;
    let receiver = Receiver::default();
    make(&rig, &receiver.start().await, &[]).await;
    let (asker, decider) = (rig.key(&["requester"]).await, rig.key(&["approver"]).await);
    let id = ask(&rig, &asker).await;
    let decide = format!("/api/v1/requests/{id}/decision");
    receiver.until(1).await;
    let body = json!({"decision": "approve", "reason": "fine"});
    rig.with(&decider, "POST", &decide).json(body).await.is(200);
    let seen = receiver.until(2).await;
    assert_eq!(
        (&seen[0].body["type"], &seen[1].body["type"]),
        (&json!("request.created"), &json!("request.decided"))
    );
    let (made, decided) = (&seen[0].body["data"], &seen[1].body["data"]);
    assert_eq!(made["url"], format!("https://grantd.example/g/inbox/{id}"));
    assert_eq!((&made["request"]["status"], &made["request"]["action"]), (&json!("pending"), &json!("Runs")));
    assert_eq!(
        (&decided["request"]["status"], &decided["request"]["reason"]),
        (&json!("approved"), &json!("fine"))
    );
    assert!(seen.iter().all(|seen| !seen.body.to_string().contains("secret-in-params")));
    assert!(seen.iter().all(|seen| seen.id.starts_with("msg_") && seen.signature.starts_with("v1,")));
    assert_eq!(seen[0].timestamp, rig.clock.now() / 1_000_000);
}

#[tokio::test]
async fn another_realms_link_leads_into_it() {
    let rig = Rig::set_up(Setup { public_url: Some("https://grantd.example"), ..private(&[1]) }).await;
    rig.create_realm("other").await;
    let receiver = Receiver::default();
    let body = json!({"url": receiver.start().await});
    rig.call("POST", "/r/other/api/v1/webhooks").json(body).await.is(201);
    let asked = json!({"tool": "Bash", "action": "Runs"});
    let id = rig.call("POST", "/r/other/api/v1/requests").json(asked).await.is(201).body["id"].clone();
    let seen = receiver.until(1).await;
    let link = format!("https://grantd.example/r/other/inbox/{}", id.as_str().unwrap());
    assert_eq!(seen[0].body["data"]["url"], link);
    assert_eq!(seen[0].body["data"]["realm"], "other");
}

#[tokio::test]
async fn a_failure_is_tried_again_under_the_same_id() {
    let rig = Rig::set_up(private(&[0, 0])).await;
    let receiver = Receiver::default();
    let elsewhere = [("location", "http://127.0.0.1:9/")];
    receiver.answers([
        StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        (StatusCode::FOUND, elsewhere).into_response(),
    ]);
    let id = make(&rig, &receiver.start().await, &[]).await;
    let message = ping(&rig, &id).await;
    let seen = receiver.until(3).await;
    assert!(seen.iter().all(|seen| seen.id == message && seen.body == seen.body), "{seen:?}");
    let ended = delivery(&rig, &id, "delivered").await;
    assert_eq!(
        (&ended["attempts"], &ended["last_status"], &ended["type"]),
        (&json!(3), &json!(204), &json!("ping"))
    );
}

#[tokio::test]
async fn what_fails_too_often_is_dead() {
    let rig = Rig::set_up(private(&[0])).await;
    let receiver = Receiver::default();
    receiver.answers((0..2).map(|_| StatusCode::FOUND.into_response()));
    let id = make(&rig, &receiver.start().await, &[]).await;
    ping(&rig, &id).await;
    let dead = delivery(&rig, &id, "dead").await;
    assert_eq!((&dead["attempts"], &dead["last_problem"]), (&json!(2), &json!("redirects are not followed")));
    assert_eq!(dead["next_attempt_at"], Value::Null);
    assert_eq!(receiver.seen().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone() {
    let rig = Rig::set_up(private(&[0, 0, 0])).await;
    let receiver = Receiver::default();
    receiver.answers([StatusCode::GONE.into_response()]);
    let id = make(&rig, &receiver.start().await, &[]).await;
    ping(&rig, &id).await;
    assert_eq!(delivery(&rig, &id, "dead").await["last_status"], 410);
    let path = format!("/api/v1/webhooks/{id}");
    eventually(async || (rig.call("GET", &path).send().await.body["enabled"] == false).then_some(())).await;
    rig.call("POST", &format!("{path}/test")).send().await.is(400);
    // Enabled again it is told of what happens from then on.
    rig.call("PATCH", &path).json(json!({"enabled": true})).await.is(200);
    ping(&rig, &id).await;
    assert_eq!(receiver.until(2).await.len(), 2);
}

#[tokio::test]
async fn a_receiver_says_when_to_come_back() {
    let rig = Rig::set_up(private(&[1_000_000])).await;
    let receiver = Receiver::default();
    let later = [("retry-after", "3600")];
    receiver.answers([(StatusCode::TOO_MANY_REQUESTS, later).into_response()]);
    let id = make(&rig, &receiver.start().await, &[]).await;
    ping(&rig, &id).await;
    let found = async || deliveries(&rig, &id).await.into_iter().find(|one| one["attempts"] == 1);
    let waiting = eventually(found).await;
    assert_eq!(waiting["next_attempt_at"], "2026-01-01T01:00:00Z", "{waiting}");
}

#[tokio::test]
async fn what_waits_is_sent_after_a_restart() {
    let public_url = Some("https://grantd.example");
    let rig = Rig::set_up(Setup { public_url, ..private(&[60_000_000]) }).await;
    let receiver = Receiver::default();
    receiver.answers([StatusCode::SERVICE_UNAVAILABLE.into_response()]);
    let id = make(&rig, &receiver.start().await, &["request.created"]).await;
    let asker = rig.key(&["requester"]).await;
    let request = ask(&rig, &asker).await;
    eventually(async || (deliveries(&rig, &id).await[0]["attempts"] == 1).then_some(())).await;
    rig.clock.advance(73_000_000);
    let _another = rig.another().await;
    let seen = receiver.until(2).await;
    assert_eq!((&seen[0].id, &seen[0].body), (&seen[1].id, &seen[1].body));
    assert!(seen[1].timestamp >= seen[0].timestamp + 73, "each attempt has a time of its own");
    assert_eq!(seen[1].body["data"]["request"]["id"], request);
}

#[tokio::test]
async fn of_several_nodes_one_delivers() {
    let rig = Rig::set_up(Setup { shared: true, ..private(&[60_000_000]) }).await;
    let receiver = Receiver::default();
    let id = make(&rig, &receiver.start().await, &[]).await;
    let another = rig.another().await;
    for _ in 0..10 {
        ping(&rig, &id).await;
        ping(&another, &id).await;
    }
    receiver.until(20).await;
    let nothing_waits = async || {
        let waiting =
            deliveries(&rig, &id).await.into_iter().filter(|one| one["status"] == "pending").count();
        (waiting == 0).then_some(())
    };
    eventually(nothing_waits).await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    receiver.seen().into_iter().for_each(|seen| *times.entry(seen.id).or_default() += 1);
    assert_eq!(times.len(), 20);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

/// A node that sends what another one put there has not seen the entry yet: it looks, so that nothing is missing.
#[tokio::test]
async fn texts_are_there_on_a_node_that_is_behind() {
    let rig = Rig::set_up(Setup { shared: true, ..private(&[60_000_000]) }).await;
    let receiver = Receiver::default();
    let id = make(&rig, &receiver.start().await, &["request.created"]).await;
    let another = rig.another().await;
    let asker = rig.key(&["requester"]).await;
    // The receiver keeps the first node busy, so that the other one gets some.
    for _ in 0..10 {
        ask(&rig, &asker).await;
        ping(&another, &id).await;
    }
    let seen = receiver.until(20).await;
    let told = seen.iter().filter(|seen| seen.body["type"] == "request.created");
    assert!(told.clone().all(|seen| seen.body["data"]["request"]["action"] == "Runs"), "{seen:?}");
    assert_eq!(told.count(), 10);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_harms_no_other_one() {
    let rig = Rig::set_up(private(&[60_000_000])).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = make(&rig, &format!("http://{}", silent.local_addr().unwrap()), &[]).await;
    let receiver = Receiver::default();
    let id = make(&rig, &receiver.start().await, &[]).await;
    for _ in 0..10 {
        ping(&rig, &dead).await;
        ping(&rig, &id).await;
    }
    assert_eq!(receiver.until(10).await.len(), 10);
    assert!(deliveries(&rig, &dead).await.iter().all(|one| one["status"] == "pending"));
}

#[tokio::test]
async fn a_queue_has_a_bound() {
    let mut setup = private(&[600_000_000]);
    setup.webhooks.queue = 40;
    let rig = Rig::set_up(setup).await;
    let receiver = Receiver::default();
    receiver.answers((0..200).map(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()));
    let id = make(&rig, &receiver.start().await, &[]).await;
    for _ in 0..60 {
        ping(&rig, &id).await;
    }
    let metric = async || {
        let text = rig.bare("GET", "/metrics").send().await.text;
        let line = text.lines().find_map(|line| line.strip_prefix("grantd_webhook_dropped_total "))?;
        line.parse::<u64>().ok().filter(|dropped| *dropped > 0)
    };
    rig.clock.advance(1);
    eventually(async || {
        ping(&rig, &id).await;
        metric().await
    })
    .await;
}

#[tokio::test]
async fn private_addresses_are_refused_unless_allowed() {
    let rig = Rig::new().await;
    let mut seen = Vec::new();
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1",
        "https://[::1]:8443",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data",
        "https://a:b@example.com",
        "https://example.com:22",
        "nonsense",
    ] {
        let refused = rig.call("POST", "/api/v1/webhooks").json(json!({"url": url})).await.is(400);
        assert_eq!(
            (&refused.body["code"], &refused.body["field"]),
            (&json!("invalid_request"), &json!("url")),
            "{url}"
        );
        seen.push(refused.body["detail"].as_str().unwrap().to_owned());
    }
    // A name is judged by what it leads to, when it is connected to.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let id = make(&rig, &format!("https://localhost:{}/", listener.local_addr().unwrap().port()), &[]).await;
    ping(&rig, &id).await;
    let found = async || deliveries(&rig, &id).await.into_iter().find(|one| one["attempts"] == 1);
    let waiting = eventually(found).await;
    assert!(waiting["last_problem"].as_str().unwrap().contains("no public address"), "{waiting}");
    let called = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(called.is_err(), "nobody came");
    // Nor is an address changed behind the back of that.
    let path = format!("/api/v1/webhooks/{id}");
    rig.call("PATCH", &path).json(json!({"url": "https://192.168.0.1/"})).await.is(400);
}

#[tokio::test]
async fn webhooks_are_an_administrators() {
    let rig = Rig::new().await;
    let (operator, auditor) = (rig.key(&["operator"]).await, rig.key(&["auditor"]).await);
    let body = json!({"url": "https://example.com/", "events": ["request.created"], "description": "ours"});
    rig.with(&operator, "POST", "/api/v1/webhooks").json(body.clone()).await.is(403);
    let made = rig.call("POST", "/api/v1/webhooks").json(body).await.is(201).body;
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/v1/webhooks/{id}");
    for (method, rest) in
        [("GET", ""), ("DELETE", ""), ("POST", "/secret"), ("POST", "/test"), ("GET", "/deliveries")]
    {
        rig.with(&operator, method, &format!("{path}{rest}")).send().await.is(403);
    }
    let read = rig.with(&auditor, "GET", &path).send().await.is(200).body;
    assert_eq!(read["secret"], Value::Null);
    assert_eq!(
        (&read["url"], &read["events"]),
        (&json!("https://example.com/"), &json!(["request.created"]))
    );
    let list = rig.with(&auditor, "GET", "/api/v1/webhooks").send().await.is(200).body;
    assert_eq!(list["items"], json!([read]));
    rig.with(&auditor, "POST", &format!("{path}/secret")).send().await.is(403);

    let rotated = rig.call("POST", &format!("{path}/secret")).send().await.is(200).body;
    assert_ne!(rotated["secret"], made["secret"]);
    assert_eq!(rotated["previous_secret_until"], "2026-01-02T00:00:00Z");
    let changed = json!({"events": [], "description": null, "enabled": false});
    let changed = rig.call("PATCH", &path).json(changed).await.is(200).body;
    assert_eq!(
        (&changed["events"], &changed["description"], &changed["enabled"], &changed["previous_secret_until"]),
        (&json!([]), &Value::Null, &json!(false), &rotated["previous_secret_until"])
    );
    for wrong in [json!({"events": ["request.*"]}), json!({"events": ["ping"]}), json!({"enabled": 1})] {
        rig.call("PATCH", &path).json(wrong).await.is(400);
    }
    rig.call("DELETE", &path).send().await.is(200);
    for missing in [path.as_str(), "/api/v1/webhooks/x"] {
        rig.call("GET", missing).send().await.is(404);
    }
    // Neither the ledger nor the answers to anybody else hold a secret.
    let ledger = rig.with(&auditor, "GET", "/api/v1/ledger?limit=1000").send().await.is(200);
    assert!(ledger.text.contains("webhook_secret_rotated") && !ledger.text.contains("whsec_"));
}

#[tokio::test]
async fn a_deleted_webhook_takes_its_queue_along() {
    let rig = Rig::set_up(private(&[600_000_000])).await;
    let receiver = Receiver::default();
    receiver.answers((0..3).map(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()));
    let id = make(&rig, &receiver.start().await, &[]).await;
    for _ in 0..3 {
        ping(&rig, &id).await;
    }
    receiver.until(3).await;
    rig.call("DELETE", &format!("/api/v1/webhooks/{id}")).send().await.is(200);
    let realm = rig.node.realm("default").await.unwrap();
    let left = async || {
        let rows = realm.rows("webhook_delivery", b"", rig.clock.now(), 10).await.unwrap();
        rows.is_empty().then_some(())
    };
    eventually(left).await;
}

#[tokio::test]
async fn a_lost_secret_does_not_keep_the_next_one_from_signing() {
    let rig = Rig::set_up(private(&[600_000_000])).await;
    let receiver = Receiver::default();
    let id = make(&rig, &receiver.start().await, &[]).await;
    // As `grantd admin reseal --forget-lost` does after the loss of the master key.
    let lost = rig.store.secrets().await.unwrap().into_iter().find(|(_, secret)| secret.name.contains(&id));
    let mut append = Append::on("default", rig.store.head("default").await.unwrap());
    append.secrets.push(SecretWrite::Delete(lost.unwrap().1.name));
    assert!(matches!(rig.store.append(append).await, Appended::Durable(_)));
    rig.call("POST", &format!("/api/v1/webhooks/{id}/secret")).send().await.is(200);
    ping(&rig, &id).await;
    receiver.until(1).await;
    let seen = receiver.seen.lock().unwrap().clone();
    assert_eq!(seen[0].signature.split(' ').count(), 1, "{seen:?}");
}
