//! A repeated request is carried out once.

use std::time::Duration;

use grantd_node::realm::api_key::CreateApiKey;
use grantd_node::realm::caller::{Actor, Caller};
use grantd_node::{Idempotency, Request};

use crate::support::{A_DAY_AND_AN_HOUR, Rig, code, keyed, request, user};

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_without_its_secret() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let key = || CreateApiKey { name: "ci".into(), expires: None, grants: Vec::new(), secret: None };
    let first = realm.submit(keyed(key(), "k", "b")).await.unwrap();
    let entries = rig.ledger().await.len();
    let second = realm.submit(keyed(key(), "k", "b")).await.unwrap();
    assert!(!first.replayed && second.replayed);
    assert!(first.answer.secret.is_some() && second.answer.secret.is_none());
    assert_eq!(
        (first.answer.id, first.revision, first.time),
        (second.answer.id, second.revision, second.time)
    );
    assert_eq!(rig.ledger().await.len(), entries);
    assert_eq!(realm.published().state.api_keys().iter_after(None).count(), 1);
    // Nor does another node, or the next start, carry it out again.
    let elsewhere = rig.realm().await.submit(keyed(key(), "k", "b")).await.unwrap();
    assert_eq!((elsewhere.replayed, elsewhere.answer.id), (true, first.answer.id));
}

#[tokio::test]
async fn twice_in_one_batch_is_once() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    rig.store.delay_appends(Duration::from_millis(20));
    let ann = || realm.submit(keyed(user("ann"), "k", "b"));
    let (one, bob, two, three) = tokio::join!(ann(), realm.submit(request(user("bob"))), ann(), ann());
    let (one, two, three) = (one.unwrap(), two.unwrap(), three.unwrap());
    assert_eq!([one.replayed, two.replayed, three.replayed], [false, true, true]);
    assert_eq!([two.answer.uuid, three.answer.uuid], [one.answer.uuid; 2]);
    bob.unwrap();
    assert_eq!(rig.times_made("ann").await, 1);
}

#[tokio::test]
async fn a_key_used_again_for_something_else_is_refused() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    realm.submit(keyed(user("ann"), "k", "ann")).await.unwrap();
    assert_eq!(code(realm.submit(keyed(user("bob"), "k", "bob")).await), "idempotency_key_reused");
    assert_eq!(rig.times_made("bob").await, 0);
    // At once, in one batch, as well.
    let (one, two) = tokio::join!(
        realm.submit(keyed(user("cyd"), "other", "cyd")),
        realm.submit(keyed(user("dan"), "other", "dan")),
    );
    assert_eq!((code(one), code(two)), ("done".into(), "idempotency_key_reused".into()));
}

#[tokio::test]
async fn a_key_is_the_callers_own_and_the_routes() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    realm.submit(keyed(user("ann"), "k", "b")).await.unwrap();
    let mine = Caller::system("test");
    let conferred = mine.conferred;
    let other = Caller { actor: Actor::SystemKey(uuid::Uuid::from_u128(1)), conferred };
    for (caller, route, login) in [(&other, "POST /test", "bob"), (&mine, "POST /elsewhere", "cyd")] {
        let idempotency = Some(Idempotency::new(caller, route, "k", b"b"));
        let request = Request { idempotency, caller: caller.clone(), ..request(user(login)) };
        assert!(!realm.submit(request).await.unwrap().replayed);
    }
    assert_eq!((rig.times_made("bob").await, rig.times_made("cyd").await), (1, 1));
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    realm.submit(request(user("ann"))).await.unwrap();
    assert_eq!(code(realm.submit(keyed(user("ann"), "k", "b")).await), "already_exists");
    let delete = grantd_node::realm::user::DeleteUser { login: "ann".into(), ..Default::default() };
    realm.submit(request(delete)).await.unwrap();
    assert!(!realm.submit(keyed(user("ann"), "k", "b")).await.unwrap().replayed);
}

#[tokio::test]
async fn an_answer_is_remembered_for_a_day() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    realm.submit(keyed(user("ann"), "k", "b")).await.unwrap();
    rig.clock.advance(A_DAY_AND_AN_HOUR - 2 * 3_600 * 1_000_000);
    assert!(realm.submit(keyed(user("ann"), "k", "b")).await.unwrap().replayed);
    rig.clock.advance(2 * 3_600 * 1_000_000);
    assert_eq!(code(realm.submit(keyed(user("ann"), "k", "b")).await), "already_exists", "carried out anew");
}
