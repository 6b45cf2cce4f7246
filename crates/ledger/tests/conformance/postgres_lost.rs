//! Connections lost in the middle of an append: what became of it is found out, and stays so.

use std::sync::Arc;
use std::time::Duration;

use grantd_ledger::postgres::{PostgresOptions, PostgresStore};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, Appended, Head, RowWrite, Store};

use crate::cutting::{Cut, Proxy};
use crate::postgres::{Subject, open, subject};
use crate::world::{REALM, append_of, command, durable};

/// A store behind a proxy, and a second one that is not.
async fn cut_off() -> (Subject, Proxy, PostgresStore, Head) {
    let subject = subject().await;
    let head = subject.world().ledger(REALM, 1).await;
    let proxy = Proxy::before(&subject.url).await;
    let store = open(&proxy.url(&subject.url)).await;
    (subject, proxy, store, head)
}

fn unknown(appended: &Appended) {
    assert!(matches!(appended, Appended::Unknown(_)), "{appended:?}");
}

/// An append with its row, of which nothing may be there without the rest.
fn with_row(head: Head, number: u8) -> Append {
    let row = RowWrite::Put { kind: "k", key: vec![number], value: vec![number], expires: 100 };
    Append { rows: vec![row], ..append_of(REALM, head, [number]) }
}

/// After `reopen` the head says whether it is there; later it says the same, and the row agrees.
async fn truth(store: &PostgresStore, direct: &dyn Store, before: Head, number: u8) -> Head {
    store.reopen().await.unwrap();
    let head = store.head(REALM).await.unwrap();
    let there = head != before;
    let found = store.find_commands(REALM, &[command(number)]).await.unwrap();
    assert_eq!(found.len(), usize::from(there), "{number}");
    assert_eq!(store.row(REALM, "k", &[number], 0).await.unwrap().is_some(), there, "{number}");
    assert_eq!(direct.head(REALM).await.unwrap(), head, "{number}");
    head
}

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn cut_before_commit_it_is_not_there() {
    let (subject, proxy, store, head) = cut_off().await;
    let direct = subject.world().store;
    for number in 2..52 {
        proxy.arm(Cut::BeforeCommit);
        unknown(&store.append(with_row(head, number)).await);
        assert_eq!(truth(&store, &*direct, head, number).await, head);
    }
    durable(store.append(with_row(head, 2)).await);
}

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn cut_after_commit_the_truth_is_found() {
    let (subject, proxy, store, mut head) = cut_off().await;
    let direct = subject.world().store;
    for number in 2..52 {
        // Whether the first kind is heard in time is the server's luck.
        let cut = if number % 2 == 0 { Cut::AfterCommit } else { Cut::BeforeAnswer };
        proxy.arm(cut);
        unknown(&store.append(with_row(head, number)).await);
        let now = truth(&store, &*direct, head, number).await;
        assert!(cut == Cut::AfterCommit || now != head, "{number}: COMMIT was answered");
        head = now;
    }
    assert_eq!(subject.world().all(REALM).await.len() as u64, head.revision);
}

/// What arrives after it was given up does nothing, and others were not held up.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn too_late_it_does_nothing() {
    let (subject, proxy, store, head) = cut_off().await;
    let direct = subject.world().store;
    for number in 2..12 {
        proxy.arm(Cut::Late);
        unknown(&store.append(with_row(head, number)).await);
        assert_eq!(truth(&store, &*direct, head, number).await, head);
        proxy.deliver().await;
        assert_eq!(truth(&store, &*direct, head, number).await, head, "it came after all");
    }
    // A node that knows nothing of all this goes on.
    let head = durable(direct.append(with_row(head, 100)).await);
    durable(store.append(with_row(head, 101)).await);
}

/// A node that is stopped in the middle of an append holds nobody up for longer than its session may stand still.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_stopped_node_holds_nobody() {
    let (subject, proxy, _, head) = cut_off().await;
    let short = PostgresOptions { statement_timeout: Duration::from_secs(1), ..PostgresOptions::default() };
    let stopped = Arc::new(PostgresStore::open(&proxy.url(&subject.url), short).await.unwrap());
    proxy.arm(Cut::Freeze);
    let theirs = tokio::spawn({
        let stopped = Arc::clone(&stopped);
        async move { stopped.append(with_row(head, 2)).await }
    });
    // Its row is held by now, or soon; either way this one gets through.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let head = durable(subject.world().store.append(with_row(head, 3)).await);
    unknown(&theirs.await.unwrap());
    assert_eq!(truth(&stopped, &*subject.world().store, head, 2).await, head);
}

/// Eight writers that know nothing of each other: each write is there once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_storm_of_conflicts() {
    const EACH: u8 = 12;
    let subject = subject().await;
    subject.world().ledger(REALM, 0).await;
    let writers: Vec<_> = (0..8_u8)
        .map(|writer| {
            let url = subject.url.clone();
            tokio::spawn(async move {
                let store = open(&url).await;
                let mut head = store.head(REALM).await.unwrap();
                for number in 1..=EACH {
                    let number = writer * EACH + number;
                    head = loop {
                        match store.append(with_row(head, number)).await {
                            Appended::Durable(head) => break head,
                            Appended::Conflict(other) => head = other,
                            other => panic!("{other:?}"),
                        }
                    };
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let all = subject.world().all(REALM).await;
    let mut commands: Vec<u8> = all.iter().map(|one| one.entry.command_id.0[0]).collect();
    commands.sort_unstable();
    assert_eq!(commands, (1..=8 * EACH).collect::<Vec<_>>());
    let rows = subject.world().store.rows(REALM, "k", b"", 0, 1_000).await.unwrap();
    assert_eq!(rows.len(), commands.len());
}
