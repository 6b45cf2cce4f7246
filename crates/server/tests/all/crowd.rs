//! A role with 100,000 members: to grant to it and to drop it is one entry, and takes no longer than for a small one.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Rig, related};

const MEMBERS: usize = 100_000;

async fn crowd() -> Rig {
    let rig = Rig::new().await;
    rig.call("POST", "/api/v1/roles").json(json!({"key": "crowd"})).await.is(201);
    for part in 0..MEMBERS / 10_000 {
        let member = |n: usize| related(&format!("role:crowd#member@user:u{}", part * 10_000 + n));
        let write: Vec<Value> = (0..10_000).map(member).collect();
        rig.call("POST", "/api/v1/relationships").json(json!({"write": write})).await.is(200);
    }
    rig
}

async fn may_read(rig: &Rig, user: &str) -> bool {
    let question = json!({"subject": user, "action": "read", "resource": "pulp_uri:/x/y/"});
    rig.call("POST", "/api/v1/check").json(question).await.is(200).body["allowed"] == true
}

async fn timed(call: impl Future<Output = Answer>) -> Duration {
    let begun = Instant::now();
    call.await.is(200);
    begun.elapsed()
}

/// Grants to it, revokes, grants again, drops it; gives how long each took.
async fn life(rig: &Rig) -> Vec<(&'static str, Duration)> {
    let key = || vec![related("pulp_uri:/x/#read@role:crowd#member")];
    let write = |body| rig.call("POST", "/api/v1/relationships").json(body);
    let last = format!("user:u{}", MEMBERS - 1);
    let before = rig.revision().await;
    let mut took = Vec::new();
    took.push(("grant", timed(write(json!({"write": key()}))).await));
    assert!(may_read(rig, &last).await, "the next question sees it");
    took.push(("revoke", timed(write(json!({"delete": key()}))).await));
    assert!(!may_read(rig, &last).await);
    write(json!({"write": key()})).await.is(200);
    took.push(("drop", timed(rig.call("DELETE", "/api/v1/roles/crowd").send()).await));
    assert_eq!(rig.revision().await, before + 4, "one entry each");
    assert!(!may_read(rig, &last).await);
    rig.call("POST", "/api/v1/roles").json(json!({"key": "crowd"})).await.is(201);
    let members = rig.call("GET", "/api/v1/roles/crowd/members").send().await.is(200);
    assert_eq!(members.body["items"], json!([]), "made again it is empty");
    took
}

#[tokio::test]
async fn is_granted_to_and_dropped_in_one_entry() {
    life(&crowd().await).await;
}

/// `cargo test --release -p grantd-server --test all -- --ignored --nocapture crowd`
#[tokio::test]
#[ignore = "measures"]
#[allow(clippy::print_stdout, reason = "it tells what it measured")]
async fn takes_less_than_fifty_milliseconds() {
    for round in 0..3 {
        for (what, took) in life(&crowd().await).await {
            println!("round {round}: {what} took {:.2} ms", took.as_secs_f64() * 1_000.0);
            assert!(took < Duration::from_millis(50), "{what}: {took:?}");
        }
    }
}
