//! From a store to a state.

use futures::future::join_all;
use grantd_ledger::entry::Hash;
use grantd_ledger::source::Source;
use grantd_ledger::store::{SnapshotMeta, Store as _, StoreError};
use grantd_node::realm::engine::{Object, Properties, Relationship};
use grantd_node::realm::entity::PutEntity;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::relationship::WriteRelationships;
use grantd_node::{LoadError, SubmitError};

use crate::support::{Rig, does, request, user};

/// More entries than a node leaves without a snapshot when it stops.
async fn with_a_long_ledger() -> Rig {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let logins: Vec<String> = (0..1_050).map(|n| format!("u{n}")).collect();
    for done in join_all(logins.iter().map(|login| realm.submit(request(user(login))))).await {
        done.unwrap();
    }
    rig
}

/// Keeps a snapshot as a node does when it stops, without closing the store.
async fn with_a_snapshot() -> (Rig, SnapshotMeta, Vec<u8>) {
    let rig = with_a_long_ledger().await;
    let published = rig.realm().await.published();
    let bytes = published.state.to_snapshot();
    let meta = SnapshotMeta {
        format: grantd_node::realm::snapshot::FORMAT,
        revision: published.head.revision,
        head_hash: published.head.hash,
        state_hash: Hash(published.state.hash()),
        length: bytes.len() as u64,
    };
    rig.store.put_snapshot(DEFAULT, &meta, &bytes).await.unwrap();
    (rig, meta, bytes)
}

