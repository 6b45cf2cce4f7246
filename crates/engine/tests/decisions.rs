//! The stories of `cases/decisions`, and the limits of a question.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use grantd_engine::{CheckError, Circumstances, MAX_DEPTH, MAX_STEPS, ObjectRef, Question, SubjectRef};
use grantd_testkit::cases::{Event, stories};
use grantd_testkit::world::World;

#[test]
fn every_story_ends_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/decisions");
    let mut asked = 0;
    let mut wrong = Vec::new();
    for story in stories(&folder) {
        let mut world = World::of(&story.model);
        for event in story.events {
            match event {
                Event::Given(relationship) => drop(world.writes(relationship)),
                Event::Deleted(key) => assert!(world.loses(&key.to_string()), "{}: {key}", story.name),
                Event::Retired(object) => {
                    let object: grantd_engine::Object = object.parse().unwrap();
                    assert!(world.retires(object.as_ref()), "{}: {object}", story.name);
                }
                Event::Asked { line, now, subject, action, resource, answer } => {
                    asked += 1;
                    world.now = now;
                    let said = world.asks(&subject, &action, &resource);
                    if said != answer {
                        wrong.push(format!("{}.txt:{line}: {said:?}, should be {answer:?}", story.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 100, "only {asked} questions were read");
}

const ROLES: &str = "type user\ntype role\n relations\n  define member: [user, role#member]\n";

fn is_member(world: &World, role: &str) -> Result<bool, CheckError> {
    let subject = SubjectRef::Object(ObjectRef { kind: "user", id: "ann" });
    let resource = ObjectRef { kind: "role", id: role };
    let decision =
        world.graph.check(&Question { subject, action: "member", resource }, &Circumstances::at(0));
    decision.map(|decision| decision.is_allowed())
}

#[test]
fn a_question_gives_up_below_the_greatest_depth() {
    let mut world = World::of(ROLES);
    for depth in 0..=MAX_DEPTH {
        world.has(&format!("role:{depth}#member@role:{}#member", depth + 1));
    }
    world.has(&format!("role:{}#member@user:ann", MAX_DEPTH + 1));
    assert_eq!(is_member(&world, "1"), Ok(true));
    assert_eq!(is_member(&world, "0"), Err(CheckError::TooDeep));
}

#[test]
fn a_question_gives_up_after_too_many_steps() {
    let mut world = World::of(ROLES);
    for role in 0..MAX_STEPS {
        world.graph.write(grantd_engine::Relationship::lasting(
            format!("role:all#member@role:{role}#member").parse().unwrap(),
        ));
    }
    assert_eq!(is_member(&world, "all"), Err(CheckError::TooManySteps));
    world.graph.write(grantd_engine::Relationship::lasting("role:all#member@user:ann".parse().unwrap()));
    assert_eq!(is_member(&world, "all"), Ok(true));
}
