//! Roles: who makes them, who is in them, what becomes of them.

use grantd_realm::caller::Authority::{self, Admin, Approver, Operator};
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::pulp::{GrantOperations, Grantee, Operation, PulpUri, may, permissions, role_permissions};
use grantd_realm::refusal::Noun;
use grantd_realm::role::{
    AddMember, CreateRole, DeleteRole, Member, RemoveMember, Role, UpdateRole, everyone_in, members,
};
use grantd_realm::user::{CreateUser, DeleteUser, UpdateUser, roles};
use grantd_realm::{Basis, Change, Refusal};

use crate::support::{World, invalid_field, root, with};

fn user(login: &str) -> Member {
    Member::User(login.into())
}

fn role(key: &str) -> Member {
    Member::Role(key.into())
}

fn add(to: &str, member: Member) -> AddMember {
    AddMember { role: to.into(), member, basis: Basis::Grantd }
}

fn remove(from: &str, member: Member) -> RemoveMember {
    RemoveMember { role: from.into(), member, basis: Basis::Grantd }
}

fn delete(key: &str) -> DeleteRole {
    DeleteRole { key: key.into(), basis: Basis::Grantd }
}

fn in_roles(login: &str, roles: &[&str]) -> UpdateUser {
    let roles = Some(roles.iter().map(|key| (*key).to_owned()).collect());
    UpdateUser { login: login.into(), roles, ..UpdateUser::default() }
}

fn uri(text: &str) -> PulpUri {
    PulpUri::normalise(text).expect("a URI")
}

fn grant(to: Grantee, on: &str, operations: &[Operation]) -> GrantOperations {
    GrantOperations { to, resource: uri(on), operations: operations.to_vec(), basis: Basis::Grantd }
}

fn is_missing<T: std::fmt::Debug>(outcome: Result<T, Refusal>, noun: Noun) -> bool {
    matches!(&outcome, Err(Refusal::NotFound { noun: named, .. }) if *named == noun)
}

#[test]
fn a_role_has_a_number_and_texts() {
    let mut world = World::new();
    let made = world.does(CreateRole {
        key: "qa".into(),
        display_name: Some("Quality".into()),
        description: Some("Who tests\nit all".into()),
        basis: Basis::Grantd,
    });
    assert_eq!((made.key.as_str(), made.number, made.created_at), ("qa", 3, world.now));
    let stored = Role::find(&world.state, "qa").unwrap();
    assert_eq!(grantd_realm::role::RoleView::from(stored), made);
    let again = world.tries(&root(), CreateRole { key: "qa".into(), ..CreateRole::default() });
    assert_eq!(again.map(|_| ()), Err(Refusal::exists(Noun::Role, "qa")));
    let change = |display_name| UpdateRole { key: "qa".into(), display_name, ..UpdateRole::default() };
    let changed = world.does(change(Some(None)));
    assert_eq!((changed.display_name, changed.description), (None, made.description));
    let entries = world.entries.len();
    world.does(change(None));
    world.does(change(Some(None)));
    assert_eq!(world.entries.len(), entries, "no change, no entry");
    assert_eq!(invalid_field(world.tries(&root(), change(Some(Some("a\tb".into()))))), "display_name");
}

#[test]
fn every_realm_has_super_users_from_its_making() {
    let mut world = World::new();
    let made = Role::find(&world.state, SUPER_USERS).unwrap().clone();
    assert_eq!((made.number, made.created_at), (1, world.now));
    assert_eq!(made.uuid, Role::find(&World::new().state, SUPER_USERS).unwrap().uuid, "of the same realm");
    let again = world.tries(&root(), CreateRole { key: SUPER_USERS.into(), ..CreateRole::default() });
    assert_eq!(again.map(|_| ()), Err(Refusal::exists(Noun::Role, SUPER_USERS)));
    assert_eq!(world.tries(&root(), delete(SUPER_USERS)), Err(Refusal::SuperUsersFixed));
    let display_name = Some(Some("Administrators".into()));
    world.does(UpdateRole { key: SUPER_USERS.into(), display_name, ..UpdateRole::default() });
    let to_it = grant(Grantee::Role(SUPER_USERS.into()), "/x/", &[Operation::Read]);
    assert_eq!(world.tries(&root(), to_it), Err(Refusal::SuperUsersFixed));
    let all = role_permissions(&world.state, SUPER_USERS, world.now);
    assert_eq!(all, [(PulpUri::root(), Operation::ALL.to_vec())]);
}

#[test]
fn super_users_may_everything_by_the_engine_itself() {
    let mut world = World::new();
    let boss = world.super_user("boss");
    let plain = world.user("ann");
    for operation in Operation::ALL {
        for on in ["/", "/v2/users/", "/nowhere/at/all/"] {
            assert!(may(&world.state, &boss, operation, &uri(on), world.now));
            assert!(!may(&world.state, &plain, operation, &uri(on), world.now));
            assert!(world.allows("user:boss", operation.relation(), &format!("pulp_uri:{on}")));
        }
    }
    assert!(world.allows("user:boss", "admin", "grantd:default"));
}

