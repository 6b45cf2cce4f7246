//! Ephemeral rows that a command writes: with its entry, or alone.

use grantd_node::realm::caller::{Actor, Caller};
use grantd_node::realm::command::Secret;
use grantd_node::realm::session::{
    ChangePassword, Device, Entrance, Limits, SESSION_ROWS, SignIn, SignOut, SignOutEverywhere, Verified,
    rows_of,
};
use grantd_node::realm::user::{CreateUser, UpdateUser};
use grantd_node::{Realm, Request};
use grantd_testkit::faulty_store::Fault;

use crate::support::{Rig, code, does, request, user};

async fn ann(realm: &Realm) -> Verified {
    let password = Some(Secret("$argon2id$".into()));
    does(realm, CreateUser { password: password.clone(), ..user("ann") }).await;
    verified(realm)
}

fn verified(realm: &Realm) -> Verified {
    let user = realm.published().state.users().get("ann").cloned().unwrap();
    Verified { user: user.uuid, password: user.password.unwrap() }
}

fn by_ann<C>(command: C) -> Request<C> {
    Request { caller: Caller::local(Actor::User("ann".into())), ..request(command) }
}

fn sign_in(verified: Verified) -> Request<SignIn> {
    let (device, limits) = (Device::default(), Limits::default());
    by_ann(SignIn {
        login: "ann".into(),
        verified,
        instead_of: None,
        device,
        entrance: Entrance::Pages,
        limits,
    })
}

/// How many sessions of hers the store holds.
async fn sessions(rig: &Rig, realm: &Realm, of: Verified) -> usize {
    realm.rows(SESSION_ROWS, &rows_of(of.user), rig.clock.now(), 100).await.unwrap().len()
}

#[tokio::test]
async fn rows_alone_make_no_entry_and_are_there_for_every_node() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let ann = ann(&here).await;
    let before = here.published().head;
    let done = here.submit(sign_in(ann)).await.unwrap();
    assert!(done.answer.secret.is_some());
    assert_eq!((done.revision, here.published().head), (before.revision, before));
    assert_eq!(sessions(&rig, &there, ann).await, 1);
    let rows = there.rows(SESSION_ROWS, &rows_of(ann.user), rig.clock.now(), 100).await.unwrap();
    let row = there.row(SESSION_ROWS, &rows[0].0, rig.clock.now()).await.unwrap();
    assert_eq!(row.as_ref(), Some(&rows[0].1));
}

#[tokio::test]
async fn rows_are_decided_at_the_head() {
    let rig = Rig::shared().await;
    let (here, there) = (rig.realm().await, rig.realm().await);
    let ann = ann(&here).await;
    there.catch_up().await.unwrap();
    let password = Some(Secret("$other$".into()));
    does(&there, UpdateUser { login: "ann".into(), password, ..UpdateUser::default() }).await;
    let done = here.submit(sign_in(ann)).await.unwrap();
    assert!(done.answer.secret.is_none(), "the password that was verified is not hers any more");
    assert_eq!(sessions(&rig, &here, ann).await, 0);
}

#[tokio::test]
async fn rows_alone_are_written_whatever_the_store_does() {
    for fault in [
        Fault::Conflict,
        Fault::UnknownWritten,
        Fault::UnknownNotWritten,
        Fault::LandsBeforeNextAppend,
        Fault::LandsBeforeNextEntries,
    ] {
        for shared in [false, true] {
            let rig = if shared { Rig::shared().await } else { Rig::new().await };
            let realm = rig.realm().await;
            let ann = ann(&realm).await;
            rig.store.on_next_append(fault.clone());
            let done = realm.submit(sign_in(ann)).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert!(done.answer.secret.is_some());
            assert_eq!(
                sessions(&rig, &realm, ann).await,
                1,
                "{fault:?}: the same row, however often it was written"
            );
        }
    }
}

#[tokio::test]
async fn a_refused_append_writes_no_row() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let ann = ann(&realm).await;
    let full = grantd_ledger::store::StoreError::Full("scripted".into());
    rig.store.on_next_append(Fault::Rejected(full));
    assert_eq!(code(realm.submit(sign_in(ann)).await), "unavailable");
    assert_eq!(sessions(&rig, &realm, ann).await, 0);
}

#[tokio::test]
async fn rows_go_with_their_entry() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let ann = ann(&realm).await;
    realm.submit(sign_in(ann)).await.unwrap();
    let rows = realm.rows(SESSION_ROWS, &rows_of(ann.user), rig.clock.now(), 100).await.unwrap();
    let change = ChangePassword {
        login: "ann".into(),
        verified: ann,
        password: Secret("$new$".into()),
        instead_of: Some(rows[0].0.clone()),
        device: Device::default(),
        limits: Limits::default(),
    };
    let before = realm.published().head.revision;
    rig.store.on_next_append(Fault::UnknownWritten);
    let done = realm.submit(by_ann(change)).await.unwrap();
    assert_eq!(done.revision, before + 1);
    let now = realm.rows(SESSION_ROWS, &rows_of(ann.user), rig.clock.now(), 100).await.unwrap();
    assert_eq!(now.len(), 1);
    assert_ne!(now[0].0, rows[0].0);
}

#[tokio::test]
async fn many_at_once_are_one_append_each_with_its_rows() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let ann = ann(&realm).await;
    let all = (0..50).map(|_| realm.submit(sign_in(ann)));
    for done in futures::future::join_all(all).await {
        assert!(done.unwrap().answer.secret.is_some());
    }
    assert_eq!(sessions(&rig, &realm, ann).await, 50);
    let rows = realm.rows(SESSION_ROWS, &rows_of(ann.user), rig.clock.now(), 100).await.unwrap();
    let id = |key: &[u8]| uuid::Uuid::from_slice(&key[16..]).unwrap();
    let out = SignOut { login: "ann".into(), user: ann.user, id: id(&rows[7].0) };
    realm.submit(by_ann(out)).await.unwrap();
    assert_eq!(sessions(&rig, &realm, ann).await, 49);
    let everywhere = realm.submit(by_ann(SignOutEverywhere { login: "ann".into() })).await.unwrap();
    assert_eq!(everywhere.revision, realm.published().head.revision);
    assert_eq!(realm.published().state.users().get("ann").unwrap().sessions, 1);
}
