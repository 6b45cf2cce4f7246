//! What only the embedded store does: its files, its lock, its copies, and what it does when a commit fails.

use std::path::Path;
use std::sync::Arc;

use grantd_ledger::chain::ChainVerifier;
use grantd_ledger::entry::{ChangeBytes, CommandId, Disclosure, Draft};
use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::{Append, Appended, Head, Store, StoreError};

use crate::sqlite::{Shell, open};
use crate::world::{REALM, Tamper, World, append_of, draft, durable, ledger_id};

fn world(dir: &Path, store: SqliteStore) -> World {
    World { store: Arc::new(store), tamper: Arc::new(Shell { file: dir.join("grantd.db") }) }
}

/// Every byte of every file of the directory.
fn raw(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(dir).unwrap() {
        all.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    all
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[tokio::test]
async fn the_directory_is_locked() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let second = SqliteStore::open(dir.path(), SqliteOptions::default()).await;
    match second.err().unwrap() {
        StoreError::Locked(holder) => {
            assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
            assert!(holder.contains(" since 20"), "{holder}");
        }
        other => panic!("{other:?}"),
    }
    store.close().await.unwrap();
    let after_close = open(dir.path()).await;
    drop(after_close);
    open(dir.path()).await;
}

#[tokio::test]
async fn can_be_read_beside_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), open(dir.path()).await);
    world.ledger(REALM, 3).await;
    let beside = SqliteStore::open_read_only(dir.path(), SqliteOptions::default()).await.unwrap();
    assert_eq!(beside.entries(REALM, 0, 10).await.unwrap(), world.all(REALM).await);
    let head = beside.head(REALM).await.unwrap();
    assert!(matches!(
        beside.append(append_of(REALM, head, [4])).await,
        Appended::Rejected(StoreError::Invalid(_))
    ));
    let made = beside.create("other", ledger_id(9)).await;
    assert!(matches!(made, Err(StoreError::Invalid(_))), "{made:?}");
    beside.reopen().await.unwrap();
    assert_eq!(beside.head(REALM).await.unwrap(), head);
    beside.close().await.unwrap();
    assert!(beside.head(REALM).await.is_err());
    // Its coming and going left the holder everything.
    drop(world);
    let alone = SqliteStore::open_read_only(dir.path(), SqliteOptions::default()).await.unwrap();
    assert_eq!(alone.head(REALM).await.unwrap(), head);
}