#[test]
fn members_come_and_go() {
    let mut world = World::new();
    world.user("ann");
    ["qa", "dev"].into_iter().for_each(|key| world.role(key));
    world.does(add("qa", user("ann")));
    world.does(add("dev", role("qa")));
    assert_eq!(members(&world.state, "dev", world.now), [role("qa")]);
    assert_eq!(everyone_in(&world.state, "dev", world.now).into_iter().collect::<Vec<_>>(), ["ann".into()]);
    assert_eq!(roles(&world.state, "ann", world.now), ["qa"], "those that she is in herself");
    assert!(world.allows("user:ann", "member", "role:dev"));
    let entries = world.entries.len();
    world.does(add("qa", user("ann")));
    world.does(remove("dev", user("ann")));
    assert_eq!(world.entries.len(), entries, "who is in it already, and who is not");
    world.does(remove("dev", role("qa")));
    assert!(!world.allows("user:ann", "member", "role:dev"));
    assert!(is_missing(world.tries(&root(), add("qa", user("bob"))), Noun::User));
    assert!(is_missing(world.tries(&root(), remove("qa", user("bob"))), Noun::User));
    assert!(is_missing(world.tries(&root(), add("qa", role("none"))), Noun::Role));
    assert!(is_missing(world.tries(&root(), add("none", user("ann"))), Noun::Role));
    assert_eq!(invalid_field(world.tries(&root(), add("qa", role("qa")))), "member");
    // What a relationship says of somebody without a record can be taken back.
    world.force("role:qa#member@user:bob");
    world.does(remove("qa", user("bob")));
    assert_eq!(members(&world.state, "qa", world.now), [user("ann")]);
}

#[test]
fn a_member_has_one_text_form() {
    for (text, member) in [("user:a.b@c", user("a.b@c")), ("role:qa#member", role("qa"))] {
        assert_eq!(text.parse(), Ok(member.clone()));
        assert_eq!(member.to_string(), text);
    }
    for text in ["", "ann", "user:", "role:qa", "role:#member", "role:qa#x", "role:a.b#member", "api_key:1"] {
        assert_eq!(invalid_field(text.parse::<Member>()), "member", "{text}");
    }
}

#[test]
fn the_roles_of_a_user_are_replaced_as_one() {
    let mut world = World::new();
    world.user("ann");
    ["qa", "dev", "ops"].into_iter().for_each(|key| world.role(key));
    assert_eq!(world.does(in_roles("ann", &["qa", "dev", "qa"])).roles, ["dev", "qa"]);
    let entries = world.entries.len();
    world.does(in_roles("ann", &["dev", "qa"]));
    assert_eq!(world.entries.len(), entries);
    world.does(in_roles("ann", &["ops", "qa"]));
    assert_eq!(world.entries.len(), entries + 1);
    assert_eq!(roles(&world.state, "ann", world.now), ["ops", "qa"]);
    assert!(is_missing(world.tries(&root(), in_roles("ann", &["dev", "none"])), Noun::Role));
    assert_eq!(roles(&world.state, "ann", world.now), ["ops", "qa"], "all or nothing");
    world.does(in_roles("ann", &[]));
    assert_eq!(roles(&world.state, "ann", world.now), Vec::<String>::new());
}

#[test]
fn who_says_who_is_in_a_role_must_hold_what_it_is_worth() {
    let mut world = World::new();
    let ann = world.user("ann");
    ["board", "juniors"].into_iter().for_each(|key| world.role(key));
    world.force("grantd:default#approver@role:board#member");
    world.does(add("board", role("juniors")));
    let operator = with(&[Operator]);
    for key in ["board", "juniors"] {
        let refused = Err(Refusal::NotHeld(Approver));
        assert_eq!(world.tries(&operator, add(key, user("ann"))), refused);
        assert_eq!(world.tries(&operator, in_roles("ann", &[key])).map(|_| ()), refused);
        assert_eq!(world.tries(&operator, delete(key)), refused);
        world.does(add(key, user("ann")));
        assert_eq!(world.tries(&operator, remove(key, user("ann"))), refused);
        assert_eq!(world.tries(&operator, in_roles("ann", &[])).map(|_| ()), refused);
        assert!(world.tries(&with(&[Operator, Approver]), remove(key, user("ann"))).is_ok());
    }
    assert_eq!(world.tries(&operator, add(SUPER_USERS, user("ann"))), Err(Refusal::NotHeld(Admin)));
    assert!(!Authority::ALL.into_iter().any(|authority| ann.holds(authority, &world.state, world.now)));
}

