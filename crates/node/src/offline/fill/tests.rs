#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use grantd_ledger::entry::{CommandId, LedgerId};
use grantd_ledger::source::Source;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use grantd_ledger::store::{Append, Appended, Store};
use grantd_realm::{Change, builtin};
use grantd_testkit::faulty_store::{Fault, FaultyStore};
use tempfile::TempDir;
use uuid::Uuid;

use super::{FillError, Filling, Told, continue_all, fill};
use crate::entry::{Heading, draft};

const ENTRIES: u64 = 450;

/// A store in a directory of its own.
async fn store(dir: &TempDir) -> SqliteStore {
    let options = SqliteOptions { synchronous: Synchronous::Off, ..SqliteOptions::default() };
    SqliteStore::open(dir.path(), options).await.unwrap()
}

/// A realm of so many users.
async fn source(dir: &TempDir) -> SqliteStore {
    let store = store(dir).await;
    let head = store.create("default", LedgerId(Uuid::from_u128(1))).await.unwrap();
    let mut append = Append::on("default", head);
    append.drafts = (1..=ENTRIES)
        .map(|number| {
            let uuid = Uuid::from_u128(u128::from(number));
            let made = Change::UserCreated { uuid, number, login: format!("user-{number}"), name: None };
            let command_id = CommandId(*uuid.as_bytes());
            let heading =
                Heading { time: 1, actor: "system:test".into(), via: "test", command_id, reason: None };
            draft(&[made], heading)
        })
        .collect();
    assert!(matches!(store.append(append).await, Appended::Durable(_)));
    store
}

fn filling<'a>(until: &'a BTreeMap<String, u64>, told: &'a Told<'a>) -> Filling<'a> {
    Filling { command: "copy", realms: &[], until, schema: builtin::schema().unwrap(), told }
}

#[tokio::test]
async fn whatever_becomes_of_a_write_the_copy_is_whole() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = source(&from).await;
    let target = FaultyStore::new(Arc::new(store(&to).await));
    target.on_append(0, Fault::UnknownWritten);
    target.on_append(2, Fault::UnknownNotWritten);
    let (nothing, quiet) = (BTreeMap::new(), |_: super::Step<'_>| {});
    let mut filled = fill(&source, &target, &filling(&nothing, &quiet)).await.unwrap();
    assert!(target.reopens() >= 2, "both were looked into");
    target.on_next_append(Fault::UnknownWritten);
    let heads = continue_all(&target, &mut filled).await.unwrap();
    assert_eq!(heads[0].revision, ENTRIES + 1);
    assert_eq!(target.head("default").await.unwrap(), heads[0]);
    let copied = target.entries("default", 0, 1_000).await.unwrap();
    assert_eq!(copied[..450], source.entries("default", 0, 1_000).await.unwrap());
    assert_eq!(target.unfinished().await.unwrap(), None);
}

#[tokio::test]
async fn what_somebody_else_puts_there_is_no_copy() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = source(&from).await;
    let target = FaultyStore::new(Arc::new(store(&to).await));
    target.on_append(1, Fault::Conflict);
    let (nothing, quiet) = (BTreeMap::new(), |_: super::Step<'_>| {});
    let busy = fill(&source, &target, &filling(&nothing, &quiet)).await;
    assert!(matches!(busy, Err(FillError::Busy)), "{busy:?}");
    assert_eq!(target.unfinished().await.unwrap().as_deref(), Some("copy"));

    let other = Filling { command: "restore", ..filling(&nothing, &quiet) };
    let begun = fill(&source, &target, &other).await;
    assert!(matches!(begun, Err(FillError::Begun(_))), "{begun:?}");

    // Another ledger of the same length stands where the copy should go on.
    let head = target.head("default").await.unwrap();
    let heading = Heading {
        time: 1,
        actor: "user:mallory".into(),
        via: "test",
        command_id: CommandId([9; 16]),
        reason: None,
    };
    let made = Change::UserCreated { uuid: Uuid::max(), number: 900, login: "mallory".into(), name: None };
    let append = Append { drafts: vec![draft(&[made], heading)], ..Append::on("default", head) };
    assert!(matches!(target.append(append).await, Appended::Durable(_)));
    let differs = fill(&source, &target, &filling(&nothing, &quiet)).await;
    assert!(matches!(differs, Err(FillError::Other { .. })), "{differs:?}");
}
