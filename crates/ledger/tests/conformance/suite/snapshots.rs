//! State snapshots.

use grantd_ledger::entry::Hash;
use grantd_ledger::store::{Head, SnapshotMeta, StoreError};

use crate::world::{REALM, World, append_of, durable};

pub(crate) fn meta(head: &Head, state: &[u8]) -> SnapshotMeta {
    SnapshotMeta {
        format: 3,
        revision: head.revision,
        head_hash: head.hash,
        state_hash: Hash([7; 32]),
        length: u64::try_from(state.len()).unwrap(),
    }
}

/// Bytes that do not compress to nothing, over two pieces and a bit.
fn state() -> Vec<u8> {
    (0..9_000_000_u32).map(|i| u8::try_from((i.wrapping_mul(2_654_435_761) >> 24) & 0x3f).unwrap()).collect()
}

pub(crate) async fn round_trip(world: &World) {
    let head = world.ledger(REALM, 1).await;
    assert_eq!(world.store.snapshot(REALM).await.unwrap(), None);
    for state in [Vec::new(), b"small".to_vec(), state()] {
        world.store.put_snapshot(REALM, &meta(&head, &state), &state).await.unwrap();
        let (found, bytes) = world.store.snapshot(REALM).await.unwrap().unwrap();
        assert_eq!(found, meta(&head, &state));
        assert!(bytes == state, "the bytes come back");
    }
    let wrong = SnapshotMeta { length: 9, ..meta(&head, b"small") };
    let refused = world.store.put_snapshot(REALM, &wrong, b"small").await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
}

pub(crate) async fn newest_replaces_older(world: &World) {
    let head = world.ledger(REALM, 1).await;
    world.store.put_snapshot(REALM, &meta(&head, b"old"), b"old").await.unwrap();
    let next = durable(world.store.append(append_of(REALM, head, [2])).await);
    world.store.put_snapshot(REALM, &meta(&next, b"new"), b"new").await.unwrap();
    assert_eq!(world.store.snapshot(REALM).await.unwrap().unwrap().1, b"new");
    // The older one is gone, not just hidden.
    world.tamper.run("UPDATE snapshot_chunk SET checksum = bytes").await;
    assert_eq!(world.store.snapshot(REALM).await.unwrap(), None);
    // One that arrives late does not hide a newer one.
    world.store.put_snapshot(REALM, &meta(&next, b"new"), b"new").await.unwrap();
    world.store.put_snapshot(REALM, &meta(&head, b"old"), b"old").await.unwrap();
    assert_eq!(world.store.snapshot(REALM).await.unwrap().unwrap().1, b"new");
}

pub(crate) async fn damaged_chunk_counts_as_none(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let state = state();
    let damages = [
        "UPDATE snapshot_chunk SET bytes = checksum WHERE number = 1",
        "DELETE FROM snapshot_chunk WHERE number = 2",
        "DELETE FROM snapshot_chunk WHERE number = 0",
        "UPDATE snapshot SET length = length - 1",
        "UPDATE snapshot SET length = 4611686018427387904",
        "UPDATE snapshot SET chunks = chunks + 1",
    ];
    for damage in damages {
        world.store.put_snapshot(REALM, &meta(&head, &state), &state).await.unwrap();
        assert!(world.store.snapshot(REALM).await.unwrap().is_some());
        world.tamper.run(damage).await;
        assert_eq!(world.store.snapshot(REALM).await.unwrap(), None, "{damage}");
    }
}

pub(crate) async fn foreign_snapshot_counts_as_none(world: &World) {
    let head = world.ledger(REALM, 2).await;
    let foreign = Head { hash: Hash([5; 32]), ..head };
    world.store.put_snapshot(REALM, &meta(&foreign, b"state"), b"state").await.unwrap();
    assert_eq!(world.store.snapshot(REALM).await.unwrap(), None);
    world.store.put_snapshot(REALM, &meta(&head, b"state"), b"state").await.unwrap();
    assert!(world.store.snapshot(REALM).await.unwrap().is_some());
}