#[test]
fn a_role_in_super_users_is_in_the_hands_of_super_users() {
    let mut world = World::new();
    world.user("ann");
    world.role("chiefs");
    world.does(add(SUPER_USERS, role("chiefs")));
    let operator = with(&[Operator]);
    assert_eq!(world.tries(&operator, add("chiefs", user("ann"))), Err(Refusal::NotHeld(Admin)));
    assert_eq!(world.tries(&operator, delete("chiefs")), Err(Refusal::NotHeld(Admin)));
    world.does(add("chiefs", user("ann")));
    assert!(world.allows("user:ann", "admin", "grantd:default"));
}

#[test]
fn the_last_super_user_stays() {
    let mut world = World::new();
    let boss = world.super_user("boss");
    let last = || Refusal::LastSuperUser { login: "boss".into() };
    let retire = || UpdateUser { login: "boss".into(), active: Some(false), ..UpdateUser::default() };
    let gone = || DeleteUser { login: "boss".into(), ..DeleteUser::default() };
    let refused = |world: &mut World| {
        for caller in [&boss, &root()] {
            assert_eq!(world.tries(caller, gone()), Err(last()));
            assert_eq!(world.tries(caller, remove(SUPER_USERS, user("boss"))), Err(last()));
            assert_eq!(world.tries(caller, in_roles("boss", &[])).map(|_| ()), Err(last()));
            assert_eq!(world.tries(caller, retire()).map(|_| ()), Err(last()));
        }
    };
    refused(&mut world);
    // One who cannot act is no other one, nor is a role, which could become empty.
    world.super_user("asleep");
    let asleep = UpdateUser { login: "asleep".into(), active: Some(false), ..UpdateUser::default() };
    world.does(asleep);
    world.role("chiefs");
    world.user("ann");
    world.does(add("chiefs", user("ann")));
    world.does(add(SUPER_USERS, role("chiefs")));
    world.force("role:super-users#member@user:nobody");
    refused(&mut world);
    world.super_user("other");
    assert!(world.tries(&boss, gone()).is_ok());
}

#[test]
fn a_role_made_again_starts_empty() {
    let mut world = World::new();
    let ann = world.user("ann");
    world.role("qa");
    world.does(add("qa", user("ann")));
    world.does(grant(Grantee::Role("qa".into()), "/x/", &Operation::ALL));
    world.does(grant(Grantee::User("ann".into()), "/x/", &[Operation::Read]));
    for on in ["/v2/roles/qa/", "/v2/roles/qa/users/"] {
        world.does(grant(Grantee::User("ann".into()), on, &[Operation::Update]));
    }
    world.does(delete("qa"));
    assert_eq!(world.entries.last().unwrap().1, [Change::RoleDeleted { key: "qa".into() }]);
    world.role("qa");
    assert_eq!(members(&world.state, "qa", world.now), []);
    assert_eq!(role_permissions(&world.state, "qa", world.now), []);
    assert_eq!(world.naming("role", "qa"), Vec::new());
    let may = |operation, on: &str| may(&world.state, &ann, operation, &uri(on), world.now);
    assert!(!may(Operation::Update, "/v2/roles/qa/") && !may(Operation::Update, "/v2/roles/qa/users/"));
    assert!(
        may(Operation::Read, "/x/") && !may(Operation::Delete, "/x/"),
        "what she was granted herself stays"
    );
    assert!(is_missing(world.tries(&root(), delete("none")), Noun::Role));
}

#[test]
fn a_role_that_was_named_before_it_was_made_has_its_members() {
    let mut world = World::new();
    world.force("role:qa#member@user:ann");
    assert!(is_missing(world.tries(&root(), add("qa", user("ann"))), Noun::Role));
    world.role("qa");
    assert_eq!(members(&world.state, "qa", world.now), [user("ann")]);
    let ann = world.does(CreateUser { login: "ann".into(), ..CreateUser::default() });
    assert_eq!(ann.roles, ["qa"]);
}

#[test]
fn a_role_with_a_hundred_thousand_members_is_one_change() {
    let mut world = World::new();
    world.role("crowd");
    let mut changes = Vec::new();
    for n in 0..100_000 {
        changes.push(Change::RelationshipWritten {
            relationship: crate::support::lasting(&format!("role:crowd#member@user:u{n}")),
        });
    }
    world.applies(changes);
    world.user("last");
    world.does(add("crowd", user("last")));
    let read = |world: &World| world.allows("user:u99999", "read", "pulp_uri:/x/y/");
    assert!(!read(&world));
    world.does(grant(Grantee::Role("crowd".into()), "/x/", &[Operation::Read]));
    assert_eq!(world.entries.last().unwrap().1.len(), 1);
    assert!(read(&world), "the next question sees it");
    assert_eq!(permissions(&world.state, Some(&uri("/x/")), world.now)[0].users.len(), 100_001);
    world.does(delete("crowd"));
    assert_eq!(world.entries.last().unwrap().1.len(), 1);
    assert!(!read(&world));
    world.role("crowd");
    assert_eq!(members(&world.state, "crowd", world.now), []);
    assert_eq!(permissions(&world.state, Some(&uri("/x/")), world.now), []);
}
