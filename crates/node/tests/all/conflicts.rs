//! Somebody else's append came first: the rest is decided again, as the same commands.

use grantd_ledger::store::StoreError;
use grantd_testkit::faulty_store::Fault;

use crate::support::{Rig, code, does, keyed, request, user};

#[tokio::test]
async fn what_is_decided_again_has_the_same_ids_salts_and_time() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.on_next_append(Fault::Conflict);
    does(&realm, user("ann")).await;
    let seen = rig.store.seen();
    let [.., first, second] = &seen[..] else { panic!("two attempts") };
    assert_eq!(first.drafts, second.drafts);
    assert_eq!(rig.times_made("ann").await, 1);
}

#[tokio::test]
async fn what_somebody_else_wrote_is_decided_on() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    does(&there, user("ann")).await;
    assert!(here.published().state.users().get("ann").is_none(), "not seen yet");
    assert_eq!(code(here.submit(request(user("ann"))).await), "already_exists");
    let bob = does(&here, user("bob")).await;
    assert_eq!(bob.revision, here.published().head.revision);
    assert_eq!(bob.answer.number, 2);
    assert_eq!((rig.times_made("ann").await, rig.times_made("bob").await), (1, 1));
}

#[tokio::test]
async fn conflicts_without_end_are_given_up() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let next = rig.store.appends();
    (next..next + 1_000).for_each(|index| rig.store.on_append(index, Fault::Conflict));
    assert_eq!(code(realm.submit(request(user("ann"))).await), "unavailable");
    assert_eq!(rig.times_made("ann").await, 0);
    does(&realm, user("ann")).await;
}

#[tokio::test]
async fn a_store_that_takes_nothing_says_so_and_changes_nothing() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let before = realm.published().state.hash();
    rig.store.on_next_append(Fault::Rejected(StoreError::Full("no room".into())));
    let (one, other) = tokio::join!(realm.submit(request(user("ann"))), realm.submit(request(user("ann"))));
    assert_eq!(
        (code(one), code(other)),
        ("unavailable".into(), "unavailable".into()),
        "nor is a refusal believed"
    );
    assert_eq!(realm.published().state.hash(), before);
    does(&realm, user("ann")).await;
}

#[tokio::test]
async fn the_same_request_through_two_nodes_at_once_is_done_once() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    // Both look for a remembered answer before either has one.
    rig.store.delay_appends(std::time::Duration::from_millis(5));
    for n in 0..10 {
        let (login, key) = (format!("u{n}"), format!("key {n}"));
        let request = || keyed(user(&login), &key, &login);
        let (a, b) = tokio::join!(here.submit(request()), there.submit(request()));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.answer.uuid, a.revision), (b.answer.uuid, b.revision));
        assert!(a.replayed != b.replayed, "one of the two did it");
        assert_eq!(rig.times_made(&login).await, 1);
    }
}
