//! Relationships that a question supposes.

use grantd_realm::contextual::MAX_CONTEXTUAL;
use grantd_realm::engine::{Circumstances, Graph, ObjectRef, Question, SubjectRef};

use crate::support::{World, invalid_field, lasting, writing};

fn is_member(graph: &Graph, login: &str, role: &str, now: i64) -> bool {
    let subject = SubjectRef::Object(ObjectRef { kind: "user", id: login });
    let resource = ObjectRef { kind: "role", id: role };
    let question = Question { subject, action: "member", resource };
    graph.check(&question, &Circumstances::at(now)).unwrap().is_allowed()
}

#[test]
fn they_count_in_the_fork_and_nowhere_else() {
    let mut world = World::new();
    world.does(writing("role:qa#member@role:ops#member"));
    let hash = world.state.hash();
    let supposed = vec![lasting("role:ops#member@user:ann")];
    let fork = world.state.supposing(supposed, world.now).unwrap();
    assert!(is_member(&fork, "ann", "qa", world.now));
    assert!(!is_member(world.state.graph(), "ann", "qa", world.now));
    assert_eq!(world.state.hash(), hash);
}

#[test]
fn they_must_fit_the_schema() {
    let world = World::new();
    for key in ["role:qa#member@role:ops", "role:qa#nothing@user:ann", "nothing:x#member@user:ann"] {
        assert_eq!(
            invalid_field(world.state.supposing(vec![lasting(key)], world.now).map(|_| ())),
            "contextual"
        );
    }
}

#[test]
fn there_is_a_limit() {
    let world = World::new();
    let many = |count: usize| (0..count).map(|n| lasting(&format!("role:qa#member@user:u{n}"))).collect();
    assert!(world.state.supposing(many(MAX_CONTEXTUAL), world.now).is_ok());
    let refused = world.state.supposing(many(MAX_CONTEXTUAL + 1), world.now).map(|_| ());
    assert_eq!(invalid_field(refused), "contextual");
}

#[test]
fn none_may_give_a_relation_on_grantd() {
    let mut world = World::new();
    world.does(writing("grantd:default#writer@role:ops#member"));
    for key in [
        "grantd:default#checker@user:ann",
        "grantd:elsewhere#admin@user:ann",
        "role:super-users#member@user:ann",
        "role:ops#member@user:ann",
        "role:ops#member@role:new#member",
    ] {
        let refused = world.state.supposing(vec![lasting(key)], world.now).map(|_| ());
        assert_eq!(invalid_field(refused), "contextual", "{key}");
    }
}
