//! The store no longer holds what a node has seen in it.

use std::time::Duration;

use grantd_ledger::source::Source;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::{Contradiction, Follow, LoadError, Unready};

use crate::support::{Rig, code, does, request, user};

/// A store that is what it was before `ann`; the nodes that have seen her.
struct Restored {
    rig: Rig,
    node: std::sync::Arc<grantd_node::Node>,
    realm: std::sync::Arc<grantd_node::Realm>,
    seen: u64,
}

/// `since` are made in the store after it was restored.
async fn restored(since: &[&str], poll: Duration) -> Restored {
    let rig = Rig::shared().await;
    let before = rig.copy().await;
    let node = rig.following(Follow { poll, ..Follow::default() }).await;
    let realm = node.realm(DEFAULT).await.unwrap();
    let seen = does(&realm, user("ann")).await.revision;
    rig.store.becomes(before);
    let there = rig.realm().await;
    for login in since {
        does(&there, user(login)).await;
    }
    Restored { rig, node, realm, seen }
}

const NEVER: Duration = Duration::from_secs(3_600);

async fn is_served_no_more(restored: &Restored, expected: Contradiction) {
    let Restored { rig, node, realm, .. } = restored;
    match node.realm(DEFAULT).await.map(|_| ()) {
        Err(LoadError::Contradicted(found)) => assert_eq!(found, expected),
        other => panic!("{other:?}"),
    }
    assert!(node.loaded_realm(DEFAULT).is_none());
    assert_eq!(node.unready(DEFAULT).await, [Unready::Contradiction]);
    // Who holds it from before gets nothing of it either.
    assert_eq!(code(realm.catch_up().await), "contradicted");
    let appends = rig.store.appends();
    assert_eq!(code(realm.submit(request(user("eve"))).await), "contradicted");
    assert_eq!(rig.store.appends(), appends);
    node.upkeep().await;
    assert!(node.realm(DEFAULT).await.is_err(), "not after it was unloaded either");
    does(&rig.node().realm(DEFAULT).await.unwrap(), user("eve")).await;
}

#[tokio::test]
async fn a_ledger_that_is_shorter_is_noticed_by_who_asks_for_its_head() {
    let restored = restored(&[], NEVER).await;
    assert_eq!(restored.node.unready(DEFAULT).await, []);
    assert_eq!(code(restored.realm.catch_up().await), "contradicted");
    let expected = Contradiction::Shorter { here: restored.seen, there: restored.seen - 1 };
    is_served_no_more(&restored, expected).await;
}

#[tokio::test]
async fn it_is_noticed_by_the_follower() {
    // Nothing is made since: it would depend on the moment at which the follower looks what it finds.
    let restored = restored(&[], Duration::from_millis(10)).await;
    for _ in 0..2_000 {
        if restored.realm.is_served().is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let expected = Contradiction::Shorter { here: restored.seen, there: restored.seen - 1 };
    is_served_no_more(&restored, expected).await;
}

#[tokio::test]
async fn it_is_noticed_by_the_writer() {
    let shorter = restored(&[], NEVER).await;
    assert_eq!(code(shorter.realm.submit(request(user("bob"))).await), "contradicted");
    let expected = Contradiction::Shorter { here: shorter.seen, there: shorter.seen - 1 };
    is_served_no_more(&shorter, expected).await;
}

#[tokio::test]
async fn another_entry_in_the_place_of_ours_is_noticed_however_many_follow() {
    for since in [&["bob"][..], &["bob", "carol"], &["bob", "carol", "dan"]] {
        let restored = restored(since, NEVER).await;
        assert_eq!(code(restored.realm.catch_up().await), "contradicted", "{since:?}");
        is_served_no_more(&restored, Contradiction::Other { revision: restored.seen }).await;
    }
}

#[tokio::test]
async fn other_realms_are_served_on() {
    let rig = Rig::shared().await;
    rig.create("other").await;
    let before = rig.copy().await;
    let node = rig.following(Follow { poll: NEVER, ..Follow::default() }).await;
    let (realm, other) = (node.realm(DEFAULT).await.unwrap(), node.realm("other").await.unwrap());
    does(&realm, user("ann")).await;
    rig.store.becomes(before);
    assert_eq!(code(realm.catch_up().await), "contradicted");
    other.catch_up().await.unwrap();
    does(&other, user("ann")).await;
    assert_eq!(node.unready("other").await, [Unready::Contradiction]);
}

#[tokio::test]
async fn a_realm_that_has_no_ledger_any_more_is_one() {
    let rig = Rig::shared().await;
    let before = rig.copy().await;
    rig.create("new").await;
    let node = rig.following(Follow { poll: NEVER, ..Follow::default() }).await;
    let new = node.realm("new").await.unwrap();
    let here = new.published().head.revision;
    rig.store.becomes(before);
    assert_eq!(code(new.catch_up().await), "contradicted");
    match node.realm("new").await.map(|_| ()) {
        Err(LoadError::Contradicted(found)) => assert_eq!(found, Contradiction::Gone { here }),
        other => panic!("{other:?}"),
    }
    assert!(rig.store.head("new").await.is_err());
}

#[tokio::test]
async fn a_connection_to_a_server_that_is_none_any_more_is_no_contradiction() {
    let rig = Rig::shared().await;
    let node = rig.following(Follow { poll: NEVER, ..Follow::default() }).await;
    let realm = node.realm(DEFAULT).await.unwrap();
    let before = rig.copy().await;
    does(&realm, user("ann")).await;
    let after = rig.copy().await;
    rig.store.becomes(before);
    rig.store.becomes_when_reopened(after);
    realm.catch_up().await.unwrap();
    does(&realm, user("bob")).await;
    assert_eq!(node.unready(DEFAULT).await, []);
}
