//! Ephemeral rows, sealed secrets, checkpoints.

use grantd_ledger::entry::Hash;
use grantd_ledger::store::{
    Append, Appended, Checkpoint, Head, RowWrite, SealedSecret, SecretWrite, StoreError,
};

use crate::world::{REALM, World, append_of, durable, ledger_id};

fn put(key: &[u8], value: &[u8], expires: i64) -> RowWrite {
    RowWrite::Put { kind: "session", key: key.to_vec(), value: value.to_vec(), expires }
}

pub(crate) async fn rows_expire_and_are_purged(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let rows = vec![put(b"a", b"1", 100), put(b"b", b"2", 200), put(b"c", b"3", 300), put(b"a", b"4", 150)];
    let after = durable(world.store.append(Append { rows, ..Append::on(REALM, head) }).await);
    assert_eq!(after, head, "rows alone make no entry");

    let get = async |key: &[u8], now| world.store.row(REALM, "session", key, now).await.unwrap();
    assert_eq!(get(b"a", 149).await.as_deref(), Some(&b"4"[..]));
    assert_eq!(get(b"a", 150).await, None);
    assert_eq!(get(b"b", 150).await.as_deref(), Some(&b"2"[..]));
    assert_eq!(world.store.row(REALM, "code", b"b", 0).await.unwrap(), None);
    assert_eq!(world.store.row("other", "session", b"b", 0).await.unwrap(), None);

    assert_eq!(world.store.purge_rows(149, 10).await.unwrap(), 0);
    assert_eq!(world.store.purge_rows(200, 1).await.unwrap(), 1);
    assert_eq!(get(b"a", 0).await, None, "the one that expired first went first");
    assert!(get(b"b", 0).await.is_some());
    assert_eq!(world.store.purge_rows(1_000, 10).await.unwrap(), 2);
    assert_eq!(world.store.purge_rows(1_000, 10).await.unwrap(), 0);
}

pub(crate) async fn rows_go_with_the_append(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let with_row = |head: Head, rows: Vec<RowWrite>| Append { rows, ..append_of(REALM, head, [2]) };

    let stale = Head { revision: 0, ..head };
    let appended = world.store.append(with_row(stale, vec![put(b"k", b"v", 100)])).await;
    assert!(matches!(appended, Appended::Conflict(_)), "{appended:?}");
    assert_eq!(world.store.row(REALM, "session", b"k", 0).await.unwrap(), None);

    let head = durable(world.store.append(with_row(head, vec![put(b"k", b"v", 100)])).await);
    assert_eq!(world.store.row(REALM, "session", b"k", 0).await.unwrap().as_deref(), Some(&b"v"[..]));

    let delete = |key: &[u8]| RowWrite::Delete { kind: "session", key: key.to_vec() };
    let rows = vec![delete(b"k"), delete(b"absent")];
    durable(world.store.append(Append { rows, ..Append::on(REALM, head) }).await);
    assert_eq!(world.store.row(REALM, "session", b"k", 0).await.unwrap(), None);
}

