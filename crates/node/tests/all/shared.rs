//! Two nodes on one store.

use grantd_ledger::entry::{ChangeBytes, CommandId, Draft};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, Appended, Store as _};
use grantd_node::LoadError;
use grantd_node::realm::realms::DEFAULT;

use crate::support::{Rig, code, does, request, user};

#[tokio::test]
async fn catching_up_sees_what_another_node_wrote() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let done = does(&there, user("ann")).await;
    assert!(here.published().head.revision < done.revision);
    here.catch_up().await.unwrap();
    assert_eq!(here.published().head, there.published().head);
    assert_eq!(here.published().state.hash(), there.published().state.hash());
    assert!(here.wait_for(done.revision, std::time::Duration::ZERO).await);
}

#[tokio::test]
async fn catching_up_with_a_store_that_is_down_fails() {
    let rig = Rig::shared().await;
    let realm = rig.realm().await;
    // One failure may be that of a connection.
    rig.store.fail_reads(1);
    realm.catch_up().await.unwrap();
    rig.store.fail_reads(2);
    assert_eq!(code(realm.catch_up().await), "unavailable");
    realm.catch_up().await.unwrap();
}

#[tokio::test]
async fn two_nodes_that_write_at_once_lose_nothing() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    for n in 0..20 {
        let (a, b) = (format!("a{n}"), format!("b{n}"));
        let (a, b) = tokio::join!(here.submit(request(user(&a))), there.submit(request(user(&b))));
        assert_ne!(a.unwrap().revision, b.unwrap().revision);
    }
    here.catch_up().await.unwrap();
    there.catch_up().await.unwrap();
    assert_eq!(here.published().state.users().iter_after(None).count(), 40);
    assert_eq!(here.published().state.hash(), there.published().state.hash());
}

/// An entry with a change that only a newer grantd knows.
async fn a_newer_grantd_writes(rig: &Rig) {
    let mut append = Append::on(DEFAULT, rig.store.head(DEFAULT).await.unwrap());
    append.drafts.push(Draft {
        time: append.expected.time,
        actor: "system:newer".into(),
        via: "test".into(),
        command_id: CommandId([1; 16]),
        reason: None,
        changes: vec![ChangeBytes { kind: 60_000, version: 1, body: vec![1, 2, 3] }],
        disclosures: Vec::new(),
    });
    assert!(matches!(rig.store.append(append).await, Appended::Durable(_)));
}

#[tokio::test]
async fn a_change_of_an_unknown_kind_is_never_skipped() {
    let rig = Rig::shared().await;
    let running = rig.realm().await;
    let before = running.published().head;
    a_newer_grantd_writes(&rig).await;
    let revision = before.revision + 1;
    match rig.node().realm(DEFAULT).await.map(|_| ()) {
        Err(error @ LoadError::Fold(_)) => {
            let text = error.to_string();
            assert!(text.contains(&format!("revision {revision}")) && text.contains("kind 60000"), "{text}");
            assert!(text.contains("newer"), "says what to do: {text}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(code(running.catch_up().await), "broken");
    assert_eq!(code(running.submit(request(user("ann"))).await), "broken");
    assert_eq!(running.published().head, before, "what can be read is still served");
}
