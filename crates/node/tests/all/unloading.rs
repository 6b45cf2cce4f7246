//! Realms that nobody uses are unloaded, and there are never two writers of one.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::{Node, Realm};

use crate::support::{Rig, does, user};

const MINUTE: Duration = Duration::from_secs(60);

fn minutes(n: i64) -> i64 {
    n * 60_000_000
}

async fn with_acme() -> (Rig, Arc<Node>) {
    let rig = Rig::new().await;
    rig.create("acme").await;
    let node = Arc::new(rig.node().unload_after(10 * MINUTE));
    (rig, node)
}

/// What upkeep does, so many minutes later.
async fn later(rig: &Rig, node: &Node, by: i64) {
    rig.clock.advance(minutes(by));
    node.upkeep().await;
}

#[tokio::test]
async fn an_idle_realm_goes_and_comes_back_as_it_was() {
    let (rig, node) = with_acme().await;
    does(&node.realm("acme").await.unwrap(), user("ann")).await;
    let before = node.realm("acme").await.unwrap().published().state.hash();
    node.upkeep().await;
    later(&rig, &node, 9).await;
    assert!(node.loaded_realm("acme").is_some(), "that was a use");
    later(&rig, &node, 9).await;
    assert!(node.loaded_realm("acme").is_some(), "since the use before");
    later(&rig, &node, 9).await;
    later(&rig, &node, 10).await;
    assert!(node.loaded_realm("acme").is_none());
    let again = node.realm("acme").await.unwrap();
    assert_eq!(again.published().state.hash(), before);
    does(&again, user("bob")).await;
}

#[tokio::test]
async fn without_the_setting_nothing_goes_and_two_realms_never_do() {
    let (rig, node) = with_acme().await;
    let keeps = rig.node();
    for node in [&*node, &keeps] {
        node.realm("acme").await.unwrap();
        node.realm(DEFAULT).await.unwrap();
        later(&rig, node, 0).await;
        later(&rig, node, 60).await;
    }
    assert!(keeps.loaded_realm("acme").is_some());
    assert!(node.loaded_realm(DEFAULT).is_some());
    assert!(node.loaded_realm("acme").is_none());
}

#[tokio::test]
async fn a_realm_in_use_stays() {
    let (rig, node) = with_acme().await;
    let held = node.realm("acme").await.unwrap();
    later(&rig, &node, 0).await;
    later(&rig, &node, 60).await;
    let same = node.loaded_realm("acme").expect("it is in use");
    assert!(Arc::ptr_eq(&held, &same));
}

#[tokio::test]
async fn the_place_of_an_unloaded_realm_is_free_again() {
    let (rig, node) = with_acme().await;
    for _ in 0..3 {
        does(&node.realm("acme").await.unwrap(), user(&format!("u{}", rig.clock.now()))).await;
        later(&rig, &node, 0).await;
        later(&rig, &node, 60).await;
        assert!(node.loaded_realm("acme").is_none());
    }
}

/// Whoever asks while a realm is being unloaded gets the one that is there or a new one, never a second writer beside the
/// first: two would meet as conflicts in the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_and_unloading_at_the_same_moment() {
    let (rig, node) = with_acme().await;
    let rounds = 40;
    let writers = (0..4).map(|task| {
        let node = node.clone();
        tokio::spawn(async move {
            for round in 0..rounds {
                let realm: Arc<Realm> = node.realm("acme").await.unwrap();
                does(&realm, user(&format!("t{task}-{round}"))).await;
                drop(realm);
                tokio::time::sleep(Duration::from_millis(u64::from(task == round % 4) * 3)).await;
            }
        })
    });
    let unloading = {
        let (node, clock) = (node.clone(), rig.clock.clone());
        tokio::spawn(async move {
            let mut unloaded = 0;
            loop {
                clock.advance(minutes(60));
                node.upkeep().await;
                unloaded += usize::from(node.loaded_realm("acme").is_none());
                if unloaded > 10_000 {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    for task in join_all(writers).await {
        task.unwrap();
    }
    unloading.abort();
    let _ = unloading.await;
    let appends = rig.store.seen();
    let to_acme = appends.iter().filter(|append| append.realm == "acme");
    let entries: usize = to_acme.map(|append| append.drafts.len()).sum();
    assert_eq!(entries, 1 + 4 * rounds, "each append was taken: nobody else wrote");
    let realm = node.realm("acme").await.unwrap();
    assert_eq!(realm.published().head.revision, 1 + 4 * rounds as u64);
    assert_eq!(realm.published().state.users().iter_after(None).count(), 4 * rounds);
}
