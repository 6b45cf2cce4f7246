//! Each line of an import is judged by itself.

use grantd_realm::Refusal;
use grantd_realm::caller::Authority;
use grantd_realm::engine::Relationship;
use grantd_realm::import::{ImportRelationships, Imported};
use uuid::Uuid;

use crate::support::{World, lasting, root, with, writing};

fn import(world: &World, relationships: Vec<Relationship>) -> ImportRelationships {
    ImportRelationships { relationships, account: world.state.account(), dry_run: false }
}

fn codes(imported: &Imported) -> Vec<(usize, &'static str)> {
    imported.refused.iter().map(|(place, refusal)| (*place, refusal.code())).collect()
}

#[test]
fn bad_lines_are_told_and_good_ones_written() {
    let mut world = World::new();
    let past = Relationship { until: Some(world.now), ..lasting("role:qa#member@user:eve") };
    let lines = vec![
        lasting("role:qa#member@user:ann"),
        lasting("nothing:x#member@user:ann"),
        lasting("role:super-users#member@user:eve"),
        lasting("role:qa#member@user:bob"),
        past,
    ];
    let imported = world.does(import(&world, lines));
    assert_eq!((imported.written, imported.unchanged), (2, 0));
    assert_eq!(codes(&imported), [(1, "invalid_request"), (2, "managed_relation"), (4, "invalid_request")]);
    assert_eq!(world.naming("role", "qa").len(), 2);
    assert!(!world.allows("user:eve", "admin", "grantd:default"));
}

#[test]
fn nobody_imports_what_they_do_not_hold() {
    let mut world = World::new();
    let line = || vec![lasting("grantd:default#operator@user:eve"), lasting("role:qa#member@user:eve")];
    let imported = world.tries(&with(&[Authority::Writer]), import(&world, line())).expect("imported");
    assert_eq!(codes(&imported), [(0, "not_held")]);
    assert!(!world.allows("user:eve", "operator", "grantd:default"));
    let refused = world.tries(&with(&[Authority::Operator]), import(&world, line()));
    assert_eq!(refused, Err(Refusal::NotAllowed(Authority::Writer)));
}

#[test]
fn the_same_again_changes_nothing() {
    let mut world = World::new();
    let later = world.now + 9;
    let limited = Relationship { until: Some(later), ..lasting("role:qa#member@user:bob") };
    let lines = || vec![lasting("role:qa#member@user:ann"), limited.clone()];
    world.does(import(&world, lines()));
    let (changes, _, again) = world.decides(&root(), &import(&world, lines())).expect("imported");
    assert_eq!((again.written, again.unchanged, changes.len()), (0, 2, 0));
}

#[test]
fn of_several_with_one_key_the_last_one_counts() {
    let mut world = World::new();
    let later = world.now + 9;
    let key = "role:qa#member@user:ann";
    let limited = Relationship { until: Some(later), ..lasting(key) };
    let imported = world.does(import(&world, vec![lasting(key), lasting(key), limited.clone()]));
    assert_eq!((imported.written, imported.unchanged), (2, 1));
    assert_eq!(world.state.graph().get(&limited.key), Some(limited));
}

/// An export holds managed relationships too; where they are, they stay.
#[test]
fn a_managed_one_that_is_there_is_no_error() {
    let mut world = World::new();
    world.super_user("ann");
    let mut all = Vec::new();
    world.state.graph().for_each(|relationship| all.push(relationship));
    let count = all.len() as u64;
    let imported = world.does(import(&world, all));
    assert_eq!((imported.unchanged, codes(&imported)), (count, Vec::new()));
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let mut world = World::new();
    world.does(writing("role:qa#member@user:ann"));
    let lines =
        ["role:qa#member@user:ann", "role:qa#member@user:bob", "role:qa#nothing@user:cyd"].map(lasting);
    let wet = import(&world, lines.to_vec());
    let dry = ImportRelationships { dry_run: true, ..import(&world, lines.to_vec()) };
    let (changes, _, said) = world.decides(&root(), &dry).expect("said");
    assert!(changes.is_empty());
    assert_eq!(world.does(wet), said);
}

#[test]
fn into_another_realm_of_the_name_nothing_goes() {
    let mut world = World::new();
    let command = ImportRelationships { account: Uuid::nil(), ..import(&world, Vec::new()) };
    assert_eq!(world.tries(&root(), command), Err(Refusal::NoRealm));
}
