//! Entries taken out of a ledger behind a base, and put back.

use grantd_ledger::base::{ArchivedValue, Archiving, Base, BaseState, Unarchiving};
use grantd_ledger::checkpoint::CheckpointSigner;
use grantd_ledger::entry::{Disclosed, Hash, Revision};
use grantd_ledger::secret::Secret;
use grantd_ledger::store::{Append, Head, StoreError};

use super::snapshots::meta;
use crate::world::{REALM, World, append_of, command, durable};

/// The base at an entry, with a state that says where it is.
fn base_at(disclosed: &Disclosed) -> BaseState {
    let head = Head::of(&disclosed.entry);
    let signer = CheckpointSigner::from_seed(&Secret::new([9; 32])).unwrap();
    let signed = signer.sign(head.ledger_id, head.revision, head.hash, Hash([7; 32]), 5).unwrap();
    let state = format!("the state at {}", head.revision).into_bytes();
    BaseState { base: Base::new(head, &signed, 3), state }
}

fn value(revision: Revision, slot: u32, owner: &str, is_reason: bool) -> ArchivedValue {
    ArchivedValue { revision, slot, owner: owner.to_owned(), is_reason }
}

/// Archives the entries behind `from` up to `to`, each with a reason and a name of alice's.
async fn archive(world: &World, all: &[Disclosed], from: Revision, to: usize) -> Result<(), StoreError> {
    let values = (from + 1..=u64::try_from(to).unwrap())
        .flat_map(|revision| {
            [value(revision, 0, "user:alice", true), value(revision, 1, "user:alice", false)]
        })
        .collect();
    let archiving = Archiving { realm: REALM.to_owned(), from, to: base_at(&all[to - 1]), values };
    world.store.archive(archiving).await
}

async fn unarchive(world: &World, all: &[Disclosed], from: usize, to: usize) -> Result<(), StoreError> {
    let entries: Vec<_> = all[to..from].iter().map(|disclosed| Ok(disclosed.entry.clone())).collect();
    put_back(world, all, from, to, entries).await
}

async fn put_back(
    world: &World,
    all: &[Disclosed],
    from: usize,
    to: usize,
    entries: Vec<Result<grantd_ledger::entry::Entry, StoreError>>,
) -> Result<(), StoreError> {
    let base = to.checked_sub(1).map(|index| base_at(&all[index]));
    let unarchiving = Unarchiving {
        realm: REALM.to_owned(),
        from: u64::try_from(from).unwrap(),
        to: base,
        entries: Box::new(entries.into_iter()),
    };
    world.store.unarchive(unarchiving).await
}

async fn assert_archived(world: &World, first: Revision) {
    for after in 0..first - 1 {
        let read = world.store.entries(REALM, after, 10).await;
        assert!(matches!(read, Err(StoreError::Archived { first: told }) if told == first), "{read:?}");
    }
}

pub(crate) async fn archived_entries_are_gone(world: &World) {
    let head = world.ledger(REALM, 6).await;
    world.ledger("other", 6).await;
    let all = world.all(REALM).await;
    assert_eq!(world.store.base(REALM).await.unwrap(), None);
    assert_eq!(world.store.base_state(REALM).await.unwrap(), None);
    archive(world, &all, 0, 4).await.unwrap();

    let base = base_at(&all[3]);
    assert_eq!(world.store.base(REALM).await.unwrap(), Some(base.base.clone()));
    assert!(base.base.checkpoint().verify().is_ok());
    assert_eq!(world.store.base_state(REALM).await.unwrap(), Some(base));
    assert_archived(world, 5).await;
    assert_eq!(world.store.entries(REALM, 4, 10).await.unwrap(), all[4..]);
    assert_eq!(world.store.entries(REALM, 5, 10).await.unwrap(), all[5..]);
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
    assert_eq!(world.store.find_commands(REALM, &[command(4)]).await.unwrap(), []);
    assert_eq!(world.store.find_commands(REALM, &[command(5)]).await.unwrap(), [(command(5), 5)]);
    let next = durable(world.store.append(append_of(REALM, head, [7])).await);
    assert_eq!(next.revision, 7);
    // Values stay where they are, and so does everybody else's ledger.
    let values = world.store.disclosures(REALM, 1, 3).await.unwrap();
    let expected = all[1..3].iter().flat_map(|disclosed| {
        disclosed.disclosures.iter().map(|value| (disclosed.entry.revision, value.clone()))
    });
    assert_eq!(values, expected.collect::<Vec<_>>());
    assert_eq!(world.all("other").await.len(), 6);
    assert_eq!(world.store.base("other").await.unwrap(), None);
    assert_eq!(world.store.base("nobody").await.unwrap(), None);
}

pub(crate) async fn everything_can_be_archived(world: &World) {
    let head = world.ledger(REALM, 2).await;
    let all = world.all(REALM).await;
    archive(world, &all, 0, 2).await.unwrap();
    assert_archived(world, 3).await;
    assert!(world.store.entries(REALM, 2, 10).await.unwrap().is_empty());
    durable(world.store.append(append_of(REALM, head, [3])).await);
    assert_eq!(world.store.entries(REALM, 2, 10).await.unwrap().len(), 1);
}