pub(crate) async fn rows_are_listed_by_prefix(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let other = world.ledger("other", 1).await;
    let rows = vec![
        put(b"a", b"0", 900),
        put(b"ab", b"1", 900),
        put(b"ab\x00", b"2", 900),
        put(b"ab\xff\xff", b"3", 900),
        put(b"ac", b"4", 900),
        put(b"abz", b"over", 100),
        put(b"\xff\xff", b"5", 900),
        put(b"\xff\xff\x01", b"6", 900),
        RowWrite::Put { kind: "code", key: b"ab".to_vec(), value: b"other".to_vec(), expires: 900 },
    ];
    durable(world.store.append(Append { rows, ..Append::on(REALM, head) }).await);
    let elsewhere = vec![put(b"ab", b"elsewhere", 900)];
    durable(world.store.append(Append { rows: elsewhere, ..Append::on("other", other) }).await);

    let list = async |prefix: &[u8], limit| {
        let rows = world.store.rows(REALM, "session", prefix, 100, limit).await.unwrap();
        rows.into_iter().map(|(_, value)| String::from_utf8(value).unwrap()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(b"ab", 10).await, "1 2 3", "by key, without what has expired or is of another family");
    assert_eq!(list(b"ab", 2).await, "1 2");
    assert_eq!(list(b"\xff", 10).await, "5 6", "no key is behind the last prefix");
    assert_eq!(list(b"\xff\xff\x01", 10).await, "6");
    assert_eq!(list(b"", 10).await, "0 1 2 3 4 5 6");
    assert_eq!(list(b"b", 10).await, "");
}

pub(crate) async fn rows_are_found_by_key(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let rows = vec![put(b"a", b"1", 100), put(b"b", b"2", 200), put(b"c", b"3", 300)];
    durable(world.store.append(Append { rows, ..Append::on(REALM, head) }).await);
    let keys = [&b"c"[..], b"a", b"none", b"b", b"c"].map(<[u8]>::to_vec);
    let found = world.store.row_values(REALM, "session", &keys, 100).await.unwrap();
    let three = Some(b"3".to_vec());
    assert_eq!(found, [three.clone(), None, None, Some(b"2".to_vec()), three]);
    assert_eq!(world.store.row_values(REALM, "code", &keys, 0).await.unwrap(), vec![None; 5]);
    assert_eq!(world.store.row_values("other", "session", &keys[..1], 0).await.unwrap(), [None]);
    assert!(world.store.row_values(REALM, "session", &[], 0).await.unwrap().is_empty());
}

pub(crate) async fn a_renewed_row_does_not_come_back(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let renew = |value: &[u8], expires| RowWrite::Renew {
        kind: "session",
        key: b"k".to_vec(),
        value: value.to_vec(),
        expires,
    };
    let write = async |row| {
        durable(world.store.append(Append { rows: vec![row], ..Append::on(REALM, head) }).await);
        world.store.row(REALM, "session", b"k", 150).await.unwrap()
    };
    assert_eq!(write(renew(b"never there", 200)).await, None);
    assert_eq!(write(put(b"k", b"1", 100)).await, None, "it has expired");
    assert_eq!(write(renew(b"2", 200)).await.as_deref(), Some(&b"2"[..]));
    assert_eq!(write(RowWrite::Delete { kind: "session", key: b"k".to_vec() }).await, None);
    assert_eq!(write(renew(b"back", 200)).await, None);
}

pub(crate) async fn a_row_is_moved_by_one(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let moved = |key: &[u8], to: &[u8], value: &[u8]| RowWrite::Move {
        kind: "session",
        key: key.to_vec(),
        to: to.to_vec(),
        value: value.to_vec(),
        expires: 200,
    };
    let write =
        async |row| durable(world.store.append(Append { rows: vec![row], ..Append::on(REALM, head) }).await);
    let rows = async || {
        let rows = world.store.rows(REALM, "session", b"", 150, 10).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        rows.into_iter()
            .map(|(key, value)| format!("{}={}", text(key), text(value)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    write(moved(b"a", b"b", b"never there")).await;
    assert_eq!(rows().await, "");
    write(put(b"a", b"1", 100)).await;
    assert_eq!(rows().await, "", "it has expired");
    write(moved(b"a", b"b", b"2")).await;
    assert_eq!(rows().await, "b=2");
    write(moved(b"a", b"c", b"too late")).await;
    assert_eq!(rows().await, "b=2", "somebody else was first");
    write(moved(b"b", b"b", b"3")).await;
    assert_eq!(rows().await, "b=3", "in its own place");
    let both = vec![moved(b"b", b"d", b"4"), moved(b"b", b"e", b"5")];
    durable(world.store.append(Append { rows: both, ..Append::on(REALM, head) }).await);
    assert_eq!(rows().await, "d=4");
}

fn take(key: &[u8], value: &[u8]) -> RowWrite {
    RowWrite::Take { kind: "session", key: key.to_vec(), value: value.to_vec() }
}

pub(crate) async fn a_row_is_taken_once(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let append = async |rows| world.store.append(Append { rows, ..Append::on(REALM, head) }).await;
    durable(append(vec![put(b"k", b"v", 100)]).await);
    for wrong in [take(b"k", b"w"), take(b"j", b"v")] {
        assert!(matches!(append(vec![wrong]).await, Appended::Untaken(rows) if rows == [0]));
    }
    let elsewhere = RowWrite::Take { kind: "code", key: b"k".to_vec(), value: b"v".to_vec() };
    assert!(matches!(append(vec![elsewhere]).await, Appended::Untaken(rows) if rows == [0]));
    // In place of it another one, as a rotation does.
    durable(append(vec![take(b"k", b"v"), put(b"k", b"w", 100)]).await);
    assert!(matches!(append(vec![take(b"k", b"v")]).await, Appended::Untaken(rows) if rows == [0]));
    durable(append(vec![take(b"k", b"w")]).await);
    assert_eq!(world.store.row(REALM, "session", b"k", 0).await.unwrap(), None);
    assert!(matches!(append(vec![take(b"k", b"w")]).await, Appended::Untaken(rows) if rows == [0]));
    // What the same append did before counts.
    durable(append(vec![put(b"k", b"1", 100), take(b"k", b"1"), put(b"k", b"2", 100)]).await);
    let twice = vec![take(b"k", b"2"), take(b"k", b"2")];
    assert!(matches!(append(twice).await, Appended::Untaken(rows) if rows == [1]));
    let deleted = RowWrite::Delete { kind: "session", key: b"k".to_vec() };
    let after_deletion = vec![put(b"x", b"x", 100), deleted, take(b"k", b"2")];
    assert!(matches!(append(after_deletion).await, Appended::Untaken(rows) if rows == [2]));
    assert_eq!(world.store.row(REALM, "session", b"k", 0).await.unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(world.store.row(REALM, "session", b"x", 0).await.unwrap(), None, "all or nothing");
}

pub(crate) async fn what_cannot_be_taken_writes_nothing(world: &World) {
    let head = world.ledger(REALM, 1).await;
    let secrets = vec![SecretWrite::Delete("a".to_owned())];
    let rows = vec![put(b"x", b"1", 100), take(b"absent", b""), take(b"gone", b"")];
    let append = Append { rows, secrets, ..append_of(REALM, head, [2]) };
    let appended = world.store.append(append).await;
    assert!(matches!(&appended, Appended::Untaken(rows) if *rows == [1, 2]), "{appended:?}");
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
    assert_eq!(world.store.row(REALM, "session", b"x", 0).await.unwrap(), None);
    // On another head it is a conflict before anything else.
    let stale = Head { revision: 0, ..head };
    let rows = vec![take(b"absent", b"")];
    let appended = world.store.append(Append { rows, ..append_of(REALM, stale, [3]) }).await;
    assert!(matches!(appended, Appended::Conflict(now) if now == head), "{appended:?}");
}

pub(crate) async fn secrets(world: &World) {
    let head = world.ledger(REALM, 1).await;
    world.ledger("other", 0).await;
    let secret = |name: &str, version| SealedSecret {
        name: name.to_owned(),
        version,
        key_id: [3; 8],
        sealed: vec![1, 2, 3, u8::try_from(version).unwrap()],
    };
    let write = async |secrets| {
        durable(world.store.append(Append { secrets, ..Append::on(REALM, head) }).await);
    };
    write(vec![SecretWrite::Put(secret("b", 1)), SecretWrite::Put(secret("a", 1))]).await;
    write(vec![SecretWrite::Put(secret("b", 2)), SecretWrite::Delete("absent".to_owned())]).await;
    assert_eq!(world.store.secret(REALM, "b").await.unwrap(), Some(secret("b", 2)));
    assert_eq!(world.store.secret(REALM, "c").await.unwrap(), None);
    assert_eq!(world.store.secret("other", "b").await.unwrap(), None);
    let all = world.store.secrets().await.unwrap();
    assert_eq!(all, [(REALM.to_owned(), secret("a", 1)), (REALM.to_owned(), secret("b", 2))]);
    write(vec![SecretWrite::Delete("b".to_owned())]).await;
    assert_eq!(world.store.secret(REALM, "b").await.unwrap(), None);
}

pub(crate) async fn checkpoints(world: &World) {
    world.ledger(REALM, 3).await;
    let checkpoint = |revision, time| Checkpoint {
        ledger_id: ledger_id(1),
        revision,
        head_hash: Hash([1; 32]),
        state_hash: Hash([2; 32]),
        time,
        public_key: [3; 32],
        signature: [4; 64],
    };
    for one in [checkpoint(2, 20), checkpoint(1, 10), checkpoint(2, 20)] {
        world.store.put_checkpoint(REALM, &one).await.unwrap();
    }
    let kept = world.store.checkpoints(REALM).await.unwrap();
    assert_eq!(kept, [checkpoint(1, 10), checkpoint(2, 20)], "oldest first, the same one once");
    assert!(world.store.checkpoints("nobody").await.unwrap().is_empty());
    let refused = world.store.put_checkpoint("nobody", &checkpoint(1, 1)).await;
    assert!(matches!(refused, Err(StoreError::NoLedger(_))), "{refused:?}");
}
