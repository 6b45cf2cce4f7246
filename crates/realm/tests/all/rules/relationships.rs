//! Relationships written and deleted as such.

use grantd_realm::Refusal;
use grantd_realm::engine::{Condition, Properties, Relationship};
use grantd_realm::relationship::{Requirement, WriteRelationships};

use crate::support::{World, came_to, deleting, invalid_field, key_of, lasting, root, writing};

const KEY: &str = "role:qa#member@user:ann";

fn until(text: &str, until: i64) -> Relationship {
    Relationship { until: Some(until), ..lasting(text) }
}

fn write(write: Vec<Relationship>) -> WriteRelationships {
    WriteRelationships { write, delete: Vec::new(), require: Vec::new() }
}

fn requiring(must_exist: bool) -> WriteRelationships {
    let require = vec![Requirement { key: key_of(KEY), must_exist }];
    WriteRelationships { require, ..writing("role:qa#member@user:bob") }
}

#[test]
fn writing_counts_what_it_changed() {
    let mut world = World::new();
    assert_eq!(world.does(writing(KEY)), came_to(1, 0));
    assert_eq!(world.does(writing(KEY)), came_to(0, 0), "it is there already");
    let later = world.now + 5;
    assert_eq!(world.does(write(vec![until(KEY, later)])), came_to(1, 0), "it ends now");
    assert_eq!(world.does(deleting(KEY)), came_to(0, 1));
    assert_eq!(world.does(deleting(KEY)), came_to(0, 0), "absent is no error");
}

#[test]
fn a_requirement_is_about_the_state_before() {
    let mut world = World::new();
    let unmet = |must_exist| Err(Refusal::Precondition { relationship: KEY.into(), must_exist });
    assert_eq!(world.tries(&root(), requiring(true)), unmet(true));
    assert_eq!(world.tries(&root(), requiring(false)), Ok(came_to(1, 0)));
    world.does(deleting("role:qa#member@user:bob"));
    world.does(writing(KEY));
    assert_eq!(world.tries(&root(), requiring(false)), unmet(false));
    assert_eq!(world.tries(&root(), requiring(true)), Ok(came_to(1, 0)));
    // What the call itself writes does not count.
    let require = vec![Requirement { key: key_of("role:qa#member@user:cyd"), must_exist: true }];
    let own = WriteRelationships { require, ..writing("role:qa#member@user:cyd") };
    assert!(matches!(world.tries(&root(), own), Err(Refusal::Precondition { .. })));
}

#[test]
fn what_has_ended_does_not_exist() {
    let mut world = World::new();
    let end = world.now + 10;
    world.does(write(vec![until(KEY, end)]));
    world.now = end - 1;
    assert!(world.tries(&root(), requiring(false)).is_err());
    world.now = end;
    assert!(world.tries(&root(), requiring(true)).is_err());
    assert!(!world.allows("user:ann", "member", "role:qa"));
    assert_eq!(world.tries(&root(), requiring(false)), Ok(came_to(1, 0)));
}

#[test]
fn an_end_is_in_the_future() {
    let mut world = World::new();
    let now = world.now;
    assert_eq!(invalid_field(world.tries(&root(), write(vec![until(KEY, now)]))), "until");
    assert_eq!(invalid_field(world.tries(&root(), write(vec![until(KEY, i64::MIN)]))), "until");
    assert!(world.tries(&root(), write(vec![until(KEY, now + 1)])).is_ok());
}

#[test]
fn a_key_is_named_once_in_a_call() {
    let mut world = World::new();
    let later = world.now + 5;
    let twice = write(vec![lasting(KEY), until(KEY, later)]);
    assert_eq!(invalid_field(world.tries(&root(), twice)), "write");
    let both = WriteRelationships { delete: vec![key_of(KEY)], ..writing(KEY) };
    assert_eq!(invalid_field(world.tries(&root(), both)), "write");
    let delete = vec![key_of(KEY), key_of("role:qa#member@user:bob"), key_of(KEY)];
    let delete = WriteRelationships { write: Vec::new(), delete, require: Vec::new() };
    assert_eq!(invalid_field(world.tries(&root(), delete)), "write");
}

#[test]
fn all_of_a_call_happens_or_nothing() {
    let mut world = World::new();
    let before = world.state.hash();
    for bad in [
        "nothing:x#member@user:ann",
        "role:qa#nothing@user:ann",
        "role:qa#member@identity:x",
        "role:qa#member@user:*",
    ] {
        let outcome = world.tries(&root(), write(vec![lasting(KEY), lasting(bad)]));
        assert_eq!(invalid_field(outcome), "write", "{bad}");
    }
    let condition = Some(Condition { name: "unheard_of".into(), parameters: Properties::default() });
    let conditional = write(vec![Relationship { condition, ..lasting(KEY) }]);
    assert_eq!(invalid_field(world.tries(&root(), conditional)), "condition");
    assert_eq!(world.state.hash(), before);
}
