//! Repositories and the grants on them.

use grantd_realm::Refusal;
use grantd_realm::engine::{ObjectRef, Relationship};
use grantd_realm::identity::CreateIdentity;
use grantd_realm::refusal::Noun;
use grantd_realm::relationship::WriteRelationships;
use grantd_realm::repository::{CreateRepository, DeleteRepository, SetVisibility};
use grantd_realm::repository_grant::{
    AccessLevel, GrantRepository, RevokeRepositoryGrant, UpdateRepositoryGrant, granted,
};
use uuid::Uuid;

use crate::support::{World, key_of, root};

fn world() -> (World, Uuid, Uuid) {
    let mut world = World::new();
    let identity = world.does(CreateIdentity { managed: false }).id;
    let repository = repository(&mut world, false);
    (world, identity, repository)
}

fn repository(world: &mut World, public: bool) -> Uuid {
    world.does(CreateRepository { name: None, public, default_branch: "main".into() })
}

/// Whether an identity may read, and whether it may write.
fn may(world: &World, identity: Uuid, repository: Uuid) -> [bool; 2] {
    let (subject, object) = (format!("identity:{identity}"), format!("fs_repo:{repository}"));
    ["read", "write"].map(|action| world.allows(&subject, action, &object))
}

#[test]
fn a_grant_is_exactly_one_level() {
    let (mut world, identity, repository) = world();
    let relationships = |world: &World| world.naming("identity", &identity.to_string()).len();
    world.does(GrantRepository { identity, repository, level: AccessLevel::Read });
    assert_eq!((may(&world, identity, repository), relationships(&world)), ([true, false], 1));
    world.does(UpdateRepositoryGrant { identity, repository, level: AccessLevel::Write });
    assert_eq!((may(&world, identity, repository), relationships(&world)), ([true, true], 1));
    world.does(UpdateRepositoryGrant { identity, repository, level: AccessLevel::Read });
    assert_eq!((may(&world, identity, repository), relationships(&world)), ([true, false], 1));
    world.does(RevokeRepositoryGrant { identity, repository });
    assert_eq!((may(&world, identity, repository), relationships(&world)), ([false, false], 0));
}

#[test]
fn an_update_leaves_one_level_of_two() {
    let (mut world, identity, repository) = world();
    world.force(&format!("fs_repo:{repository}#read@identity:{identity}"));
    world.force(&format!("fs_repo:{repository}#write@identity:{identity}"));
    world.does(UpdateRepositoryGrant { identity, repository, level: AccessLevel::Read });
    assert_eq!(may(&world, identity, repository), [true, false]);
}

#[test]
fn a_grant_is_made_once_and_changed_only_if_there() {
    let (mut world, identity, repository) = world();
    let level = AccessLevel::Read;
    let absent = Refusal::not_found(Noun::RepositoryGrant, identity);
    assert_eq!(
        world.tries(&root(), UpdateRepositoryGrant { identity, repository, level }),
        Err(absent.clone())
    );
    assert_eq!(world.tries(&root(), RevokeRepositoryGrant { identity, repository }), Err(absent));
    world.does(GrantRepository { identity, repository, level });
    let again = GrantRepository { identity, repository, level: AccessLevel::Write };
    assert_eq!(world.tries(&root(), again), Err(Refusal::exists(Noun::RepositoryGrant, identity)));
    let nowhere = Uuid::from_u128(1);
    let missing = GrantRepository { identity, repository: nowhere, level };
    assert_eq!(world.tries(&root(), missing), Err(Refusal::not_found(Noun::Repository, nowhere)));
    let nobody = GrantRepository { identity: nowhere, repository, level };
    assert_eq!(world.tries(&root(), nobody), Err(Refusal::not_found(Noun::Identity, nowhere)));
}

#[test]
fn a_grant_that_has_ended_is_none() {
    let (mut world, identity, repository) = world();
    let key = key_of(&format!("fs_repo:{repository}#write@identity:{identity}"));
    let end = world.now + 10;
    let write = vec![Relationship { until: Some(end), ..Relationship::lasting(key) }];
    world.does(WriteRelationships { write, delete: Vec::new(), require: Vec::new() });
    assert_eq!(granted(&world.state, identity, repository, end - 1), Some(AccessLevel::Write));
    assert_eq!(granted(&world.state, identity, repository, end), None, "as the engine says");
    let id = identity.to_string();
    let subject = ObjectRef { kind: "identity", id: &id };
    assert_eq!(world.state.repositories_granted_to(subject, end - 1).len(), 1);
    assert_eq!(world.state.repositories_granted_to(subject, end).len(), 0);
    world.now = end;
    world.does(GrantRepository { identity, repository, level: AccessLevel::Read });
    assert_eq!(may(&world, identity, repository), [true, false]);
}

#[test]
fn public_means_that_every_identity_reads() {
    let (mut world, identity, private) = world();
    let public = repository(&mut world, true);
    assert_eq!(may(&world, identity, private), [false, false]);
    assert_eq!(may(&world, identity, public), [true, false]);
    assert!(world.allows("identity:never-heard-of", "read", &format!("fs_repo:{public}")));
    assert!(!world.allows("user:ann", "read", &format!("fs_repo:{public}")));
    assert_eq!(granted(&world.state, identity, public, world.now), None, "nothing was granted to it");
    world.does(GrantRepository { identity, repository: public, level: AccessLevel::Write });
    world.does(SetVisibility { id: public, public: false });
    assert_eq!(may(&world, identity, public), [true, true], "its own grant stays");
    assert!(!world.allows("identity:never-heard-of", "read", &format!("fs_repo:{public}")));
}

#[test]
fn a_deleted_repository_takes_its_grants_with_it() {
    let (mut world, identity, repository) = world();
    world.does(GrantRepository { identity, repository, level: AccessLevel::Write });
    world.does(DeleteRepository { id: repository });
    assert_eq!(may(&world, identity, repository), [false, false]);
    let id = identity.to_string();
    let subject = ObjectRef { kind: "identity", id: &id };
    assert!(world.state.repositories_granted_to(subject, world.now).is_empty());
}

#[test]
fn what_an_identity_was_granted_is_listed_in_order_of_creation() {
    let (mut world, identity, first) = world();
    let rest: Vec<Uuid> = (0..5).map(|_| repository(&mut world, false)).collect();
    for repository in rest.iter().rev().copied().chain([first]) {
        world.does(GrantRepository { identity, repository, level: AccessLevel::Read });
    }
    let id = identity.to_string();
    let listed = world.state.repositories_granted_to(ObjectRef { kind: "identity", id: &id }, world.now);
    let listed: Vec<Uuid> = listed.into_iter().map(|repository| repository.id).collect();
    assert_eq!(listed, [vec![first], rest].concat());
}
