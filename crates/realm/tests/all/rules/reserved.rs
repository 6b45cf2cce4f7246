//! The roles `admin` and `super-users`: nobody changes them, what they hold or who is in them but who may, by whatever command.

use std::collections::BTreeSet;

use grantd_realm::api_key::CreateApiKey;
use grantd_realm::caller::{Authority, Caller};
use grantd_realm::catalogue::{CreateCatalogueRole, UpdateCatalogueRole};
use grantd_realm::command::{Command, Secret};
use grantd_realm::engine::Relationship;
use grantd_realm::import::ImportRelationships;
use grantd_realm::pulp::{GrantOperations, Grantee, Operation, PulpUri, RevokeOperations};
use grantd_realm::role::{AddMember, CreateRole, DeleteRole, Member, RemoveMember, UpdateRole};
use grantd_realm::user::{CreateUser, DeleteUser, UpdateUser};
use grantd_realm::{Basis, Refusal};

use crate::support::{World, deleting, lasting, writing};

/// Tries something as somebody; whether it was carried out and changed anything.
type Attempt = (&'static str, Box<dyn Fn(&mut World, &Caller) -> Result<(), Refusal>>);

fn attempt<C: Command>(what: &'static str, command: impl Fn() -> C + 'static) -> Attempt {
    (what, Box::new(move |world, caller| world.tries(caller, command()).map(|_| ())))
}

/// In terms of the face that the catalogue is kept by, and in those of grantd itself.
const BASES: [Basis; 2] = [Basis::Grantd, Basis::Catalogue];

fn uri() -> PulpUri {
    PulpUri::normalise("/x/").unwrap()
}

/// Everything that changes `role`, what it holds or who is in it. `ann` is in it, `bob` is not; `inner` is a role that is in it.
fn attempts(role: &'static str) -> Vec<Attempt> {
    let user = |login: &str| Member::User(login.into());
    let mut all = Vec::new();
    for basis in BASES {
        let b = basis.clone();
        all.push(attempt("update", move || UpdateRole {
            key: role.into(),
            display_name: Some(Some("Mine".into())),
            basis: b.clone(),
            ..UpdateRole::default()
        }));
        let b = basis.clone();
        all.push(attempt("delete", move || DeleteRole { key: role.into(), basis: b.clone() }));
        let b = basis.clone();
        all.push(attempt("delete what is in it", move || DeleteRole {
            key: "inner".into(),
            basis: b.clone(),
        }));
        for into in [role, "inner"] {
            let b = basis.clone();
            all.push(attempt("add", move || AddMember {
                role: into.into(),
                member: user("bob"),
                basis: b.clone(),
            }));
            let b = basis.clone();
            all.push(attempt("remove", move || RemoveMember {
                role: into.into(),
                member: user("ann"),
                basis: b.clone(),
            }));
        }
        let b = basis.clone();
        all.push(attempt("add a role", move || AddMember {
            role: role.into(),
            member: Member::Role("qa".into()),
            basis: b.clone(),
        }));
        let b = basis.clone();
        all.push(attempt("call otherwise", move || UpdateCatalogueRole {
            key: role.into(),
            name: Some("Mine".into()),
            permissions: None,
            basis: b.clone(),
        }));
        let b = basis.clone();
        all.push(attempt("give permissions", move || UpdateCatalogueRole {
            key: role.into(),
            name: None,
            permissions: Some(BTreeSet::from([1])),
            basis: b.clone(),
        }));
        for login in ["ann", "bob"] {
            let (b, roles) = (basis.clone(), if login == "bob" { vec![role.to_owned()] } else { Vec::new() });
            all.push(attempt("set the roles of a user", move || UpdateUser {
                login: login.into(),
                roles: Some(roles.clone()),
                basis: b.clone(),
                ..UpdateUser::default()
            }));
        }
        let b = basis.clone();
        all.push(attempt("make a user in it", move || CreateUser {
            login: "cyd".into(),
            roles: vec![role.into()],
            basis: b.clone(),
            ..CreateUser::default()
        }));
        let b = basis.clone();
        all.push(attempt("take over a member", move || UpdateUser {
            login: "ann".into(),
            password: Some(Secret("$argon2id$".into())),
            basis: b.clone(),
            ..UpdateUser::default()
        }));
        let b = basis.clone();
        all.push(attempt("deactivate a member", move || UpdateUser {
            login: "ann".into(),
            active: Some(false),
            basis: b.clone(),
            ..UpdateUser::default()
        }));
        let b = basis.clone();
        all.push(attempt("delete a member", move || DeleteUser { login: "ann".into(), basis: b.clone() }));
        let b = basis.clone();
        all.push(attempt("grant operations", move || GrantOperations {
            to: Grantee::Role(role.into()),
            resource: uri(),
            operations: vec![Operation::Read],
            basis: b.clone(),
        }));
        let b = basis.clone();
        all.push(attempt("revoke operations", move || RevokeOperations {
            from: Grantee::Role(role.into()),
            resource: uri(),
            operations: vec![Operation::Update],
            basis: b.clone(),
        }));
    }
    let keys = [
        format!("role:{role}#member@user:bob"),
        format!("role:{role}#member@role:qa#member"),
        "role:inner#member@user:bob".to_owned(),
        format!("tdp_permission:1#holder@role:{role}#member"),
        format!("pulp_uri:/x/#read@role:{role}#member"),
    ];
    for key in keys {
        let k = key.clone();
        all.push(attempt("write", move || writing(&k)));
        all.push((
            "import",
            Box::new(move |world, caller| {
                let relationships = vec![Relationship { until: Some(i64::MAX), ..lasting(&key) }];
                let account = world.state.account();
                let import = ImportRelationships { relationships, account, dry_run: false };
                let mut done = world.tries(caller, import)?;
                done.refused.pop().map_or(Ok(()), |(_, refusal)| Err(refusal))
            }),
        ));
    }
    for key in [format!("role:{role}#member@user:ann"), "role:inner#member@user:ann".into()] {
        all.push(attempt("delete as a relationship", move || deleting(&key)));
    }
    all
}

fn world(role: &str) -> World {
    let mut world = World::new();
    for login in ["ann", "bob"] {
        world.user(login);
    }
    world.super_user("boss");
    for key in ["qa", "inner"] {
        world.role(key);
    }
    for member in [Member::User("ann".into()), Member::Role("inner".into())] {
        world.does(AddMember { role: role.into(), member, basis: Basis::Grantd });
    }
    world.does(AddMember { role: "inner".into(), member: Member::User("ann".into()), basis: Basis::Grantd });
    world
}

/// Who holds much, but is neither a super user nor an admin.
fn strangers(world: &mut World) -> Vec<Caller> {
    let all = [Authority::Operator, Authority::Auditor, Authority::Writer, Authority::Approver];
    vec![world.user("nora"), world.user_with("olga", &all), crate::support::with(&all)]
}

#[test]
fn nobody_else_changes_admin_or_super_users() {
    for role in ["admin", "super-users"] {
        for (what, attempt) in attempts(role) {
            let mut world = world(role);
            let mut callers = strangers(&mut world);
            if role == "super-users" {
                // Who keeps the catalogue rules over it, and no further.
                let dora = world.user("dora");
                world.does(AddMember {
                    role: "admin".into(),
                    member: Member::User("dora".into()),
                    basis: Basis::Grantd,
                });
                callers.push(dora);
            }
            for caller in callers {
                let before = world.state.hash();
                let refused = attempt(&mut world, &caller);
                assert!(refused.is_err(), "{role}: {what} as {}", caller.actor);
                assert_eq!(world.state.hash(), before, "{role}: {what}");
            }
        }
    }
}

#[test]
fn super_users_and_members_change_admin() {
    let mut done = BTreeSet::new();
    for (what, attempt) in attempts("admin") {
        for caller in ["boss", "ann"] {
            let mut world = world("admin");
            // What the commands of grantd itself need besides.
            let needed = [Authority::Operator, Authority::Writer];
            if caller == "ann" {
                for authority in needed {
                    world.force(&format!("grantd:default#{}@user:ann", authority.name()));
                }
            }
            let caller = Caller::local(grantd_realm::Actor::User(caller.into()));
            let outcome = attempt(&mut world, &caller);
            assert!(!matches!(outcome, Err(Refusal::ReservedRole { .. })), "{what} as {}", caller.actor);
            if outcome.is_ok() {
                done.insert((what, caller.actor.to_string()));
            }
        }
    }
    for what in
        ["update", "delete", "add", "remove", "give permissions", "write", "import", "take over a member"]
    {
        for who in ["user:boss", "user:ann"] {
            assert!(done.contains(&(what, who.to_owned())), "{what} as {who}");
        }
    }
}

#[test]
fn nobody_makes_admin_anew_but_super_users() {
    let mut world = World::new();
    world.super_user("boss");
    let operator = world.user_with("olga", &[Authority::Operator]);
    world.does(DeleteRole { key: "admin".into(), basis: Basis::Grantd });
    let role = || CreateRole { key: "admin".into(), ..CreateRole::default() };
    assert_eq!(world.tries(&operator, role()), Err(Refusal::ReservedRole { role: "admin".into() }));
    let by_name = CreateCatalogueRole { name: "admin".into(), ..CreateCatalogueRole::default() };
    assert_eq!(
        world.tries(&operator, by_name).map(|_| ()),
        Err(Refusal::ReservedRole { role: "admin".into() })
    );
    world.does(role());
}

#[test]
fn a_key_is_no_way_around() {
    let mut world = world("admin");
    let operator = world.user_with("olga", &[Authority::Operator]);
    let key = CreateApiKey { name: "k".into(), expires: None, grants: vec![Authority::Admin], secret: None };
    assert!(world.tries(&operator, key).is_err());
}
