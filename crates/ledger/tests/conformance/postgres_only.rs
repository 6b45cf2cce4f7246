//! What only the shared store does: several nodes, the server's clock, lost connections.

use std::sync::Arc;
use std::time::Duration;

use grantd_ledger::source::Source;
use grantd_ledger::store::{Appended, Store, StoreError};

use crate::postgres::{connect, open, subject};
use crate::world::{REALM, append_of, durable, ledger_id};

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn nodes_share_one_ledger() {
    let subject = subject().await;
    let world = subject.world();
    let head = world.ledger(REALM, 1).await;
    let other = open(&subject.url).await;
    assert!(other.is_shared());
    let next = durable(other.append(append_of(REALM, head, [2])).await);
    assert_eq!(world.store.head(REALM).await.unwrap(), next);
    let late = world.store.append(append_of(REALM, head, [3])).await;
    assert!(matches!(late, Appended::Conflict(told) if told == next), "{late:?}");
}

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn nodes_start_together() {
    let subject = subject().await;
    connect(&subject.url)
        .await
        .batch_execute(
            "DROP TABLE base_chunk, base, archived_value, snapshot_chunk, snapshot, ledger, entry, disclosure,
             ephemeral_row, secret, checkpoint, refinery_schema_history, migration_lock, unfinished",
        )
        .await
        .unwrap();
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let url = subject.url.clone();
            tokio::spawn(async move { open(&url).await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().realms().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_newer_format_is_refused() {
    let subject = subject().await;
    subject
        .world()
        .tamper
        .run("INSERT INTO refinery_schema_history VALUES (999, 'later', '2026-01-01T00:00:00Z', '1')")
        .await;
    let refused =
        grantd_ledger::postgres::PostgresStore::open(&subject.url, Default::default()).await.err().unwrap();
    assert!(matches!(refused, StoreError::TooNew { found: 999, .. }), "{refused:?}");
}

/// While somebody else's append holds the head, ours waits, and is told the head that came of it.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn an_append_waits_for_the_one_before() {
    let subject = subject().await;
    let world = subject.world();
    let head = world.ledger(REALM, 1).await;
    let other = connect(&subject.url).await;
    other.batch_execute("BEGIN; UPDATE ledger SET time = time + 1").await.unwrap();
    let store = Arc::clone(&world.store);
    let ours = tokio::spawn(async move { store.append(append_of(REALM, head, [2])).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!ours.is_finished());
    other.batch_execute("COMMIT").await.unwrap();
    match ours.await.unwrap() {
        Appended::Conflict(told) => assert_eq!(told.time, head.time + 1),
        appended => panic!("{appended:?}"),
    }
}

/// Sessions ended under our feet: an append that met one says so, and the next works.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn lost_sessions_heal() {
    let subject = subject().await;
    let world = subject.world();
    let head = world.ledger(REALM, 1).await;
    let other = connect(&subject.url).await;
    other.batch_execute("BEGIN; UPDATE ledger SET time = time + 1").await.unwrap();
    let store = Arc::clone(&world.store);
    let ours = tokio::spawn(async move { store.append(append_of(REALM, head, [2])).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    other
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE ledger%'
               AND pg_blocking_pids(pid) @> ARRAY[pg_backend_pid()];
             ROLLBACK",
        )
        .await
        .unwrap();
    let lost = ours.await.unwrap();
    assert!(matches!(lost, Appended::Rejected(StoreError::Unavailable(_))), "before COMMIT: {lost:?}");
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
    durable(world.store.append(append_of(REALM, head, [2])).await);
    world.store.reopen().await.unwrap();
}

/// The session ends while its COMMIT is at work. Nobody can tell from here, and after `reopen` everybody can.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_session_lost_in_commit_is_unknown() {
    let subject = subject().await;
    let world = subject.world();
    let head = world.ledger(REALM, 1).await;
    let other = connect(&subject.url).await;
    other
        .batch_execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(5); RETURN NULL; END';
             CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .await
        .unwrap();
    let store = Arc::clone(&world.store);
    let ours = tokio::spawn(async move { store.append(append_of(REALM, head, [2])).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ended = other
        .query(
            "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
             WHERE a.query = 'COMMIT' AND a.wait_event = 'PgSleep' AND l.relation = 'entry'::regclass",
            &[],
        )
        .await
        .unwrap();
    assert!(!ended.is_empty());
    let lost = ours.await.unwrap();
    assert!(matches!(lost, Appended::Unknown(StoreError::Unavailable(_))), "{lost:?}");
    other.batch_execute("DROP TRIGGER slow ON entry").await.unwrap();
    world.store.reopen().await.unwrap();
    assert_eq!(world.store.head(REALM).await.unwrap(), head);
    durable(world.store.append(append_of(REALM, head, [2])).await);
}

/// Others hear of an append, and we do not hear of our own; rows alone are not worth a word.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn appends_are_announced() {
    let subject = subject().await;
    // Not a name that another test of this server uses.
    let realm = uuid::Uuid::new_v4().to_string();
    let (here, there) = (subject.world().store, open(&subject.url).await);
    let (mut ours, mut theirs) = (here.announcements().unwrap(), there.announcements().unwrap());
    let mut head = here.create(&realm, ledger_id(1)).await.unwrap();
    let mut heard = async |number: u8| {
        // The first may be said before the other listens.
        loop {
            head = durable(here.append(append_of(&realm, head, [number])).await);
            let listening = async { while &*theirs.recv().await.unwrap() != realm.as_str() {} };
            if tokio::time::timeout(Duration::from_secs(2), listening).await.is_ok() {
                return;
            }
        }
    };
    heard(1).await;
    // The sessions that announce are ended, and come back by themselves.
    let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE (query LIKE '%pg_notify%' OR query LIKE '%LISTEN grantd') AND pid <> pg_backend_pid()";
    subject.world().tamper.run(sessions).await;
    heard(2).await;
    while let Ok(other) = ours.try_recv() {
        assert_ne!(&*other, realm.as_str(), "our own");
    }
}
