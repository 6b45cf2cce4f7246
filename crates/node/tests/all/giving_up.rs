//! A command that cannot be decided fails alone: neither its batch nor the writer goes with it.

use futures::future::join_all;
use grantd_node::realm::change::Change;
use grantd_node::realm::{Authority, Command, Context, Decision, Refusal, State};

use crate::support::{Rig, code, does, request, user};

/// Half done, then dead.
struct Panics;

impl Command for Panics {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, _: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        panic!("on purpose")
    }
}

/// Its second change does not fit the state that its first one leaves.
struct Misfits;

impl Command for Misfits {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, _: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let once = Change::RealmListed { name: "half".into() };
        let never = Change::UserDeleted { login: "nobody".into() };
        Ok(Decision::all(vec![once, never], ()))
    }
}

#[tokio::test]
async fn the_others_of_its_batch_are_carried_out() {
    let rig = Rig::new().await;
    let realm = rig.realm().await;
    let logins: Vec<String> = (0..8).map(|n| format!("u{n}")).collect();
    let users = join_all(logins.iter().map(|login| realm.submit(request(user(login)))));
    let (panicked, misfitted, users) =
        tokio::join!(realm.submit(request(Panics)), realm.submit(request(Misfits)), users);
    assert_eq!((code(panicked), code(misfitted)), ("broken".into(), "broken".into()));
    assert!(users.into_iter().all(|done| code(done) == "done"));
    assert!(!realm.published().state.realms().contains("half"), "nothing half-done is left");
    does(&realm, user("later")).await;
}
