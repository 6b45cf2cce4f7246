//! What holds for every history of commands.

use grantd_realm::caller::{Actor, Authorities, Authority, Caller};
use grantd_realm::change::{Change, Stamp, encode_all};
use grantd_realm::engine::path::upwards;
use grantd_realm::engine::{Object, ObjectRef};
use grantd_realm::pulp::{Operation, PulpUri, may, permissions};
use grantd_realm::repository_grant::{AccessLevel, granted};
use grantd_realm::vm_grant::list;
use grantd_realm::{State, builtin};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Step, World, histories, samples};

/// Lives through a history; stops before nothing.
fn lived(history: &[Step]) -> World {
    let mut world = World::new();
    for step in history {
        if let (_, Ok(changes)) = step.decided(&mut world) {
            world.applies(changes);
        }
    }
    world
}

/// Folds entries as they come out of a ledger: encoded, decoded, applied.
fn refolded(mut state: State, entries: &[(Stamp, Vec<Change>)]) -> State {
    for (stamp, changes) in entries {
        let (encoded, slots) = encode_all(changes);
        for one in encoded {
            let change = Change::decode(one.kind, one.version, &one.body, &slots).expect("what was encoded");
            state.apply(&change, *stamp).expect("what was applied before");
        }
        state.tidy();
    }
    state
}

fn empty() -> State {
    World::before_the_first_entry().state
}

/// Everybody who may act in random worlds.
fn actors(state: &State) -> Vec<Caller> {
    let users = ["ann", "bob", "cyd"].map(|login| Actor::User(login.into()));
    let keys = state.api_keys().iter_after(None).map(|key| Actor::ApiKey(key.id));
    users.into_iter().chain(keys).map(Caller::local).collect()
}

fn is_within(one: Authorities, other: Authorities) -> bool {
    one.missing_from(other).next().is_none()
}