#[tokio::test]
async fn reading_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let absent = SqliteStore::open_read_only(dir.path(), SqliteOptions::default()).await;
    assert!(matches!(absent.err(), Some(StoreError::Unavailable(_))));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    std::fs::write(dir.path().join("grantd.db"), b"").unwrap();
    let empty = SqliteStore::open_read_only(dir.path(), SqliteOptions::default()).await;
    assert!(matches!(empty.err(), Some(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = world(dir.path(), open(dir.path()).await);
    let head = first.ledger(REALM, 3).await;
    let entries = first.all(REALM).await;
    drop(first);
    let second = world(dir.path(), open(dir.path()).await);
    assert_eq!(second.store.head(REALM).await.unwrap(), head);
    assert_eq!(second.all(REALM).await, entries);
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let world = world(&dir, open(&dir).await);
    world.ledger(REALM, 1).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("grantd.db")), 0o600);
    assert_eq!(mode(&dir.join("grantd.db-wal")), 0o600);
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).await);
    Shell { file: dir.path().join("grantd.db") }
        .run("INSERT INTO refinery_schema_history VALUES (999, 'later', '2026-01-01T00:00:00Z', '1')")
        .await;
    let refused = SqliteStore::open(dir.path(), SqliteOptions::default()).await.err().unwrap();
    assert!(matches!(refused, StoreError::TooNew { found: 999, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_file_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("grantd.db"), vec![0x42; 8_192]).unwrap();
    let refused = SqliteStore::open(dir.path(), SqliteOptions::default()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused:?}");
}

/// Values of many lengths, written in an order that splits pages, then erased: not one stands in any file, neither
/// while the store is open nor after.
#[tokio::test]
async fn erased_bytes_are_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), open(dir.path()).await);
    let marker = |realm: usize, number: usize| format!("erase-me-{realm}-{number}-please").into_bytes();
    let mut heads = Vec::new();
    for realm in 0..3 {
        heads.push(world.store.create(&format!("r{realm}"), ledger_id(1)).await.unwrap());
    }
    for number in 0..120_usize {
        for (realm, head) in heads.iter_mut().enumerate() {
            let mut value = marker(realm, number);
            value.resize(value.len() + number * number % 7_919, b'.');
            let draft = Draft {
                disclosures: vec![Disclosure { slot: 0, salt: [9; 32], value }],
                changes: vec![ChangeBytes { kind: 1, version: 1, body: vec![0; 30] }],
                command_id: CommandId([u8::try_from(number).unwrap(); 16]),
                ..draft(1)
            };
            let append = Append { drafts: vec![draft], ..Append::on(format!("r{realm}"), *head) };
            *head = durable(world.store.append(append).await);
        }
    }
    assert!(holds(&raw(dir.path()), &marker(1, 50)));
    for (realm, head) in heads.iter().enumerate() {
        let erase = (1..=120).map(|revision| (revision, 0)).collect();
        durable(world.store.append(Append { erase, ..Append::on(format!("r{realm}"), *head) }).await);
    }
    assert!(!holds(&raw(dir.path()), b"erase-me-"), "while the store is open");
    world.store.close().await.unwrap();
    assert!(!holds(&raw(dir.path()), b"erase-me-"), "after it was closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()).await);
    let mut head = store.create(REALM, ledger_id(1)).await.unwrap();
    let writing = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0..200 {
                head = durable(store.append(append_of(REALM, head, [number])).await);
            }
        })
    };
    let copies = tempfile::tempdir().unwrap();
    for number in 0..5 {
        let file = copies.path().join(format!("backup-{number}"));
        store.backup(&file).await.unwrap();
        let again = store.backup(&file).await;
        assert!(matches!(again, Err(StoreError::Invalid(_))), "{again:?}");

        let target = copies.path().join(format!("data-{number}"));
        SqliteStore::restore(&file, &target).await.unwrap();
        let restored = open(&target).await;
        let head = restored.head(REALM).await.unwrap();
        let mut verifier = ChainVerifier::new();
        for one in restored.entries(REALM, 0, 10_000).await.unwrap() {
            verifier.push(&one).unwrap();
        }
        verifier.check_head(&head).unwrap();

        let append = Append { continue_as: Some(ledger_id(2)), ..append_of(REALM, head, [1]) };
        assert_eq!(durable(restored.append(append).await).ledger_id, ledger_id(2));
    }
    writing.await.unwrap();
    let left: Vec<_> =
        std::fs::read_dir(copies.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("part")), "{left:?}");
}

#[tokio::test]
async fn restore_needs_an_empty_directory_and_a_whole_copy() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let copies = tempfile::tempdir().unwrap();
    let file = copies.path().join("backup");
    store.backup(&file).await.unwrap();
    let refused = SqliteStore::restore(&file, dir.path()).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");

    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let target = copies.path().join("data");
    let refused = SqliteStore::restore(&file, &target).await;
    assert!(matches!(refused, Err(StoreError::Damaged(_))), "{refused:?}");
    assert!(!target.join("grantd.db").exists(), "no half file under the final name");
    std::fs::write(&file, &bytes).unwrap();
    SqliteStore::restore(&file, &target).await.unwrap();
}

/// One append of a group cannot be written at all; the others of the group are.
#[tokio::test]
async fn a_failing_append_harms_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let world = world(dir.path(), open(dir.path()).await);
    let good = world.ledger("good", 1).await;
    let bad = world.ledger("bad", 1).await;
    world
        .tamper
        .run(
            "CREATE TRIGGER refuse BEFORE INSERT ON entry WHEN NEW.realm = 'bad'
             BEGIN SELECT raise(ABORT, 'refused'); END",
        )
        .await;
    for _ in 0..20 {
        let (one, two, three) = tokio::join!(
            world.store.append(append_of("good", Head { revision: 0, ..good }, [2])),
            world.store.append(append_of("bad", bad, [2])),
            world.store.append(Append::on("good", good)),
        );
        assert!(matches!(one, Appended::Conflict(_)), "{one:?}");
        assert!(matches!(two, Appended::Rejected(_)), "{two:?}");
        assert!(matches!(three, Appended::Durable(_)), "{three:?}");
    }
    durable(world.store.append(append_of("good", good, [2])).await);
}

/// The caller goes away while its append is under way: the append stands, and the store goes on.
#[tokio::test]
async fn an_append_outlives_its_caller() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()).await);
    let head = store.create(REALM, ledger_id(1)).await.unwrap();
    let caller = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.append(append_of(REALM, head, [1])).await })
    };
    tokio::task::yield_now().await;
    caller.abort();
    let _ = caller.await;
    store.reopen().await.unwrap();
    assert_eq!(store.head(REALM).await.unwrap().revision, 1);
}
