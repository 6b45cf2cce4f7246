//! The first start.

use grantd_ledger::source::Source;
use grantd_ledger::store::StoreError;
use grantd_node::bootstrap::{First, bootstrap, is_done};
use grantd_node::realm::caller::{Actor, Authority, Caller};
use grantd_node::realm::command::Secret;
use grantd_node::realm::realms::{DEFAULT, SYSTEM};
use grantd_testkit::faulty_store::Fault;

use crate::support::Rig;

fn first() -> First {
    First { api_key: None, password_hash: Secret("$hash$".into()), password: Some(Secret("shown".into())) }
}

/// What every first start must have made.
async fn is_whole(rig: &Rig) {
    let node = rig.node();
    assert!(is_done(&node).await.unwrap());
    let system = node.realm(SYSTEM).await.unwrap().published();
    assert_eq!(system.state.name(), SYSTEM);
    assert_eq!(system.state.api_keys().iter_after(None).count(), 1);
    let key = system.state.api_keys().iter_after(None).next().unwrap().id;
    let key = Caller::local(Actor::ApiKey(key));
    assert!(key.holds(Authority::Admin, &system.state, node.now()));
    let default = node.realm(DEFAULT).await.unwrap().published();
    let admin = Caller::local(Actor::User("admin".into()));
    assert!(admin.holds(Authority::Admin, &default.state, node.now()));
    assert_eq!(default.state.users().iter_after(None).count(), 1);
    assert_eq!(rig.store.realms().await.unwrap(), [DEFAULT, SYSTEM]);
}

#[tokio::test]
async fn it_makes_a_key_and_a_super_user_and_shows_them_once() {
    let rig = Rig::bare().await;
    let node = rig.node();
    assert!(!is_done(&node).await.unwrap());
    let made = bootstrap(&node, first()).await.unwrap();
    assert!(made.api_key.is_some_and(|key| key.0.starts_with("gdk_")));
    assert_eq!(made.password, Some(Secret("shown".into())));
    is_whole(&rig).await;
    let again = bootstrap(&rig.node(), first()).await.unwrap();
    assert_eq!((again.api_key, again.password), (None, None));
    is_whole(&rig).await;
}

#[tokio::test]
async fn a_given_key_is_not_shown() {
    let rig = Rig::bare().await;
    let given = Secret("gdk_0123456789012345".into());
    let made =
        bootstrap(&rig.node(), First { api_key: Some(given.clone()), password: None, ..first() }).await;
    let made = made.unwrap();
    assert_eq!((made.api_key, made.password), (None, None));
    let system = rig.node().realm(SYSTEM).await.unwrap().published();
    assert!(system.state.bearer(&grantd_node::realm::entropy::secret_hash(&given.0)).is_some());
}

#[tokio::test]
async fn interrupted_before_any_append_it_is_completed_at_the_next_start() {
    for interrupted_at in 0.. {
        let rig = Rig::bare().await;
        let fault = Fault::Rejected(StoreError::Unavailable("the process ends here".into()));
        rig.store.on_append(interrupted_at, fault);
        if bootstrap(&rig.node(), first()).await.is_ok() {
            assert!(interrupted_at >= 5, "two realms, a key, a user, a listing: {interrupted_at} appends");
            return;
        }
        assert!(!is_done(&rig.node()).await.unwrap(), "interrupted at {interrupted_at}");
        bootstrap(&rig.node(), first()).await.unwrap();
        is_whole(&rig).await;
    }
}

#[tokio::test]
async fn an_append_of_unknown_fate_does_nothing_twice() {
    for fault in [Fault::UnknownWritten, Fault::UnknownNotWritten] {
        for index in 0..5 {
            let rig = Rig::bare().await;
            rig.store.on_append(index, fault.clone());
            let made = bootstrap(&rig.node(), first()).await.unwrap();
            assert!(made.api_key.is_some() && made.password.is_some());
            is_whole(&rig).await;
        }
    }
}
