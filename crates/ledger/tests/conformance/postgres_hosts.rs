//! Several hosts, of which one takes writes; and a commit that the replica did not confirm.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use grantd_ledger::postgres::{PostgresOptions, PostgresStore};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Appended, Store, StoreError};

use crate::postgres::{connect, open};
use crate::private::Private;
use crate::world::{REALM, append_of, command, ledger_id};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Has the server read its settings again, and waits until a new session shows this one.
async fn reload(server: &Private, setting: &str, value: &str) {
    connect(&server.url()).await.query("SELECT pg_reload_conf()", &[]).await.unwrap();
    let show = format!("SHOW {setting}");
    while connect(&server.url()).await.query_one(&show, &[]).await.unwrap().get::<_, String>(0) != value {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first is dead, the second silent, the third read-only, the fourth takes writes.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn the_host_that_takes_writes_is_found() {
    let writes = Private::start(&[], |_| {}).await;
    let reads = Private::start(&["default_transaction_read_only=on"], |_| {}).await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = free_port();
    let hosts = [dead, silent.local_addr().unwrap().port(), reads.port, writes.port]
        .map(|port| format!("127.0.0.1:{port}"))
        .join(",");
    let options =
        PostgresOptions { connect_timeout: Duration::from_millis(700), ..PostgresOptions::default() };
    let store =
        PostgresStore::open(&format!("postgres://postgres@{hosts}/postgres"), options.clone()).await.unwrap();
    store.create(REALM, ledger_id(1)).await.unwrap();
    store.reopen().await.unwrap();
    let ledgers = connect(&writes.url()).await.query("SELECT realm FROM ledger", &[]).await.unwrap();
    assert_eq!(ledgers.len(), 1);

    // What each said, when none is left.
    drop(store);
    let hosts = format!("127.0.0.1:{dead},127.0.0.1:{}", reads.port);
    let address = format!("postgres://postgres:secret@{hosts}/postgres");
    let Err(error) = PostgresStore::open(&address, options).await else { panic!("nobody takes writes") };
    let text = error.to_string();
    assert!(
        text.contains(&format!("127.0.0.1:{dead}: ")) && text.contains("does not allow writes"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

/// A server that becomes read-only under our feet is left for the one that took over.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_demoted_host_is_left() {
    let (one, two) = (Private::start(&[], |_| {}).await, Private::start(&[], |_| {}).await);
    // The second has the same tables and ledger.
    for server in [&two, &one] {
        open(&server.url()).await.create(REALM, ledger_id(1)).await.unwrap();
    }
    let address = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres", one.port, two.port);
    let store = open(&address).await;
    let head = store.head(REALM).await.unwrap();
    let first = connect(&one.url()).await;
    first.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on").await.unwrap();
    reload(&one, "default_transaction_read_only", "on").await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'grantd'";
    first.query(end, &[]).await.unwrap();
    let mut tries = 0;
    let head = loop {
        match store.append(append_of(REALM, head, [2])).await {
            Appended::Durable(head) => break head,
            Appended::Rejected(_) | Appended::Unknown(_) if tries < 20 => tries += 1,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(open(&two.url()).await.head(REALM).await.unwrap(), head);
}

/// The wait for a synchronous replica is broken off: the entry is there, but perhaps only there.
#[tokio::test]
#[ignore = "set GRANTD_TEST_POSTGRES to a connection string and add --include-ignored"]
async fn a_commit_that_no_replica_confirmed_is_unknown() {
    let server = Private::start(&[], |_| {}).await;
    let store = Arc::new(open(&server.url()).await);
    let head = store.create(REALM, ledger_id(1)).await.unwrap();
    let admin = connect(&server.url()).await;
    let replicas = async |names: &str| {
        admin
            .batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"))
            .await
            .unwrap();
        reload(&server, "synchronous_standby_names", names).await;
    };
    replicas("nobody").await;
    let ours = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.append(append_of(REALM, head, [2])).await }
    });
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    while admin.query(cancel, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let appended = ours.await.unwrap();
    assert!(matches!(appended, Appended::Unknown(StoreError::Unavailable(_))), "{appended:?}");

    // Settling waits for the replica too, and is no answer when that is broken off.
    let settling = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.reopen().await }
    });
    while admin.query(cancel, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(settling.await.unwrap().is_err());

    replicas("").await;
    store.reopen().await.unwrap();
    assert_eq!(store.find_commands(REALM, &[command(2)]).await.unwrap().len(), 1);
    assert_eq!(store.head(REALM).await.unwrap().revision, 1);
}