#[tokio::test]
async fn from_a_snapshot_and_the_rest_as_from_scratch() {
    let rig = with_a_long_ledger().await;
    let scratch = rig.realm().await.published();
    let (rig, ..) = {
        let node = rig.node();
        node.realm(DEFAULT).await.unwrap();
        let published = node.realm(DEFAULT).await.unwrap().published();
        let bytes = published.state.to_snapshot();
        let meta = SnapshotMeta {
            format: grantd_node::realm::snapshot::FORMAT,
            revision: published.head.revision,
            head_hash: published.head.hash,
            state_hash: Hash(published.state.hash()),
            length: bytes.len() as u64,
        };
        rig.store.put_snapshot(DEFAULT, &meta, &bytes).await.unwrap();
        (rig, meta, bytes)
    };
    let loaded = rig.realm().await;
    assert_eq!(loaded.published().state.hash(), scratch.state.hash());
    assert_eq!(loaded.published().head, scratch.head);
    does(&loaded, user("ann")).await;
    let again = rig.realm().await;
    assert_eq!(
        again.published().state.hash(),
        loaded.published().state.hash(),
        "snapshot and the entries after it"
    );
    assert_eq!(again.published().head, loaded.published().head);
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_is_thrown_away() {
    let (rig, meta, bytes) = with_a_snapshot().await;
    let expected = rig.realm().await.published().state.hash();
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let shorter = bytes[..bytes.len() - 1].to_vec();
    // Another state, whole and readable, under this one's name; and one with everything of its own but the entry.
    let other = {
        let elsewhere = Rig::new().await;
        elsewhere.realm().await.published().state.clone()
    };
    let others = other.to_snapshot();
    let length = others.len() as u64;
    let foreign =
        SnapshotMeta { length, head_hash: Hash([1; 32]), state_hash: Hash(other.hash()), ..meta.clone() };
    let broken = [
        ("the bytes of another state", SnapshotMeta { length, ..meta.clone() }, others.clone()),
        ("of another ledger, and whole", foreign, others),
        ("another form", SnapshotMeta { format: 9_999, ..meta.clone() }, bytes.clone()),
        ("another ledger", SnapshotMeta { head_hash: Hash([1; 32]), ..meta.clone() }, bytes.clone()),
        ("no such entry", SnapshotMeta { revision: meta.revision + 1, ..meta.clone() }, bytes.clone()),
        ("another state", SnapshotMeta { state_hash: Hash([1; 32]), ..meta.clone() }, bytes),
        ("a changed byte", meta.clone(), damaged),
        ("cut short", SnapshotMeta { length: meta.length - 1, ..meta }, shorter),
    ];
    for (what, meta, bytes) in broken {
        rig.store.put_snapshot(DEFAULT, &meta, &bytes).await.unwrap();
        let published = rig.realm().await.published();
        assert_eq!(published.state.hash(), expected, "{what}");
    }
}

#[tokio::test]
async fn a_realm_that_nobody_made_leaves_nothing_behind() {
    let rig = Rig::new().await;
    let node = rig.node();
    let too_long = "r".repeat(300);
    for name in ["nobody", "NotAName", "a/b", "", &too_long] {
        let outcome = node.realm(name).await.map(|_| ());
        assert!(matches!(outcome, Err(LoadError::Store(StoreError::NoLedger(_)))), "{name:.20}: {outcome:?}");
    }
    assert_eq!(rig.store.realms().await.unwrap(), [DEFAULT]);
    rig.create("nobody").await;
    assert!(node.realm("nobody").await.is_ok(), "once it was made it is found");
}

#[tokio::test]
async fn a_realm_is_loaded_once_however_many_ask() {
    let rig = Rig::new().await;
    let node = rig.node();
    let realms = join_all((0..10).map(|_| node.realm(DEFAULT))).await;
    let first = realms[0].as_ref().unwrap();
    assert!(realms.iter().all(|realm| std::sync::Arc::ptr_eq(realm.as_ref().unwrap(), first)));
}

#[tokio::test]
async fn a_store_that_failed_once_is_asked_again() {
    let rig = Rig::new().await;
    let node = rig.node();
    rig.store.fail_reads(1);
    assert!(matches!(
        node.realm(DEFAULT).await.map(|_| ()),
        Err(LoadError::Store(StoreError::Unavailable(_)))
    ));
    assert!(node.realm(DEFAULT).await.is_ok());
}

/// Properties that make a state so large that it is served before its hash is known.
async fn with_a_large_state() -> Rig {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let properties = format!(r#"{{"a":"{}"}}"#, "x".repeat(60 * 1024)).parse::<Properties>().unwrap();
    for n in 0..80 {
        let object = Object::new("user", &format!("u{n}")).unwrap();
        does(&realm, PutEntity { object, properties: properties.clone() }).await;
    }
    rig
}

#[tokio::test]
async fn a_large_snapshot_is_verified_while_it_is_served() {
    let rig = with_a_large_state().await;
    let good = rig.realm().await.published();
    let bytes = good.state.to_snapshot();
    assert!(bytes.len() > 4 << 20);
    let meta = SnapshotMeta {
        format: grantd_node::realm::snapshot::FORMAT,
        revision: good.head.revision,
        head_hash: good.head.hash,
        state_hash: Hash([1; 32]),
        length: bytes.len() as u64,
    };
    rig.store.put_snapshot(DEFAULT, &meta, &bytes).await.unwrap();
    let node = rig.node();
    let first = node.realm(DEFAULT).await.unwrap();
    for round in 0.. {
        let now = node.realm(DEFAULT).await.unwrap();
        if !std::sync::Arc::ptr_eq(&first, &now) {
            assert_eq!(now.published().state.hash(), good.state.hash(), "made from the ledger");
            does(&now, user("ann")).await;
            break;
        }
        assert!(round < 3_000, "a wrong state is still served");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let late = first.submit(request(user("ben"))).await;
    assert!(matches!(late, Err(SubmitError::Unavailable)), "nothing is decided on a wrong state");
    // Its own snapshot is right, and the next node keeps to it.
    let right = SnapshotMeta { state_hash: Hash(good.state.hash()), ..meta };
    rig.store.put_snapshot(DEFAULT, &right, &bytes).await.unwrap();
    let node = rig.node();
    let first = node.realm(DEFAULT).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(std::sync::Arc::ptr_eq(&first, &node.realm(DEFAULT).await.unwrap()));
}

#[tokio::test]
async fn a_large_graph_is_compacted_while_writing_goes_on() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let relationship = |batch: u32, n: u32| {
        Relationship::lasting(format!("role:r{}#member@user:u{batch}-{n}", n % 7).parse().unwrap())
    };
    for batch in 0..16 {
        let write = (0..10_000).map(|n| relationship(batch, n)).collect();
        does(&realm, WriteRelationships { write, delete: Vec::new(), require: Vec::new() }).await;
    }
    let last = realm.published();
    // With what the realm was made with.
    assert_eq!(last.state.graph().len(), 160_006);
    for round in 0.. {
        if !realm.published().state.needs_compacting() && !realm.published().state.graph().is_folding() {
            break;
        }
        assert!(round < 3_000, "nobody adopted what was folded");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(realm.published().state.hash(), last.state.hash());
    assert_eq!(realm.published().head, last.head);
    does(&realm, user("ann")).await;
}
