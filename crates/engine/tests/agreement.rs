//! The agreement law: for every subject, action and resource of a random world, check, the slow reference, explain with its
//! witness confirmed, and the three searches over pages of any size say the same.
//!
//! `GRANTD_WORLDS` sets how many worlds are made, `GRANTD_WORLD_SEED` where to begin: the seed of a world that disagrees is
//! printed.

#![allow(missing_docs, reason = "a test file")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use grantd_engine::{Decision, ObjectRef, Question, Subject, SubjectRef, path};
use grantd_testkit::random::{self, Step};
use grantd_testkit::verifier::Verifier;
use grantd_testkit::world::World;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const PAGES: [usize; 4] = [1, 5, 53, 100];

#[test]
fn everything_says_the_same() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let worlds = number("GRANTD_WORLDS").unwrap_or(500);
    let first = number("GRANTD_WORLD_SEED").unwrap_or(1);
    let mut tally = Tally::default();
    for seed in first..first + worlds {
        let (schema, world) = world(seed);
        if let Err(disagreement) = agree(&world, &mut tally) {
            panic!(
                "seed {seed} (GRANTD_WORLD_SEED={seed} GRANTD_WORLDS=1)\n{schema}\n{}\n{:?}\nstored {:?}\nnow {}\n{disagreement}",
                world.reference.sorted().iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join("\n"),
                world.said,
                world.stored,
                world.now,
            );
        }
    }
    eprintln!("worlds {worlds} from seed {first}: {tally:?}");
    // A law about worlds in which nothing ever happens would be worth nothing.
    assert!(
        tally.allowed > worlds && tally.conditional > worlds / 4 && tally.absences > worlds / 10,
        "{tally:?}"
    );
}

#[derive(Debug, Default)]
struct Tally {
    questions: u64,
    allowed: u64,
    conditional: u64,
    broken: u64,
    absences: u64,
    found: u64,
}

/// The world of a seed.
fn world(seed: u64) -> (String, World) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let picks = prop::collection::vec(0..1000_usize, 60);
    let strategy = (random::schemas(), random::histories(), picks, random::said(), 0..4_i64);
    let (schema, history, picks, said, now) = strategy.new_tree(&mut runner).unwrap().current();
    let mut world = World::of(&schema);
    let model = world.graph.schema().clone();
    for (step, pick) in history.iter().zip(picks.iter().cycle()) {
        match step {
            // Most of what is written is admitted.
            Step::Write(relationship) if pick % 8 != 0 => {
                if let Some(admitted) = random::admitted(&model, relationship, *pick) {
                    world.writes(admitted);
                }
            }
            step => world.takes(step),
        }
    }
    (world.said, world.now) = (said, now);
    (schema, world)
}

