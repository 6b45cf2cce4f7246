//! Realms made and deleted, also on a store that nodes share, and after interruptions.

use grantd_ledger::entry::CONTINUED;
use grantd_ledger::source::Source;
use grantd_ledger::store::{Store as _, StoreError};
use grantd_node::offline::verify;
use grantd_node::realm::realms::{DEFAULT, SYSTEM};
use grantd_node::realm::{Caller, builtin};
use grantd_node::{LoadError, Node, RealmChange, RealmError, SubmitError};
use grantd_testkit::faulty_store::Fault;

use crate::support::{Rig, does, request, user};

async fn rig(shared: bool) -> Rig {
    let rig = if shared { Rig::shared().await } else { Rig::new().await };
    rig.create(SYSTEM).await;
    rig
}

fn change(name: &str) -> RealmChange {
    let caller = Caller::system("test");
    RealmChange {
        name: name.into(),
        on_system: caller.clone(),
        on_realm: caller,
        via: "test",
        reason: Some("because".into()),
        idempotency: None,
    }
}

async fn is_gone(node: &Node, name: &str) -> bool {
    matches!(node.realm(name).await, Err(LoadError::Store(StoreError::NoLedger(_))))
}

fn refusal(outcome: Result<(), RealmError>) -> &'static str {
    match outcome {
        Err(RealmError::Submit(SubmitError::Refused(refusal))) => refusal.code(),
        other => panic!("not refused: {other:?}"),
    }
}

async fn make(node: &Node, name: &str) -> Result<(), RealmError> {
    node.create_realm(&change(name)).await.map(|_| ())
}

#[tokio::test]
async fn a_realm_made_again_goes_on_in_the_same_ledger_under_another_id() {
    let rig = rig(false).await;
    let node = rig.node();
    make(&node, "acme").await.unwrap();
    let realm = node.realm("acme").await.unwrap();
    does(&realm, user("ann")).await;
    let first = realm.published().head;
    assert_eq!(refusal(make(&node, "acme").await), "already_exists");
    node.delete_realm(&change("acme")).await.unwrap();
    assert!(is_gone(&node, "acme").await);
    assert!(node.loaded_realm("acme").is_none());
    assert_eq!(refusal(node.delete_realm(&change("acme")).await), "not_found");
    assert!(is_gone(&rig.node(), "acme").await, "nor does a node find it that starts now");
    let late = realm.submit(request(user("late"))).await;
    assert!(matches!(late, Err(SubmitError::Refused(refusal)) if refusal.code() == "unknown_realm"));

    make(&node, "acme").await.unwrap();
    for node in [&node, &rig.node()] {
        let again = node.realm("acme").await.unwrap().published();
        assert_ne!(again.head.ledger_id, first.ledger_id);
        assert_eq!(again.head.revision, first.revision + 2);
        assert_eq!(again.state.users().iter_after(None).count(), 0);
        assert!(node.realm(SYSTEM).await.unwrap().published().state.realms().contains("acme"));
    }
    does(&node.realm("acme").await.unwrap(), user("ann")).await;
    let entries = rig.store.entries("acme", 0, 100).await.unwrap();
    let begins_anew = &entries[usize::try_from(first.revision).unwrap() + 1].entry;
    assert_eq!(begins_anew.changes[0].kind, CONTINUED);
    assert!(begins_anew.reason.is_some());
    let verified = verify(&*rig.store, "acme", builtin::schema().unwrap(), &[]).await.unwrap();
    assert!(verified.problem.is_none());
}

