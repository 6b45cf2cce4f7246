//! Who is deleted and made again starts with nothing.

use grantd_realm::engine::Object;
use grantd_realm::entity::PutEntity;
use grantd_realm::identity::{CreateIdentity, DeleteIdentity};
use grantd_realm::repository::{CreateRepository, DeleteRepository};
use grantd_realm::repository_grant::{AccessLevel, GrantRepository};
use grantd_realm::user::{CreateUser, DeleteUser, password_secret};
use grantd_realm::vm_grant::{GrantVm, list};
use grantd_realm::{Refusal, api_key::CreateApiKey, api_key::RevokeApiKey, command::Secret};

use crate::support::{World, came_to, root, writing};

fn ann() -> CreateUser {
    let password = Some(Secret("$hash$".into()));
    let (name, roles) = (Some("Ann".into()), vec!["qa".into()]);
    CreateUser { login: "ann".into(), name, password, roles, ..CreateUser::default() }
}

fn entity(kind: &str, id: &str) -> PutEntity {
    PutEntity { object: Object::new(kind, id).unwrap(), properties: r#"{"clearance":9}"#.parse().unwrap() }
}

#[test]
fn a_user() {
    let mut world = World::new();
    world.role("qa");
    let first = world.does(ann());
    world.does(writing("role:ops#member@user:ann"));
    world.does(writing("grantd:default#writer@role:ops#member"));
    world.does(entity("user", "ann"));
    world.does(DeleteUser { login: "ann".into(), ..DeleteUser::default() });
    assert_eq!(world.naming("user", "ann"), Vec::new());
    let second = world.does(CreateUser { name: None, password: None, roles: Vec::new(), ..ann() });
    assert_ne!((first.uuid, first.number), (second.uuid, second.number));
    assert_ne!(password_secret(first.uuid), password_secret(second.uuid));
    let user = world.state.users().get("ann").unwrap();
    assert_eq!((user.password, user.name.as_ref().and_then(|name| name.text())), (None, None));
    assert!(!world.allows("user:ann", "member", "role:qa"));
    assert!(!world.allows("user:ann", "checker", "grantd:default"));
    let object = Object::new("user", "ann").unwrap();
    assert_eq!(
        world.state.entities().text(object.as_ref()),
        None,
        "nor do the properties of the old one speak for the new"
    );
    assert_eq!(world.does(writing("role:ops#member@user:ann")), came_to(1, 0));
    assert!(world.allows("user:ann", "writer", "grantd:default"));
}

#[test]
fn a_number_is_never_used_again() {
    let mut world = World::new();
    world.role("qa");
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(world.does(ann()).number);
        world.does(DeleteUser { login: "ann".into(), ..DeleteUser::default() });
    }
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn an_identity() {
    let mut world = World::new();
    let id = world.does(CreateIdentity { managed: false }).id;
    let repository =
        world.does(CreateRepository { name: None, public: false, default_branch: "main".into() });
    world.does(GrantRepository { identity: id, repository, level: AccessLevel::Write });
    world.does(GrantVm { identity: id, vm: "v".into(), allowed_users: None });
    world.does(entity("identity", &id.to_string()));
    world.does(DeleteIdentity { id });
    assert_eq!(world.naming("identity", &id.to_string()), Vec::new());
    assert_eq!(world.entries.last().unwrap().1.len(), 1, "one change, whatever it held");
    // No command makes the same id again; a restored backup could.
    let number = world.state.identities().iter().count() as u64 + 10;
    world.applies(vec![grantd_realm::Change::IdentityCreated { id, number, managed: false }]);
    assert!(!world.allows(&format!("identity:{id}"), "read", &format!("fs_repo:{repository}")));
    assert!(!world.allows(&format!("identity:{id}"), "login", "fs_vm:/v/root/"));
    let again = world.state.identities().get(id).unwrap();
    assert!(list(&world.state, again).is_empty() && again.tokens.ids().is_empty());
    let object = Object::new("identity", &id.to_string()).unwrap();
    assert_eq!(world.state.entities().text(object.as_ref()), None);
}

#[test]
fn a_key() {
    let mut world = World::new();
    let make = || CreateApiKey {
        name: "ci".into(),
        expires: None,
        grants: vec![grantd_realm::Authority::Admin],
        secret: Some(Secret("gdk_one_and_the_same_secret".into())),
    };
    let first = world.does(make()).id;
    world.does(RevokeApiKey { id: first });
    let second = world.does(CreateApiKey { grants: Vec::new(), ..make() }).id;
    assert_ne!(first, second);
    assert!(!world.allows(&format!("api_key:{first}"), "checker", "grantd:default"));
    assert!(!world.allows(&format!("api_key:{second}"), "admin", "grantd:default"));
}

#[test]
fn what_is_gone_is_not_found() {
    let mut world = World::new();
    world.user("ann");
    world.does(DeleteUser { login: "ann".into(), ..DeleteUser::default() });
    let gone = world.tries(&root(), DeleteUser { login: "ann".into(), ..DeleteUser::default() });
    assert!(matches!(gone, Err(Refusal::NotFound { .. })), "{gone:?}");
    let id = world.does(CreateRepository { name: None, public: true, default_branch: "main".into() });
    world.does(DeleteRepository { id });
    let gone = world.tries(&root(), DeleteRepository { id });
    assert!(matches!(gone, Err(Refusal::NotFound { .. })), "{gone:?}");
    assert!(!world.allows("identity:x", "read", &format!("fs_repo:{id}")));
}