fn agree(world: &World, tally: &mut Tally) -> Result<(), String> {
    let schema = world.graph.schema().clone();
    let circumstances = world.circumstances();
    let oracle = world.reference.oracle(&schema, circumstances);
    let verifier = Verifier { schema: &schema, reference: &world.reference, oracle: &oracle, circumstances };
    let mut allowed = BTreeSet::new();
    let mut wrong = Vec::new();
    World::questions(|subject, action, resource| {
        let question = Question { subject, action, resource };
        let said = world.graph.check(&question, &circumstances).expect("within the limits");
        let right = oracle.check(subject, action, resource);
        tally.questions += 1;
        if said != right {
            wrong
                .push(format!("check {subject} {action} {resource}: {said:?}, the reference says {right:?}"));
        }
        match &said {
            Decision::Denied => {}
            Decision::Allowed => {
                tally.allowed += 1;
                allowed.insert((subject.to_string(), action.to_owned(), resource.to_string()));
            }
            Decision::Conditional { broken, .. } => {
                tally.conditional += 1;
                tally.broken += u64::from(!broken.is_empty());
            }
        }
        if said == Decision::Denied && !tally.questions.is_multiple_of(7) {
            return;
        }
        let explained = world.graph.explain(&question, &circumstances).expect("within the limits");
        if explained.decision != said {
            wrong.push(format!(
                "explain {subject} {action} {resource}: {:?}, check says {said:?}",
                explained.decision
            ));
        }
        match &explained.witness {
            Some(witness) => {
                tally.absences += witness.absences.len() as u64;
                if let Err(objection) = verifier.confirm(&question, witness) {
                    wrong.push(format!("witness of {subject} {action} {resource}: {objection}: {witness:?}"));
                }
            }
            None if said.is_allowed() => wrong.push(format!("no witness of {subject} {action} {resource}")),
            None => {}
        }
    });
    World::searches(|subject, action, resource| {
        let agreed = search(world, &allowed, subject, action, resource, tally);
        wrong.extend(agreed.err());
    });
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The searches that this triple is a part of find it exactly if it is allowed.
fn search(
    world: &World,
    allowed: &BTreeSet<(String, String, String)>,
    subject: SubjectRef<'_>,
    action: &str,
    resource: ObjectRef<'_>,
    tally: &mut Tally,
) -> Result<(), String> {
    let circumstances = world.circumstances();
    let is_allowed = |subject: SubjectRef<'_>, action: &str, resource: ObjectRef<'_>| {
        allowed.contains(&(subject.to_string(), action.to_owned(), resource.to_string()))
    };
    let named = |object: ObjectRef<'_>| world.reference.names(object, &circumstances);
    for limit in PAGES {
        let actions = actions(world, subject, resource, limit);
        for action in World::actions() {
            if actions.iter().any(|found| found == action) != is_allowed(subject, action, resource) {
                return Err(format!("actions of {subject} on {resource}, {limit} a page: {actions:?}"));
            }
        }
        let resources = resources(world, subject, action, resource.kind, limit);
        tally.found += resources.len() as u64;
        for resource in World::objects().into_iter().filter(|object| object.kind == resource.kind) {
            let found = resources.iter().any(|(id, _)| id == resource.id);
            // What nothing names has the answer of the nearest path above it that something names.
            let right = named(resource) && is_allowed(subject, action, resource);
            if found != right {
                return Err(format!("{action} by {subject} on {resource}, {limit} a page: {resources:?}"));
            }
            let schema = world.graph.schema();
            let itself = matches!(subject, SubjectRef::Userset(object, _) if object == resource);
            if schema.is_path(resource.kind) && !named(resource) && !itself {
                let mut above = path::upwards(resource.id).map(|id| ObjectRef { kind: resource.kind, id });
                let nearest = above.find(|above| named(*above));
                let Some(nearest) = nearest else { continue };
                let found = resources.iter().find(|(id, _)| id == nearest.id);
                // What is stored about the node itself is not stored about what is below it.
                let is_alike = found.is_some() || circumstances.entities.properties(nearest).is_none();
                let covered = found.is_some_and(|(_, covers)| *covers);
                if is_alike && covered != is_allowed(subject, action, resource) {
                    return Err(format!("{resource} is not as {nearest}: {resources:?}"));
                }
            }
        }
        if let SubjectRef::Object(object) = subject {
            let subjects = subjects(world, object.kind, action, resource, limit);
            for object in World::objects().into_iter().filter(|other| other.kind == object.kind) {
                let text = SubjectRef::Object(object).to_string();
                let found = subjects.contains(&text);
                if found != (named(object) && is_allowed(SubjectRef::Object(object), action, resource)) {
                    return Err(format!(
                        "{} that {action} {resource}, {limit} a page: {subjects:?}",
                        object.kind
                    ));
                }
            }
            let everyone = SubjectRef::Wildcard(object.kind);
            if subjects.contains(&everyone.to_string()) != is_allowed(everyone, action, resource) {
                return Err(format!("{everyone} that {action} {resource}, {limit} a page: {subjects:?}"));
            }
        }
    }
    Ok(())
}

fn actions(world: &World, subject: SubjectRef<'_>, resource: ObjectRef<'_>, limit: usize) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().map(String::as_str);
        let page =
            world.graph.search_actions(subject, resource, &world.circumstances(), after, limit).unwrap();
        let done = page.len() < limit;
        found.extend(page.iter().map(ToString::to_string));
        if done {
            assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
            return found;
        }
    }
}

/// Ids, each with whether it covers what is below it.
fn resources(
    world: &World,
    subject: SubjectRef<'_>,
    action: &str,
    kind: &str,
    limit: usize,
) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    loop {
        let (after, circumstances) = (found.last().map(|(id, _)| id.as_str()), world.circumstances());
        let page = world.graph.search_resources(subject, action, kind, &circumstances, after, limit).unwrap();
        let done = page.len() < limit;
        found.extend(page.into_iter().map(|one| (one.object.id().to_owned(), one.covers_subtree)));
        if done {
            assert!(found.is_sorted_by(|a, b| a.0 < b.0), "{found:?}");
            return found;
        }
    }
}

fn subjects(world: &World, kind: &str, action: &str, resource: ObjectRef<'_>, limit: usize) -> Vec<String> {
    let mut found: Vec<Subject> = Vec::new();
    loop {
        let (after, circumstances) = (found.last().map(Subject::as_ref), world.circumstances());
        let page = world.graph.search_subjects(kind, action, resource, &circumstances, after, limit).unwrap();
        let done = page.len() < limit;
        found.extend(page);
        if done {
            assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
            return found.iter().map(ToString::to_string).collect();
        }
    }
}