#[tokio::test]
async fn another_node_on_the_same_store_sees_each_step() {
    let rig = rig(true).await;
    let (one, other) = (rig.node(), rig.node());
    make(&one, "acme").await.unwrap();
    let seen = other.realm("acme").await.unwrap();
    one.delete_realm(&change("acme")).await.unwrap();
    // It is behind until it looks, as with every change.
    seen.catch_up().await.unwrap();
    assert!(is_gone(&other, "acme").await);
    make(&one, "acme").await.unwrap();
    assert!(!is_gone(&other, "acme").await, "what seems gone is looked for at the head");
    let heads = [&one, &other].map(|node| async { node.realm("acme").await.unwrap().published().head });
    let [a, b] = heads;
    assert_eq!(a.await, b.await);
    other.delete_realm(&change("acme")).await.unwrap();
    one.realm("acme").await.ok();
    make(&other, "acme").await.unwrap();
    assert!(!is_gone(&one, "acme").await);
}

/// The list and the realm are two ledgers: between the two steps anything may happen.
#[tokio::test]
async fn what_was_interrupted_is_finished_by_the_same_call() {
    let rig = rig(false).await;
    let node = rig.node();
    node.realm(SYSTEM).await.unwrap();
    let full = || Fault::Rejected(StoreError::Full("scripted".into()));
    rig.store.on_append(rig.store.appends() + 1, full());
    assert!(make(&node, "acme").await.is_err(), "listed, and not made");
    make(&node, "acme").await.unwrap();
    assert_eq!(refusal(make(&node, "acme").await), "already_exists");
    rig.store.on_append(rig.store.appends() + 1, full());
    assert!(node.delete_realm(&change("acme")).await.is_err(), "deleted, and still listed");
    assert!(is_gone(&node, "acme").await);
    let listed = async || node.realm(SYSTEM).await.unwrap().published().state.realms().contains("acme");
    assert!(listed().await);
    node.delete_realm(&change("acme")).await.unwrap();
    assert!(!listed().await);
    rig.store.on_append(rig.store.appends() + 1, full());
    assert!(make(&node, "acme").await.is_err(), "listed, and not begun anew");
    make(&node, "acme").await.unwrap();
    assert!(!is_gone(&node, "acme").await);
}

#[tokio::test]
async fn beginning_anew_meets_a_conflict_or_an_unknown_fate() {
    let rig = rig(false).await;
    let node = rig.node();
    for fault in [Fault::Conflict, Fault::UnknownWritten, Fault::UnknownNotWritten] {
        make(&node, "acme").await.unwrap();
        node.delete_realm(&change("acme")).await.unwrap();
        rig.store.on_append(rig.store.appends() + 1, fault);
        if make(&node, "acme").await.is_err() {
            // Whoever makes it again finds it made, or makes it.
            let _ = make(&node, "acme").await;
        }
        does(&node.realm("acme").await.unwrap(), user("ann")).await;
        node.delete_realm(&change("acme")).await.unwrap();
    }
}

#[tokio::test]
async fn what_every_store_has_is_neither_made_nor_deleted() {
    let rig = rig(false).await;
    let node = rig.node();
    for name in [SYSTEM, DEFAULT] {
        assert_eq!(refusal(make(&node, name).await), "already_exists");
        assert_eq!(refusal(node.delete_realm(&change(name)).await), "invalid_request");
    }
}

#[tokio::test]
async fn the_passwords_of_a_deleted_realm_are_forgotten() {
    let rig = rig(false).await;
    let node = rig.node();
    make(&node, "acme").await.unwrap();
    let with_password = grantd_node::realm::user::CreateUser {
        password: Some(grantd_node::realm::command::Secret("$argon2id$".into())),
        ..user("ann")
    };
    does(&node.realm("acme").await.unwrap(), with_password).await;
    let secrets =
        async || rig.store.secrets().await.unwrap().iter().filter(|(realm, _)| realm == "acme").count();
    assert_eq!(secrets().await, 1);
    node.delete_realm(&change("acme")).await.unwrap();
    assert_eq!(secrets().await, 0);
    let (meta, bytes) = rig.store.snapshot("acme").await.unwrap().expect("one of the state after");
    assert_eq!(meta.revision, rig.store.head("acme").await.unwrap().revision);
    assert!(!bytes.windows(3).any(|part| part == b"ann"));
}