/// Random histories are worth something only if most commands in them succeed now and then.
#[test]
fn every_kind_of_change_happens_in_random_histories() {
    let mut runner = TestRunner::deterministic();
    let mut happened: BTreeMap<u16, usize> = BTreeMap::new();
    for _ in 0..768 {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let entries = lived(&history).entries;
        for change in entries.iter().flat_map(|(_, changes)| changes) {
            *happened.entry(change.kind()).or_default() += 1;
        }
    }
    // A realm's end is the end of its history: see rules/realms.rs.
    let ends = |change: &&Change| matches!(change, Change::RealmDeleted { .. });
    let all: BTreeSet<u16> = samples().iter().filter(|one| !ends(one)).map(Change::kind).collect();
    let often: BTreeSet<u16> =
        happened.iter().filter(|(_, times)| **times >= 3).map(|(kind, _)| *kind).collect();
    assert_eq!(often, all, "{happened:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_of_what_was_written_is_the_state(history in histories()) {
        let world = lived(&history);
        prop_assert_eq!(refolded(empty(), &world.entries).hash(), world.state.hash());
    }

    #[test]
    fn a_snapshot_and_the_rest_are_the_whole(history in histories(), cut in any::<prop::sample::Index>()) {
        let world = lived(&history);
        let cut = cut.index(world.entries.len() + 1);
        let (before, after) = world.entries.split_at(cut);
        let half = refolded(empty(), before);
        let schema = builtin::schema().expect("the built-in schema");
        let restored = State::from_snapshot(&half.to_snapshot(), schema).expect("what was written");
        prop_assert_eq!(restored.hash(), half.hash());
        prop_assert_eq!(restored.to_snapshot(), half.to_snapshot());
        let whole = refolded(restored, after);
        prop_assert_eq!(whole.hash(), world.state.hash());
        prop_assert_eq!(whole.to_snapshot(), world.state.to_snapshot());
    }

    #[test]
    fn a_fork_does_not_see_what_comes_later(history in histories()) {
        let mut world = World::new();
        for step in &history {
            let (fork, before) = (world.state.clone(), world.state.hash());
            if let (_, Ok(changes)) = step.decided(&mut world) {
                world.applies(changes);
            }
            prop_assert_eq!(fork.hash(), before);
        }
    }

    #[test]
    fn a_change_is_a_change(history in histories()) {
        let mut world = World::new();
        for step in &history {
            let before = world.state.hash();
            let Ok(changes) = step.decided(&mut world).1 else { continue };
            let only_on_record = changes.iter().all(|change| matches!(change, Change::FieldsErased { .. }));
            let nothing = changes.is_empty();
            world.applies(changes.clone());
            prop_assert_eq!(
                world.state.hash() == before, nothing || only_on_record,
                "{:?} came to {:?}", step, changes
            );
        }
    }

    #[test]
    fn nobody_gives_what_they_do_not_hold(history in histories()) {
        let mut world = World::new();
        for step in &history {
            let (caller, outcome) = step.decided(&mut world);
            let Ok(changes) = outcome else { continue };
            let now = world.now;
            let before = world.state.clone();
            let of_caller = caller.authorities(&before, now);
            world.applies(changes);
            for actor in actors(&world.state) {
                let (held, holds) = (actor.authorities(&before, now), actor.authorities(&world.state, now));
                let gained = holds.missing_from(held).collect::<Authorities>();
                prop_assert!(
                    is_within(gained, of_caller),
                    "{:?} of {:?} gave {} {:?}", step, caller, actor.actor, gained
                );
            }
        }
    }

    #[test]
    fn records_and_relationships_agree(history in histories()) {
        let world = lived(&history);
        let state = &world.state;
        for identity in state.identities().iter() {
            let subject = format!("identity:{}", identity.id);
            for repository in state.repositories().iter() {
                let object = format!("fs_repo:{}", repository.id);
                let level = granted(state, identity.id, repository.id, world.now);
                let public = repository.is_public(state);
                prop_assert_eq!(world.allows(&subject, "read", &object), level.is_some() || public);
                prop_assert_eq!(
                    world.allows(&subject, "write", &object), level == Some(AccessLevel::Write)
                );
            }
            let grants = list(state, identity);
            for vm in ["v", "a/b", "a%2Fb", "..", "%2E%2E"] {
                let grant = grants.iter().find(|grant| grant.vm == vm);
                for user in ["dev", "ops", "root"] {
                    let expected = grant.is_some_and(|grant| {
                        grant.allowed_users.as_ref().is_none_or(|users| users.iter().any(|one| one == user))
                    });
                    let segment = grantd_realm::engine::segment::encode(vm);
                    let path = Object::new("fs_vm", &format!("/{segment}/{user}/")).unwrap();
                    prop_assert_eq!(world.allows(&subject, "login", &path.to_string()), expected);
                }
            }
        }
    }

    /// The list of permissions, which names what is granted on exactly one URI, and the engine, which knows what is above.
    #[test]
    fn what_is_listed_here_or_above_is_what_may_be_done(history in histories()) {
        let world = lived(&history);
        let (state, now) = (&world.state, world.now);
        let listed: BTreeMap<String, _> =
            permissions(state, None, now).into_iter().map(|one| (one.resource.to_string(), one.users)).collect();
        for uri in ["/", "/v2/users/", "/v2/users/ann/", "/v2/roles/qa/", "/v2/repositories/", "/x/y/"] {
            let normal = PulpUri::normalise(uri).expect("a URI");
            for login in ["ann", "bob", "cyd"] {
                let caller = Caller::local(Actor::User(login.into()));
                for operation in Operation::ALL {
                    let is_named = |path: &str| {
                        let users = listed.get(path).into_iter().flatten();
                        users.into_iter().any(|(one, held)| **one == *login && held.contains(&operation))
                    };
                    let expected = upwards(uri).any(is_named);
                    let told = may(state, &caller, operation, &normal, now);
                    prop_assert_eq!(told, expected, "{} {} {}", login, operation, uri);
                }
            }
        }
        for (uri, users) in &listed {
            let alone = permissions(state, Some(&PulpUri::normalise(uri).expect("a URI")), now);
            prop_assert_eq!(&alone[0].users, users);
        }
    }

    #[test]
    fn who_is_gone_is_named_nowhere(history in histories()) {
        let mut world = World::new();
        for step in &history {
            let Ok(changes) = step.decided(&mut world).1 else { continue };
            world.applies(changes.clone());
            for change in &changes {
                let (kind, id) = match change {
                    Change::UserDeleted { login } => ("user", login.clone()),
                    Change::IdentityDeleted { id } => ("identity", id.to_string()),
                    Change::RepositoryDeleted { id } => ("fs_repo", id.to_string()),
                    Change::ApiKeyRevoked { id } => ("api_key", id.to_string()),
                    _ => continue,
                };
                prop_assert_eq!(world.naming(kind, &id), Vec::new());
                let object = ObjectRef { kind, id: &id };
                for authority in Authority::ALL {
                    prop_assert!(!world.state.holds(object, authority, world.now));
                }
            }
        }
    }
}
