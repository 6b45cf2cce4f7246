//! Nobody gives what they do not hold, and nobody takes over who holds more.

use grantd_realm::Refusal;
use grantd_realm::api_key::{CreateApiKey, RevokeApiKey};
use grantd_realm::caller::Authority::{Admin, Approver, Auditor, Checker, Operator, Requester, Writer};
use grantd_realm::caller::{Actor, Authority, Caller};
use grantd_realm::command::Secret;
use grantd_realm::identity::CreateIdentity;
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::realms::ListRealm;
use grantd_realm::user::{CreateUser, DeleteUser, UpdateUser};

use crate::support::{World, came_to, deleting, with, writing};

fn key(grants: &[Authority]) -> CreateApiKey {
    CreateApiKey { name: "key".into(), expires: None, grants: grants.to_vec(), secret: None }
}

fn user(login: &str, roles: &[&str]) -> CreateUser {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    CreateUser {
        login: login.into(),
        password: Some(Secret("$hash$".into())),
        roles,
        ..CreateUser::default()
    }
}

#[test]
fn a_command_needs_its_authority() {
    let mut world = World::new();
    assert_eq!(world.tries(&with(&[Writer]), key(&[])).map(|_| ()), Err(Refusal::NotAllowed(Operator)));
    assert_eq!(
        world.tries(&with(&[Writer]), user("ann", &[])).map(|_| ()),
        Err(Refusal::NotAllowed(Operator))
    );
    assert_eq!(
        world.tries(&with(&[Operator]), CreateIdentity { managed: false }).map(|_| ()),
        Err(Refusal::NotAllowed(Writer))
    );
    assert_eq!(
        world.tries(&with(&[Operator, Writer]), ListRealm { name: "x".into() }),
        Err(Refusal::NotAllowed(Admin))
    );
    let nobody = Caller::local(Actor::Identity(uuid::Uuid::from_u128(1)));
    assert_eq!(world.tries(&nobody, writing("role:qa#member@user:ann")), Err(Refusal::NotAllowed(Writer)));
    let system_without_power = Caller::local(Actor::System("test"));
    assert!(world.tries(&system_without_power, writing("role:qa#member@user:ann")).is_err());
}

#[test]
fn a_key_gets_what_its_maker_holds() {
    let mut world = World::new();
    let operator = world.user_with("op", &[Operator, Checker, Requester]);
    assert!(world.tries(&operator, key(&[])).is_ok(), "checker and requester");
    assert!(world.tries(&operator, key(&[Operator])).is_ok());
    assert_eq!(world.tries(&operator, key(&[Auditor])).map(|_| ()), Err(Refusal::NotHeld(Auditor)));
    assert_eq!(world.tries(&operator, key(&[Admin])).map(|_| ()), Err(Refusal::NotHeld(Admin)));
    let bare = world.user_with("bare", &[Operator]);
    assert_eq!(world.tries(&bare, key(&[])).map(|_| ()), Err(Refusal::NotHeld(Checker)));
}

#[test]
fn a_key_that_holds_more_is_revoked_only_by_who_holds_it_too() {
    let mut world = World::new();
    let id = world.does(key(&[Auditor])).id;
    let operator = world.user_with("op", &[Operator]);
    assert_eq!(world.tries(&operator, RevokeApiKey { id }), Err(Refusal::NotHeld(Auditor)));
    assert!(world.tries(&with(&[Operator, Auditor]), RevokeApiKey { id }).is_ok());
}

#[test]
fn a_user_gets_no_role_that_confers_more_than_the_maker_holds() {
    let mut world = World::new();
    world.force("grantd:default#approver@role:board#member");
    world.force("role:board#member@role:juniors#member");
    let operator = with(&[Operator]);
    for role in ["board", "juniors"] {
        assert_eq!(world.tries(&operator, user("ann", &[role])).map(|_| ()), Err(Refusal::NotHeld(Approver)));
    }
    assert_eq!(world.tries(&operator, user("ann", &[SUPER_USERS])).map(|_| ()), Err(Refusal::NotHeld(Admin)));
    ["qa", "juniors"].into_iter().for_each(|role| world.role(role));
    assert!(world.tries(&operator, user("ann", &["qa"])).is_ok());
    assert!(world.tries(&with(&[Operator, Approver]), user("bob", &["juniors"])).is_ok());
    assert!(world.state.holds(
        grantd_realm::engine::ObjectRef { kind: "user", id: "bob" },
        Approver,
        world.now
    ));
}

#[test]
fn who_makes_a_user_with_a_password_could_act_as_them() {
    let mut world = World::new();
    // An admin named the login before there was such a user.
    world.does(writing("grantd:default#auditor@user:ann"));
    assert_eq!(world.tries(&with(&[Operator]), user("ann", &[])).map(|_| ()), Err(Refusal::NotHeld(Auditor)));
    assert!(world.tries(&with(&[Operator, Auditor]), user("ann", &[])).is_ok());
}

#[test]
fn nobody_takes_over_who_holds_more() {
    let mut world = World::new();
    world.super_user("boss");
    let operator = world.user_with("op", &[Operator]);
    let password = || Some(Secret("$hash$".into()));
    let take = || UpdateUser { login: "boss".into(), password: password(), ..UpdateUser::default() };
    let shut = || UpdateUser { login: "boss".into(), active: Some(false), ..UpdateUser::default() };
    assert_eq!(world.tries(&operator, take()).map(|_| ()), Err(Refusal::NotHeld(Admin)));
    assert_eq!(world.tries(&operator, shut()).map(|_| ()), Err(Refusal::NotHeld(Admin)));
    assert_eq!(
        world.tries(&operator, DeleteUser { login: "boss".into(), ..DeleteUser::default() }),
        Err(Refusal::NotHeld(Admin))
    );
    let other_boss = world.super_user("other");
    assert!(world.tries(&other_boss, take()).is_ok());
    assert!(world.tries(&other_boss, DeleteUser { login: "boss".into(), ..DeleteUser::default() }).is_ok());
}

#[test]
fn a_relationship_that_confers_needs_it_held_to_write_and_to_delete() {
    let mut world = World::new();
    world.force("grantd:default#approver@role:board#member");
    let writer = world.user_with("wri", &[Writer]);
    for (key, lacking) in [
        ("grantd:default#operator@user:wri", Operator),
        ("grantd:default#operator@role:qa#member", Operator),
        ("role:board#member@user:wri", Approver),
        ("role:board#member@role:qa#member", Approver),
    ] {
        assert_eq!(world.tries(&writer, writing(key)), Err(Refusal::NotHeld(lacking)), "{key}");
        assert_eq!(world.tries(&writer, deleting(key)), Err(Refusal::NotHeld(lacking)), "{key}");
    }
    assert_eq!(world.tries(&writer, writing("grantd:default#checker@user:ann")), Ok(came_to(1, 0)));
    assert_eq!(world.tries(&writer, writing("role:qa#member@user:wri")), Ok(came_to(1, 0)));
    // The role is worth more from now on: the writer is no longer who says who is in it.
    world.force("grantd:default#operator@role:qa#member");
    world.does(deleting("role:qa#member@user:wri"));
    assert_eq!(world.tries(&writer, writing("role:qa#member@user:ann")), Err(Refusal::NotHeld(Operator)));
}
