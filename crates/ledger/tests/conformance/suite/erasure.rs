//! Erasing values that the hash covers only through a commitment.

use grantd_ledger::chain::ChainVerifier;
use grantd_ledger::store::{Append, Appended, Head, StoreError};

use super::snapshots::meta;
use crate::world::{REALM, World, append_of, draft, durable};

pub(crate) async fn erased_values_are_gone(world: &World) {
    let head = world.ledger(REALM, 3).await;
    let before = world.all(REALM).await;
    world.store.put_snapshot(REALM, &meta(&head, b"state"), b"state").await.unwrap();
    let erase = Append { erase: vec![(2, 0), (3, 1), (3, 9)], ..append_of(REALM, head, [4]) };
    let head = durable(world.store.append(erase).await);

    let all = world.all(REALM).await;
    assert_eq!(all[0], before[0]);
    assert_eq!(all[1].entry, before[1].entry, "the entry itself does not change");
    assert_eq!(all[1].disclosures, [draft(2).disclosures[1].clone()]);
    assert_eq!(all[2].disclosures, [draft(3).disclosures[0].clone()]);
    assert_eq!(world.store.snapshot(REALM).await.unwrap(), None, "it may hold the value");

    let mut verifier = ChainVerifier::new();
    for disclosed in &all {
        verifier.push(disclosed).unwrap();
    }
    let report = verifier.finish();
    assert_eq!((report.entries, report.erased), (4, 2));
    assert_eq!(report.head, Some(head));
}

pub(crate) async fn erasure_needs_the_head(world: &World) {
    let head = world.ledger(REALM, 2).await;
    let erase = Append { erase: vec![(1, 0)], ..Append::on(REALM, Head { revision: 1, ..head }) };
    let appended = world.store.append(erase).await;
    assert!(matches!(appended, Appended::Conflict(_)), "{appended:?}");
    assert_eq!(world.all(REALM).await[0].disclosures.len(), 2);
}

pub(crate) async fn late_snapshot_is_refused(world: &World) {
    let before = world.ledger(REALM, 2).await;
    let erase = Append { erase: vec![(1, 0)], ..append_of(REALM, before, [3]) };
    let after = durable(world.store.append(erase).await);
    let late = world.store.put_snapshot(REALM, &meta(&before, b"state"), b"state").await;
    assert!(matches!(late, Err(StoreError::Invalid(_))), "{late:?}");
    world.store.put_snapshot(REALM, &meta(&after, b"state"), b"state").await.unwrap();
    assert!(world.store.snapshot(REALM).await.unwrap().is_some());
}
