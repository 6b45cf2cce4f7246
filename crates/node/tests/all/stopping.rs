//! Stopping keeps what was acknowledged.

use futures::future::join_all;
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::Store;
use grantd_node::realm::realms::{CreateRealm, DEFAULT};
use std::sync::Arc;
use std::time::Duration;

use crate::support::{Rig, code, request, user};

#[tokio::test]
async fn what_the_writer_holds_is_written_before_the_store_is_closed() {
    let rig = Rig::new().await;
    let node = rig.node();
    let realm = node.realm(DEFAULT).await.unwrap();
    rig.store.delay_appends(Duration::from_millis(100));
    let (done, stopped) = tokio::join!(realm.submit(request(user("ann"))), node.stop());
    stopped.unwrap();
    assert_eq!(code(done), "done", "it was accepted before the stop");
    assert_eq!(code(realm.submit(request(user("bob"))).await), "unavailable");
}

#[tokio::test]
async fn the_next_start_finds_everything_and_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let open = || async { Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).await.unwrap()) };
    let node = |store: Arc<SqliteStore>| {
        grantd_node::Node::new(grantd_node::Settings {
            store,
            master_key: grantd_ledger::seal::MasterKey::from_bytes([7; 32]),
            schema: grantd_node::realm::builtin::schema().unwrap(),
            clock: Arc::new(grantd_node::SystemClock),
            decision_log: None,
            observer: Arc::new(()),
            follow: None,
        })
    };
    let store = open().await;
    store.create(DEFAULT, grantd_ledger::entry::LedgerId(uuid::Uuid::from_u128(1))).await.unwrap();
    let first = node(store);
    let realm = first.realm(DEFAULT).await.unwrap();
    realm.submit(request(CreateRealm { name: DEFAULT.into() })).await.unwrap();
    let logins: Vec<String> = (0..1_000).map(|n| format!("u{n}")).collect();
    let done = join_all(logins.iter().map(|login| realm.submit(request(user(login))))).await;
    let last = done.into_iter().map(|done| done.unwrap().revision).max().unwrap();
    let hash = realm.published().state.hash();
    first.stop().await.unwrap();
    drop((first, realm));

    let store = open().await;
    let (meta, _) = store.snapshot(DEFAULT).await.unwrap().expect("a long ledger leaves a snapshot");
    assert_eq!(meta.revision, last);
    let published = node(store).realm(DEFAULT).await.unwrap().published();
    assert_eq!((published.head.revision, published.state.hash()), (last, hash));
}
