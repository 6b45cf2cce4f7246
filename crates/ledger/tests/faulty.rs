//! The store that other crates' tests inject faults with does what it says.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test says what is wrong by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use grantd_ledger::entry::{ChangeBytes, CommandId, Draft, LedgerId};
use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::{Append, Appended, Head, Store, StoreError};
use grantd_testkit::faulty_store::{Fault, FaultyStore};
use uuid::Uuid;

fn append(head: Head) -> Append {
    let draft = Draft {
        time: 1,
        actor: "user:alice".to_owned(),
        via: "api".to_owned(),
        command_id: CommandId([1; 16]),
        reason: None,
        changes: vec![ChangeBytes { kind: 7, version: 1, body: Vec::new() }],
        disclosures: Vec::new(),
    };
    Append { drafts: vec![draft], ..Append::on("default", head) }
}

#[tokio::test]
async fn faults_come_where_the_script_says() {
    let dir = tempfile::tempdir().unwrap();
    let inner = SqliteStore::open(dir.path(), SqliteOptions::default()).await.unwrap();
    let store = FaultyStore::new(Arc::new(inner));
    let start = store.create("default", LedgerId(Uuid::from_u128(1))).await.unwrap();
    store.on_append(0, Fault::UnknownNotWritten);
    store.on_append(1, Fault::Rejected(StoreError::Full("scripted".to_owned())));
    store.on_append(2, Fault::Conflict);
    store.on_append(3, Fault::UnknownWritten);

    assert!(matches!(store.append(append(start)).await, Appended::Unknown(_)));
    assert!(matches!(store.append(append(start)).await, Appended::Rejected(StoreError::Full(_))));
    assert!(matches!(store.append(append(start)).await, Appended::Conflict(head) if head == start));
    assert_eq!(store.head("default").await.unwrap(), start, "nothing was written so far");
    assert!(matches!(store.append(append(start)).await, Appended::Unknown(_)));
    let head = store.head("default").await.unwrap();
    assert_eq!(head.revision, 1, "this one was");

    store.on_next_append(Fault::UnknownNotWritten);
    assert!(matches!(store.append(append(head)).await, Appended::Unknown(_)));
    store.delay_appends(Duration::from_millis(50));
    let before = Instant::now();
    assert!(matches!(store.append(append(head)).await, Appended::Durable(_)));
    assert!(before.elapsed() >= Duration::from_millis(50));
    assert_eq!(store.appends(), 6);

    store.fail_reads(2);
    assert!(store.head("default").await.is_err());
    assert!(store.find_commands("default", &[]).await.is_err());
    assert!(store.head("default").await.is_ok());
    store.fail_reopens(1);
    assert!(store.reopen().await.is_err());
    assert!(store.reopen().await.is_ok());
    assert_eq!(store.reopens(), 2);
}
