//! The store failed in the middle of an append: was it written?

use std::time::Duration;

use grantd_testkit::faulty_store::Fault;

use crate::support::{A_DAY_AND_AN_HOUR, Rig, code, does, keyed, request, user};

#[tokio::test]
async fn what_was_written_is_found_and_answered_as_done() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.on_next_append(Fault::UnknownWritten);
    let appends = rig.store.appends();
    let done = does(&realm, user("ann")).await;
    assert_eq!(done.revision, realm.published().head.revision);
    assert_eq!((rig.times_made("ann").await, rig.store.appends() - appends), (1, 1));
    assert!(rig.store.reopens() > 0, "what the store believes is not what it stored");
    assert_eq!(realm.published().state.users().get("ann").unwrap().uuid, done.answer.uuid);
}

#[tokio::test]
async fn what_was_not_written_is_written() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.on_next_append(Fault::UnknownNotWritten);
    let done = does(&realm, user("ann")).await;
    assert_eq!(done.revision, realm.published().head.revision);
    assert_eq!(rig.times_made("ann").await, 1);
    let seen = rig.store.seen();
    let [.., first, second] = &seen[..] else { panic!("two attempts") };
    assert_eq!(first.drafts, second.drafts);
}

#[tokio::test]
async fn a_whole_batch_is_found() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.on_next_append(Fault::UnknownWritten);
    let (ann, bob, again) = tokio::join!(
        realm.submit(request(user("ann"))),
        realm.submit(request(user("bob"))),
        realm.submit(request(user("ann"))),
    );
    assert_eq!(bob.unwrap().revision, ann.unwrap().revision + 1);
    assert_eq!(code(again), "already_exists");
    assert_eq!((rig.times_made("ann").await, rig.times_made("bob").await), (1, 1));
}

#[tokio::test]
async fn what_lands_late_is_done_once() {
    for fault in [Fault::LandsBeforeNextAppend, Fault::LandsBeforeNextEntries] {
        let rig = Rig::shared().await;
        let realm = rig.realm().await;
        rig.store.on_next_append(fault.clone());
        let done = realm.submit(request(user("ann"))).await;
        let done = done.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(rig.times_made("ann").await, 1, "{fault:?}");
        let published = realm.published();
        let ann = published.state.users().get("ann").unwrap();
        assert_eq!(
            (done.answer.uuid, done.answer.created_at, done.revision),
            (ann.uuid, ann.created_at, published.head.revision),
            "{fault:?}: the answer is what stands in the ledger"
        );
    }
}

#[tokio::test]
async fn an_old_command_of_the_same_key_is_not_mistaken_for_this_one() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    realm.submit(keyed(user("ann"), "key", "ann")).await.unwrap();
    rig.clock.advance(A_DAY_AND_AN_HOUR);
    rig.store.on_next_append(Fault::UnknownNotWritten);
    let done = realm.submit(keyed(user("bob"), "key", "bob")).await.unwrap();
    assert_eq!(rig.times_made("bob").await, 1, "answered as done, and not done");
    assert_eq!(done.revision, realm.published().head.revision);
}

#[tokio::test]
async fn while_the_store_stays_down_nobody_knows_and_afterwards_the_key_tells() {
    for (fault, written) in [(Fault::UnknownWritten, true), (Fault::UnknownNotWritten, false)] {
        let rig = Rig::new().await;
        let realm = rig.realm().await;
        rig.store.on_next_append(fault);
        rig.store.fail_reopens(1_000);
        let ann = || keyed(user("ann"), "key", "body");
        assert_eq!(code(realm.submit(ann()).await), "outcome unknown");
        assert_eq!(
            code(realm.submit(request(user("bob"))).await),
            "unavailable",
            "nothing is decided before"
        );
        rig.store.fail_reopens(0);
        let first = realm.submit(ann()).await.unwrap();
        assert_eq!(first.replayed, written);
        let second = realm.submit(ann()).await.unwrap();
        assert!(second.replayed);
        assert_eq!((first.revision, first.answer.uuid), (second.revision, second.answer.uuid));
        assert_eq!(rig.times_made("ann").await, 1);
        does(&realm, user("bob")).await;
    }
}

#[tokio::test]
async fn once_the_store_is_well_reads_catch_up_without_a_write() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.on_next_append(Fault::UnknownWritten);
    // As often as the writer asks before it gives up.
    rig.store.fail_reopens(6);
    assert_eq!(code(realm.submit(request(user("ann"))).await), "outcome unknown");
    let next = realm.published().head.revision + 1;
    assert!(realm.wait_for(next, Duration::from_secs(10)).await, "nobody wrote since");
    assert!(realm.published().state.users().get("ann").is_some());
}
