//! Waiting for requests: who waits is woken at once, by this node's writes and by others', and nobody else is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grantd_ledger::store::StoreError;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::{Actor, Authorities};
use grantd_node::realm::request::{CreateRequest, DecideRequest, Decider, NewRequest, Status, Verdict};
use grantd_node::{Realm, Request, Subject};
use grantd_testkit::faulty_store::Fault;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{Rig, does, request};

const SECOND: i64 = 1_000_000;
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

async fn ask(realm: &Realm, session: &str, seconds: i64) -> Uuid {
    let new = NewRequest {
        session: session.into(),
        tool: "Bash".into(),
        action: "Run".into(),
        description: String::new(),
        params: String::new(),
        path: None,
        parent_tool_call: None,
        timeout: seconds * SECOND,
    };
    let agent = Caller { actor: Actor::SystemKey(Uuid::from_u128(1)), conferred: Some(Authorities::all()) };
    let asked = Request { caller: agent, ..request(CreateRequest::new(new).unwrap()) };
    realm.submit(asked).await.unwrap().answer
}

fn grant(id: Uuid) -> DecideRequest {
    DecideRequest { id, verdict: Verdict::GRANT, reason: None, remember: None }
}

fn status(realm: &Realm, id: Uuid) -> Status {
    realm.published().state.requests().get(id).unwrap().status
}

#[tokio::test]
async fn a_decision_wakes_who_waits_for_it() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let (id, other) = (ask(&realm, "s", 3_600).await, ask(&realm, "s", 3_600).await);
    let waiting = |id| {
        let realm = realm.clone();
        tokio::spawn(async move { realm.request_settled(id, LONG).await })
    };
    let waiters: Vec<_> = (0..10).map(|_| waiting(id)).collect();
    let others = waiting(other);
    tokio::time::sleep(SHORT).await;
    let begun = Instant::now();
    does(&realm, grant(id)).await;
    for waiter in waiters {
        let published = timeout(LONG, waiter).await.unwrap().unwrap();
        assert_eq!(published.state.requests().get(id).unwrap().status, Status::Granted);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!others.is_finished(), "nobody else is woken");
    others.abort();
    // Who comes later is answered at once.
    timeout(SHORT * 10, realm.request_settled(id, LONG)).await.unwrap();
    // And so is who waits for what is not there.
    timeout(SHORT * 10, realm.request_settled(Uuid::from_u128(9), LONG)).await.unwrap();
    // Patience has an end.
    let published = timeout(LONG, realm.request_settled(other, SHORT)).await.unwrap();
    assert_eq!(published.state.requests().get(other).unwrap().status, Status::Pending);
}

#[tokio::test]
async fn a_decision_on_another_node_arrives() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let id = ask(&here, "s", 3_600).await;
    let waiter = {
        let here = here.clone();
        tokio::spawn(async move { here.request_settled(id, LONG).await })
    };
    there.catch_up().await.unwrap();
    does(&there, grant(id)).await;
    here.catch_up().await.unwrap();
    let published = timeout(LONG, waiter).await.unwrap().unwrap();
    assert_eq!(published.state.requests().get(id).unwrap().status, Status::Granted);
}

#[tokio::test]
async fn followers_hear_of_their_session_alone() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    ask(&realm, "s", 3_600).await;
    ask(&realm, "t", 3_600).await;
    let follow = |subject| realm.follow(subject);
    let (mut s, mut t, mut all) =
        (follow(Subject::Session("s".into())), follow(Subject::Session("t".into())), follow(Subject::All));
    // Whatever was there before is no news.
    tokio::time::sleep(SHORT).await;
    let id = ask(&realm, "s", 3_600).await;
    assert!(timeout(LONG, s.changed()).await.unwrap());
    assert!(timeout(LONG, all.changed()).await.unwrap());
    assert!(timeout(SHORT, t.changed()).await.is_err());
    does(&realm, grant(id)).await;
    assert!(timeout(LONG, s.changed()).await.unwrap());
    assert!(timeout(SHORT, t.changed()).await.is_err());
    // Two that come before somebody looks are one piece of news.
    ask(&realm, "t", 3_600).await;
    ask(&realm, "t", 3_600).await;
    tokio::time::sleep(SHORT).await;
    assert!(timeout(LONG, t.changed()).await.unwrap());
    assert!(timeout(SHORT, t.changed()).await.is_err());
}

#[tokio::test]
async fn what_is_over_is_put_on_record() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let (id, later) = (ask(&realm, "s", 60).await, ask(&realm, "s", 3_600).await);
    rig.clock.advance(60 * SECOND);
    // The timer looks at the clock again when something is published.
    ask(&realm, "t", 3_600).await;
    let begun = Instant::now();
    while status(&realm, id) != Status::Expired {
        assert!(begun.elapsed() < LONG, "no entry says that it is over");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let published = realm.published();
    let request = published.state.requests().get(id).unwrap();
    assert_eq!(request.decided_by, Some(Decider::Timeout));
    assert_eq!(status(&realm, later), Status::Pending);
    let last = rig.ledger().await.pop().unwrap();
    assert_eq!((last.entry.actor.as_str(), last.entry.via.as_str()), ("system:expiry", "expiry"));
}

#[tokio::test]
async fn who_waits_is_told_in_time_though_nothing_can_be_written() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let id = ask(&realm, "s", 1).await;
    let next = rig.store.appends();
    for index in next..next + 100 {
        rig.store.on_append(index, Fault::Rejected(StoreError::Unavailable("full".into())));
    }
    let clock = rig.clock.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        clock.advance(2 * SECOND);
    });
    let published = timeout(LONG, realm.request_settled(id, LONG)).await.unwrap();
    let request = published.state.requests().get(id).unwrap();
    assert_eq!(request.status_at(rig.clock.now()), Status::Expired);
}

#[tokio::test]
async fn pending_requests_survive_a_restart_and_are_decided_once() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let id = ask(&realm, "s", 3_600).await;
    drop(realm);
    let realm = rig.realm().await;
    assert_eq!(status(&realm, id), Status::Pending);
    let waiter = {
        let realm = realm.clone();
        tokio::spawn(async move { realm.request_settled(id, LONG).await })
    };
    let both = {
        let deny = DecideRequest { verdict: Verdict::Deny, ..grant(id) };
        let (one, two): (Arc<Realm>, Arc<Realm>) = (realm.clone(), realm.clone());
        tokio::join!(one.submit(request(grant(id))), two.submit(request(deny)))
    };
    assert!(both.0.is_ok() != both.1.is_ok(), "one of two that contradict each other");
    let published = timeout(LONG, waiter).await.unwrap().unwrap();
    let wanted = if both.0.is_ok() { Status::Granted } else { Status::Denied };
    assert_eq!(published.state.requests().get(id).unwrap().status, wanted);
}
