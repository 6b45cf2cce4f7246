//! Nobody raises their own rights, whatever they try.

use std::collections::BTreeSet;

use grantd_realm::basis::Delegation;
use grantd_realm::caller::{Authority, Caller};
use grantd_realm::engine::Relationship;
use grantd_realm::managed::SUPER_USERS;
use grantd_realm::pulp::{GrantOperations, Grantee, Operation, PulpUri, may};
use grantd_realm::role::{AddMember, Member, everyone_in};
use grantd_realm::{Basis, Change, State};
use proptest::prelude::*;

use crate::support::{Step, World, attempts_of, histories, lasting};

/// URIs of grantd itself and of others, on which everything that the random commands grant can be noticed.
const URIS: [&str; 12] = [
    "/",
    "/v2/",
    "/v2/users/",
    "/v2/users/ann/",
    "/v2/users/bob/",
    "/v2/roles/",
    "/v2/roles/qa/",
    "/v2/roles/qa/users/",
    "/v2/permissions/",
    "/v2/permissions/actions/",
    "/v2/repositories/",
    "/x/",
];

type Held = (BTreeSet<(&'static str, Operation)>, Vec<Authority>);

/// Everything that somebody holds.
fn held(state: &State, caller: &Caller, now: i64) -> Held {
    let mut operations = BTreeSet::new();
    for uri in URIS {
        for operation in Operation::ALL {
            if may(state, caller, operation, &PulpUri::normalise(uri).unwrap(), now) {
                operations.insert((uri, operation));
            }
        }
    }
    (operations, Authority::ALL.into_iter().filter(|a| caller.holds(*a, state, now)).collect())
}

/// A realm with a super user, two roles that are worth something, and `bob`, who has only what every user has.
fn world() -> (World, Caller) {
    let mut world = World::new();
    world.super_user("boss");
    world.user("ann");
    let bob = world.user("bob");
    for role in ["qa", "ops"] {
        world.role(role);
    }
    let grant = |to, uri: &str| GrantOperations {
        to,
        resource: PulpUri::normalise(uri).unwrap(),
        operations: Operation::ALL.to_vec(),
        basis: Basis::Grantd,
    };
    world.does(grant(Grantee::Role("qa".into()), "/x/"));
    world.does(grant(Grantee::Role("ops".into()), "/v2/roles/"));
    world.does(grant(Grantee::User("ann".into()), "/v2/users/"));
    world.does(AddMember { role: "qa".into(), member: Member::User("ann".into()), basis: Basis::Grantd });
    (world, bob)
}

/// Tries one after the other; gives how many were carried out.
fn try_all(world: &mut World, attempts: &[Step], mut look: impl FnMut(&World, &Step)) -> usize {
    let mut changed = 0;
    for step in attempts {
        if let (_, Ok(changes)) = step.decided(world) {
            changed += usize::from(!changes.is_empty());
            world.applies(changes);
            look(world, step);
        }
    }
    changed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn with_nothing_but_the_automatic_grants(attempts in attempts_of("bob")) {
        let (mut world, bob) = world();
        let before = held(&world.state, &bob, world.now);
        try_all(&mut world, &attempts, |world, step| {
            assert_eq!(held(&world.state, &bob, world.now), before, "{step:?}");
        });
    }

    #[test]
    fn with_the_right_to_grant_only_what_is_held(attempts in attempts_of("bob")) {
        let (mut world, bob) = world();
        world.force("pulp_uri:/v2/permissions/actions/#execute@user:bob");
        let until = Some(world.now + 1_000_000_000);
        let for_a_time = Relationship { until, ..lasting("pulp_uri:/v2/repositories/#read@user:bob") };
        world.applies(vec![Change::RelationshipWritten { relationship: for_a_time }]);
        let (before, later) = (held(&world.state, &bob, world.now), held(&world.state, &bob, i64::MAX - 1));
        let attempts: Vec<Step> = attempts.into_iter().filter(|step| !step.grants_freely()).collect();
        try_all(&mut world, &attempts, |world, step| {
            // He may take away, also from himself.
            let now = held(&world.state, &bob, world.now);
            assert!(now.0.is_subset(&before.0) && now.1 == before.1, "{step:?}");
            assert!(held(&world.state, &bob, i64::MAX - 1).0.is_subset(&later.0), "for longer: {step:?}");
        });
    }

    #[test]
    fn only_super_users_change_who_is_one(history in histories()) {
        let mut world = World::new();
        for step in &history {
            let (caller, outcome) = step.decided(&mut world);
            let Ok(changes) = outcome else { continue };
            let before = everyone_in(&world.state, SUPER_USERS, world.now);
            let is_one = caller.holds(Authority::Admin, &world.state, world.now);
            world.applies(changes);
            let after = everyone_in(&world.state, SUPER_USERS, world.now);
            prop_assert!(before == after || is_one, "{:?}: {:?} became {:?}", step, before, after);
        }
    }

    #[test]
    fn there_is_a_super_user_once_there_was_one(history in histories()) {
        let mut world = World::new();
        world.super_user("ann");
        for step in &history {
            if let (_, Ok(changes)) = step.decided(&mut world) {
                world.applies(changes);
            }
            let logins = everyone_in(&world.state, SUPER_USERS, world.now);
            let active = |login: &str| world.state.users().get(login).is_some_and(|user| user.active);
            prop_assert!(logins.iter().any(|login| active(login)), "{:?}", step);
        }
    }
}

/// The attempts are worth something only if some of them get through.
#[test]
fn some_attempts_succeed() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut changed = [0, 0];
    for _ in 0..64 {
        let attempts = attempts_of("bob").new_tree(&mut runner).unwrap().current();
        let (mut plain, _) = world();
        changed[0] += try_all(&mut plain, &attempts, |_, _| {});
        let (mut granting, _) = world();
        granting.force("pulp_uri:/v2/permissions/actions/#execute@user:bob");
        changed[1] += try_all(&mut granting, &attempts, |_, _| {});
    }
    assert!(changed[0] > 32 && changed[1] > 3 * changed[0], "{changed:?}");
}

/// The second test above sees something only if the same attempts gain something where all may be granted.
#[test]
fn who_may_grant_everything_gains_everything() {
    let (mut world, bob) = world();
    world.force("pulp_uri:/v2/permissions/actions/#execute@user:bob");
    let grant = |delegation| GrantOperations {
        to: Grantee::User("bob".into()),
        resource: PulpUri::root(),
        operations: vec![Operation::Delete],
        basis: Basis::Pulp {
            uri: PulpUri::normalise("/v2/permissions/actions/grant_to_user/").unwrap(),
            operation: Operation::Execute,
            delegation,
        },
    };
    assert!(world.tries(&bob, grant(Delegation::Held)).is_err());
    assert!(world.tries(&bob, grant(Delegation::Free)).is_ok());
    assert!(may(&world.state, &bob, Operation::Delete, &PulpUri::root(), world.now));
    assert!(!bob.holds(Authority::Operator, &world.state, world.now));
}