pub(crate) async fn a_base_is_compared_and_set(world: &World) {
    world.ledger(REALM, 6).await;
    let all = world.all(REALM).await;
    let moved = archive(world, &all, 2, 4).await;
    assert!(matches!(moved, Err(StoreError::Invalid(_))), "there is no base at 2: {moved:?}");
    let mut other = all.clone();
    other[3].entry.hash = Hash([1; 32]);
    let damaged = archive(world, &other, 0, 4).await;
    assert!(matches!(damaged, Err(StoreError::Damaged(_))), "another entry: {damaged:?}");
    let beyond = Archiving {
        realm: REALM.to_owned(),
        from: 0,
        to: BaseState {
            base: Base { head: Head { revision: 9, ..base_at(&all[5]).base.head }, ..base_at(&all[5]).base },
            state: Vec::new(),
        },
        values: Vec::new(),
    };
    assert!(world.store.archive(beyond).await.is_err());
    assert_eq!(world.all(REALM).await, all, "nothing was taken");
    archive(world, &all, 0, 2).await.unwrap();
    let again = archive(world, &all, 0, 4).await;
    assert!(matches!(again, Err(StoreError::Invalid(_))), "{again:?}");
    archive(world, &all, 2, 4).await.unwrap();
    assert_archived(world, 5).await;
}

pub(crate) async fn snapshots_leave_the_base_alone(world: &World) {
    let head = world.ledger(REALM, 6).await;
    let all = world.all(REALM).await;
    let early = Head::of(&all[2].entry);
    world.store.put_snapshot(REALM, &meta(&early, b"early"), b"early").await.unwrap();
    archive(world, &all, 0, 4).await.unwrap();
    assert_eq!(world.store.snapshot(REALM).await.unwrap(), None, "nothing leads on from it");
    for _ in 0..2 {
        world.store.put_snapshot(REALM, &meta(&head, b"late"), b"late").await.unwrap();
        assert_eq!(world.store.snapshot(REALM).await.unwrap().unwrap().1, b"late");
        assert_eq!(world.store.base_state(REALM).await.unwrap(), Some(base_at(&all[3])));
    }
}

pub(crate) async fn an_erasure_reaches_archived_values(world: &World) {
    let head = world.ledger(REALM, 4).await;
    let all = world.all(REALM).await;
    archive(world, &all, 0, 3).await.unwrap();
    let of_alice = world.store.archived_values(REALM, Some("user:alice")).await.unwrap();
    assert_eq!(of_alice.len(), 6);
    assert_eq!(of_alice[..2], [value(1, 0, "user:alice", true), value(1, 1, "user:alice", false)]);
    assert_eq!(world.store.archived_values(REALM, Some("user:bob")).await.unwrap(), []);
    let erase = Append { erase: vec![(2, 0), (3, 1)], ..append_of(REALM, head, [5]) };
    durable(world.store.append(erase).await);
    let left: Vec<_> = world.store.disclosures(REALM, 0, 3).await.unwrap();
    let left: Vec<_> = left.into_iter().map(|(revision, value)| (revision, value.slot)).collect();
    assert_eq!(left, [(1, 0), (1, 1), (2, 1), (3, 0)]);
    let left = world.store.archived_values(REALM, Some("user:alice")).await.unwrap();
    assert_eq!(
        left.into_iter().map(|value| (value.revision, value.slot)).collect::<Vec<_>>(),
        [(1, 0), (1, 1), (2, 1), (3, 0)]
    );
    assert_eq!(world.store.base_state(REALM).await.unwrap(), Some(base_at(&all[2])), "it holds no values");
}

/// Somebody erased while the archive was made.
pub(crate) async fn erased_meanwhile_is_of_nobody(world: &World) {
    let head = world.ledger(REALM, 3).await;
    let all = world.all(REALM).await;
    let erase = Append { erase: vec![(1, 0)], ..append_of(REALM, head, [4]) };
    durable(world.store.append(erase).await);
    archive(world, &all, 0, 2).await.unwrap();
    let left = world.store.archived_values(REALM, Some("user:alice")).await.unwrap();
    assert_eq!(
        left.iter().map(|value| (value.revision, value.slot)).collect::<Vec<_>>(),
        [(1, 1), (2, 0), (2, 1)]
    );
}

pub(crate) async fn entries_are_put_back(world: &World) {
    world.ledger(REALM, 6).await;
    let all = world.all(REALM).await;
    archive(world, &all, 0, 2).await.unwrap();
    archive(world, &all, 2, 5).await.unwrap();
    unarchive(world, &all, 5, 2).await.unwrap();
    assert_archived(world, 3).await;
    assert_eq!(world.store.entries(REALM, 2, 10).await.unwrap(), all[2..]);
    assert_eq!(world.store.base_state(REALM).await.unwrap(), Some(base_at(&all[1])));
    assert_eq!(world.store.archived_values(REALM, Some("user:alice")).await.unwrap().len(), 4);
    unarchive(world, &all, 2, 0).await.unwrap();
    assert_eq!(world.all(REALM).await, all);
    assert_eq!(world.store.base(REALM).await.unwrap(), None);
    assert_eq!(world.store.archived_values(REALM, Some("user:alice")).await.unwrap(), []);
    assert_eq!(world.store.find_commands(REALM, &[command(1)]).await.unwrap(), [(command(1), 1)]);
    archive(world, &all, 0, 6).await.unwrap();
}

