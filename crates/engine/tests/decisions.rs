//! The stories of `cases/decisions`, and the limits of a question.

#![allow(missing_docs, reason = "a test file")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use grantd_engine::{
    CheckError, Circumstances, Decision, MAX_DEPTH, MAX_STEPS, Object, ObjectRef, Question, Schema, Source,
    Subject, SubjectRef,
};
use grantd_testkit::cases::{Answer, Asked, Event, Searched, stories};
use grantd_testkit::verifier::Verifier;
use grantd_testkit::world::World;

#[test]
fn every_story_ends_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/decisions");
    let mut asked = 0;
    let mut wrong = Vec::new();
    for story in stories(&folder) {
        let name = &story.name;
        let mut world = World::of(&story.model);
        for event in story.events {
            match event {
                Event::Remodelled(model) => {
                    let schema = Schema::parse(&[Source { name, text: &model }]).unwrap();
                    world.graph.set_schema(schema.into());
                }
                Event::Given(relationship) => drop(world.writes(relationship)),
                Event::Deleted(key) => assert!(world.loses(&key.to_string()), "{name}: {key}"),
                Event::Retired(object) => {
                    let object: Object = object.parse().unwrap();
                    assert!(world.retires(object.as_ref()), "{name}: {object}");
                }
                Event::Stored(object, properties) => {
                    world.stored.put(object.parse::<Object>().unwrap().as_ref(), properties);
                }
                Event::Moment(now, said) => (world.now, world.said) = (now, said),
                Event::Asked(question) => {
                    asked += 1;
                    wrong.extend(
                        ask(&world, &question)
                            .err()
                            .map(|said| format!("{name}.txt:{}: {said}", question.line)),
                    );
                }
                Event::Searched(search) => {
                    asked += 1;
                    let found = find(&world, &search);
                    if found != search.found {
                        wrong.push(format!("{name}.txt:{}: found {found:?}", search.line));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 300, "only {asked} questions were read");
}

/// Asks check, the reference, and explain with its witness confirmed.
fn ask(world: &World, asked: &Asked) -> Result<(), String> {
    let subject: Subject = asked.subject.parse().unwrap();
    let resource: Object = asked.resource.parse().unwrap();
    let schema = world.graph.schema();
    let question = Question { subject: subject.as_ref(), action: &asked.action, resource: resource.as_ref() };
    let circumstances = world.circumstances();
    let said = world.graph.check(&question, &circumstances).unwrap();
    if answer(&said) != asked.answer {
        return Err(format!("{said:?}, should be {:?}", asked.answer));
    }
    // The reference and the verifier know one spelling of a path.
    let Ok(resource) = schema.object(resource.kind(), resource.id()) else { return Ok(()) };
    let question = Question { resource: resource.as_ref(), ..question };
    let oracle = world.reference.oracle(schema, circumstances);
    let reference = oracle.check(question.subject, question.action, question.resource);
    if reference != said {
        return Err(format!("{said:?}, the reference says {reference:?}"));
    }
    let explained = world.graph.explain(&question, &circumstances).unwrap();
    if explained.decision != said {
        return Err(format!("{said:?}, explained {:?}", explained.decision));
    }
    let verifier = Verifier { schema, reference: &world.reference, oracle: &oracle, circumstances };
    explained.witness.map_or(Ok(()), |witness| verifier.confirm(&question, &witness))
}

fn answer(decision: &Decision) -> Answer {
    match decision {
        Decision::Allowed => Answer::Yes,
        Decision::Denied => Answer::No,
        Decision::Conditional { missing, broken } if broken.is_empty() => Answer::If(missing.clone()),
        Decision::Conditional { broken, .. } => {
            Answer::Broken(broken.iter().map(|broken| broken.condition.clone()).collect())
        }
    }
}

fn find(world: &World, search: &Searched) -> Vec<String> {
    let (graph, circumstances) = (&world.graph, world.circumstances());
    let words: Vec<_> = search.words.iter().map(String::as_str).collect();
    let object = |text: &str| text.parse::<Object>().unwrap();
    match words[..] {
        ["subjects", kind, action, resource] => {
            let resource = object(resource);
            let found = graph.search_subjects(kind, action, resource.as_ref(), &circumstances, None, 1_000);
            found.unwrap().iter().map(ToString::to_string).collect()
        }
        ["resources", subject, action, kind] => {
            let subject: Subject = subject.parse().unwrap();
            let found = graph.search_resources(subject.as_ref(), action, kind, &circumstances, None, 1_000);
            found.unwrap().iter().map(|found| found.object.to_string()).collect()
        }
        ["actions", subject, resource] => {
            let (subject, resource) = (subject.parse::<Subject>().unwrap(), object(resource));
            let found =
                graph.search_actions(subject.as_ref(), resource.as_ref(), &circumstances, None, 1_000);
            found.unwrap().iter().map(ToString::to_string).collect()
        }
        _ => panic!("line {}: no search: {words:?}", search.line),
    }
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
fn a_question_gives_up_only_when_both_sides_are_too_large() {
    let mut world = World::of(ROLES);
    let write = |world: &mut World, key: String| {
        world.graph.write(grantd_engine::Relationship::lasting(key.parse().unwrap()));
    };
    for role in 0..MAX_STEPS {
        write(&mut world, format!("role:all#member@role:{role}#member"));
    }
    // Whoever is in few roles is found from their side.
    assert_eq!(is_member(&world, "all"), Ok(false));
    for role in 0..300 {
        write(&mut world, format!("role:other{role}#member@user:ann"));
    }
    assert_eq!(is_member(&world, "all"), Ok(false));
    write(&mut world, "role:5#member@user:ann".to_owned());
    assert_eq!(is_member(&world, "all"), Ok(true));
    world.graph.delete(&"role:5#member@user:ann".parse().unwrap());
    for role in 300..60_000 {
        write(&mut world, format!("role:other{role}#member@user:ann"));
    }
    assert_eq!(is_member(&world, "all"), Err(CheckError::TooManySteps));
    write(&mut world, "role:all#member@user:ann".to_owned());
    assert_eq!(is_member(&world, "all"), Ok(true));
}
