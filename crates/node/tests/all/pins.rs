//! States that are kept for later pages.

use grantd_node::realm::realms::DEFAULT;

use crate::support::{A_DAY_AND_AN_HOUR, Rig, does, user};

#[tokio::test]
async fn a_pinned_state_stays_as_it_was_until_its_time_is_over() {
    let rig = Rig::new().await;
    let node = rig.node();
    let realm = node.realm(DEFAULT).await.unwrap();
    does(&realm, user("ann")).await;
    let first = realm.published();
    let revision = first.head.revision;
    realm.pin(first, node.now() + A_DAY_AND_AN_HOUR);
    does(&realm, user("ben")).await;
    let kept = realm.at(revision).unwrap();
    assert!(kept.state.users().get("ann").is_some() && kept.state.users().get("ben").is_none());
    assert_eq!(
        realm.at(revision + 1).unwrap().head,
        realm.published().head,
        "the published one is always there"
    );
    assert!(realm.at(revision + 2).is_none());
    node.upkeep().await;
    assert!(realm.at(revision).is_some());
    rig.clock.advance(A_DAY_AND_AN_HOUR);
    node.upkeep().await;
    assert!(realm.at(revision).is_none());
}

#[tokio::test]
async fn the_one_that_was_not_asked_for_longest_is_crowded_out() {
    let rig = Rig::new().await;
    let node = rig.node();
    let realm = node.realm(DEFAULT).await.unwrap();
    let until = node.now() + A_DAY_AND_AN_HOUR;
    let mut revisions = Vec::new();
    for n in 0..65 {
        if let Some(first) = revisions.first().and_then(|first| realm.at(*first)) {
            realm.pin(first, until);
        }
        realm.pin(realm.published(), until);
        revisions.push(realm.published().head.revision);
        does(&realm, user(&format!("u{n}"))).await;
    }
    assert!(realm.at(revisions[0]).is_some(), "pinned again and again");
    assert!(realm.at(revisions[1]).is_none());
    assert!(revisions[2..].iter().all(|revision| realm.at(*revision).is_some()));
}