pub(crate) async fn other_entries_are_not_put_back(world: &World) {
    world.ledger(REALM, 6).await;
    let all = world.all(REALM).await;
    archive(world, &all, 0, 4).await.unwrap();
    let entry = |index: usize| Ok(all[index].entry.clone());
    let broken = || Err(StoreError::Invalid("the file is damaged".to_owned()));
    for (from, entries) in [
        (4, vec![entry(0), entry(1), entry(2)]),
        (4, vec![entry(1), entry(2), entry(3)]),
        (4, vec![entry(0), entry(1), broken(), entry(3)]),
        (4, Vec::new()),
        (3, vec![entry(0), entry(1), entry(2)]),
        (5, vec![entry(0), entry(1), entry(2), entry(3), entry(4)]),
    ] {
        let refused = put_back(world, &all, from, 0, entries).await;
        assert!(refused.is_err());
        assert_archived(world, 5).await;
        assert_eq!(world.store.base_state(REALM).await.unwrap(), Some(base_at(&all[3])));
        assert_eq!(world.store.entries(REALM, 4, 10).await.unwrap(), all[4..]);
    }
}

/// As a copy of a whole store does it.
pub(crate) async fn a_base_is_adopted(world: &World) {
    world.ledger(REALM, 4).await;
    let all = world.all(REALM).await;
    archive(world, &all, 0, 3).await.unwrap();
    let (base, store) = (base_at(&all[2]), &world.store);
    let values = store.disclosures(REALM, 0, 3).await.unwrap();
    let owners = store.archived_values(REALM, None).await.unwrap();
    assert_eq!((values.len(), owners.len()), (6, 6));
    store.create("copy", base.base.head.ledger_id).await.unwrap();
    assert_eq!(store.adopt_base("copy", base.clone()).await.unwrap(), base.base.head);
    assert!(store.adopt_base("copy", base.clone()).await.is_err(), "it has begun");
    for _ in 0..2 {
        store.adopt_values("copy", values.clone(), owners.clone()).await.unwrap();
    }
    assert_eq!(store.head("copy").await.unwrap(), base.base.head);
    assert_eq!(store.base_state("copy").await.unwrap(), Some(base));
    assert_eq!(store.disclosures("copy", 0, 9).await.unwrap(), values);
    assert_eq!(store.archived_values("copy", None).await.unwrap(), owners);
    let adopting = Append { adopted: all[3..].to_vec(), ..Append::on("copy", Head::of(&all[2].entry)) };
    durable(store.append(adopting).await);
    assert_eq!(store.entries("copy", 3, 9).await.unwrap(), all[3..]);
}

pub(crate) async fn a_damaged_base_is_noticed(world: &World) {
    world.ledger(REALM, 4).await;
    let all = world.all(REALM).await;
    archive(world, &all, 0, 3).await.unwrap();
    let keep = "CREATE TABLE kept AS SELECT * FROM base; CREATE TABLE kept_chunk AS SELECT * FROM base_chunk";
    world.tamper.run(keep).await;
    for damage in [
        "UPDATE base SET length = length - 1",
        "UPDATE base SET length = 4611686018427387904",
        "UPDATE base SET length = length + 1, chunks = chunks + 1",
        "UPDATE base SET public_key = hash, signature = hash",
        "UPDATE base_chunk SET bytes = checksum",
        "DELETE FROM base_chunk",
    ] {
        world.tamper.run(damage).await;
        let read = world.store.base_state(REALM).await;
        assert!(matches!(read, Err(StoreError::Damaged(_))), "{damage}: {read:?}");
        let restore = "DELETE FROM base_chunk; DELETE FROM base; INSERT INTO base SELECT * FROM kept;
                       INSERT INTO base_chunk SELECT * FROM kept_chunk";
        world.tamper.run(restore).await;
        assert_eq!(world.store.base_state(REALM).await.unwrap(), Some(base_at(&all[2])));
    }
}

/// Others write to the ledger all the time.
pub(crate) async fn appends_go_on_meanwhile(world: &World) {
    let head = world.ledger(REALM, 6).await;
    let all = world.all(REALM).await;
    let store = std::sync::Arc::clone(&world.store);
    let appends = tokio::spawn(async move {
        let mut head = head;
        for number in 100..140 {
            head = durable(store.append(append_of(REALM, head, [number])).await);
        }
        head
    });
    archive(world, &all, 0, 3).await.unwrap();
    archive(world, &all, 3, 5).await.unwrap();
    let head = appends.await.unwrap();
    assert_eq!(head.revision, 46);
    assert_eq!(world.store.entries(REALM, 5, 100).await.unwrap().len(), 41);
}
