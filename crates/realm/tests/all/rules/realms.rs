//! Realms are made, listed, deleted, and made again with nothing in them.

use grantd_realm::Refusal;
use grantd_realm::api_key::CreateApiKey;
use grantd_realm::caller::Authority;
use grantd_realm::command::{SealedWrite, Secret};
use grantd_realm::identity::CreateIdentity;
use grantd_realm::realms::{CreateRealm, DeleteRealm, ListRealm, UnlistRealm};
use grantd_realm::user::CreateUser;

use crate::support::{World, invalid_field, root, with, writing};

fn acme() -> World {
    let mut world = World::before_the_first_entry();
    world.does(CreateRealm { name: "acme".into() });
    world
}

fn delete(name: &str) -> DeleteRealm {
    DeleteRealm { name: name.into() }
}

#[test]
fn a_deleted_realm_is_as_one_never_made() {
    let mut world = acme();
    let never = World::before_the_first_entry().state.hash();
    let password = Some(Secret("$argon2id$".into()));
    world.does(CreateUser { login: "ann".into(), password, ..CreateUser::default() });
    world.does(writing("role:qa#member@user:ann"));
    world.does(CreateIdentity { managed: false });
    let uuid = world.state.users().get("ann").expect("ann").uuid;
    let (changes, sealed, ()) = world.decides(&root(), &delete("acme")).expect("deleted");
    assert_eq!(sealed, [SealedWrite::Delete { name: format!("password/{uuid}") }]);
    world.applies(changes);
    assert_eq!(world.state.hash(), never);

    world.does(CreateRealm { name: "acme".into() });
    assert!(world.state.users().get("ann").is_none());
    assert!(!world.allows("user:ann", "member", "role:qa"));
    let fresh = CreateUser { login: "ann".into(), ..CreateUser::default() };
    world.does(fresh);
    assert!(!world.allows("user:ann", "member", "role:qa"));
}

#[test]
fn where_there_is_no_realm_every_other_command_is_refused() {
    let mut world = acme();
    world.does(delete("acme"));
    for caller in [root(), with(&Authority::ALL)] {
        assert_eq!(world.tries(&caller, writing("role:qa#member@user:ann")), Err(Refusal::NoRealm));
        assert_eq!(world.tries(&caller, delete("acme")), Err(Refusal::NoRealm));
        let key = CreateApiKey { name: "k".into(), expires: None, grants: Vec::new(), secret: None };
        assert_eq!(world.tries(&caller, key).map(|_| ()), Err(Refusal::NoRealm));
    }
}

#[test]
fn who_rules_in_a_realm_does_not_rule_over_it() {
    let mut world = acme();
    let own = world.super_user("ann");
    assert_eq!(world.tries(&own, delete("acme")), Err(Refusal::NotAllowed(Authority::Admin)));
    let lesser = with(&[Authority::Operator, Authority::Writer]);
    assert_eq!(world.tries(&lesser, delete("acme")), Err(Refusal::NotAllowed(Authority::Admin)));
    assert_eq!(world.tries(&with(&[Authority::Admin]), delete("acme")), Ok(()));
}

#[test]
fn another_name_deletes_nothing_and_two_realms_always_stay() {
    let mut world = acme();
    assert!(matches!(world.tries(&root(), delete("acne")), Err(Refusal::NotFound { .. })));
    let mut default = World::new();
    assert_eq!(invalid_field(default.tries(&root(), delete("default"))), "name");
    assert_eq!(invalid_field(acme().tries(&root(), delete("system"))), "name");
    assert_eq!(world.state.name(), "acme");
}

#[test]
fn the_list_says_what_it_changed() {
    let mut world = World::new();
    let list = |name: &str| ListRealm { name: name.into() };
    let unlist = |name: &str| UnlistRealm { name: name.into() };
    assert!(world.does(list("b")) && world.does(list("a")));
    assert!(!world.does(list("a")));
    let names = |world: &World, after: Option<&str>| {
        world.state.realms().iter_after(after).map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world, None), ["a", "b"]);
    assert_eq!(names(&world, Some("a")), ["b"]);
    assert!(world.does(unlist("a")));
    assert!(!world.does(unlist("a")));
    assert_eq!(names(&world, None), ["b"]);
    assert!(world.does(list("a")), "and listed again");
}
