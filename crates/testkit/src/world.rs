//! Worlds to test in: one that reads well in a test, and random ones.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot build its world has failed")]

use std::sync::Arc;

use grantd_engine::{
    Circumstances, Condition, Decision, Fold, Graph, Key, Micros, ObjectRef, Properties, Question,
    Relationship, Schema, Source, SubjectRef, Written,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::reference::Reference;

/// A graph and the reference beside it, which see the same writes.
///
/// ```
/// use grantd_testkit::world::World;
///
/// let mut world = World::of("type user\ntype doc\n relations\n  define viewer: [user]\n");
/// world.has("doc:plan#viewer@user:ann");
/// assert!(world.allows("user:ann", "viewer", "doc:plan"));
/// ```
#[derive(Clone, Debug)]
pub struct World {
    /// The graph under test.
    pub graph: Graph,
    /// What it should be.
    pub reference: Reference,
    /// The time of the questions.
    pub now: Micros,
    /// Snapshots that are held on to.
    pub snapshots: Vec<Graph>,
    /// Folds that were begun.
    pub folds: Vec<Fold>,
}

impl World {
    /// Nothing but a schema.
    #[must_use]
    pub fn of(schema: &str) -> Self {
        let schema = Schema::parse(&[Source { name: "test", text: schema }]);
        let schema = schema.unwrap_or_else(|error| panic!("{error}"));
        Self {
            graph: Graph::new(Arc::new(schema)),
            reference: Reference::new(),
            now: 0,
            snapshots: Vec::new(),
            folds: Vec::new(),
        }
    }

    /// Writes a relationship without end, given as `resource#relation@subject`.
    pub fn has(&mut self, key: &str) -> Written {
        self.writes(Relationship::lasting(key_of(key)))
    }

    /// Writes a relationship that exists until just before `until`.
    pub fn has_until(&mut self, key: &str, until: Micros) -> Written {
        self.writes(Relationship { until: Some(until), ..Relationship::lasting(key_of(key)) })
    }

    /// Writes a relationship under a condition.
    pub fn has_if(&mut self, key: &str, condition: &str) -> Written {
        let condition = Condition { name: condition.to_owned(), parameters: Properties::default() };
        self.writes(Relationship { condition: Some(condition), ..Relationship::lasting(key_of(key)) })
    }

    /// Writes a relationship.
    pub fn writes(&mut self, relationship: Relationship) -> Written {
        self.reference.write(relationship.clone());
        self.graph.write(relationship)
    }

    /// Deletes a relationship.
    pub fn loses(&mut self, key: &str) -> bool {
        let key = key_of(key);
        self.reference.delete(&key);
        self.graph.delete(&key)
    }

    /// Retires an object.
    pub fn retires(&mut self, object: ObjectRef<'_>) -> bool {
        self.reference.retire(object);
        self.graph.retire(object)
    }

    /// What the graph says, with texts such as `user:ann`, `viewer`, `doc:plan`.
    #[must_use]
    pub fn asks(&self, subject: &str, action: &str, resource: &str) -> Decision {
        let subject: grantd_engine::Subject = subject.parse().unwrap_or_else(|error| panic!("{error}"));
        let resource: grantd_engine::Object = resource.parse().unwrap_or_else(|error| panic!("{error}"));
        let question = Question { subject: subject.as_ref(), action, resource: resource.as_ref() };
        self.graph.check(&question, &Circumstances::at(self.now)).expect("within the limits")
    }

    /// Whether the graph says yes.
    #[must_use]
    pub fn allows(&self, subject: &str, action: &str, resource: &str) -> bool {
        self.asks(subject, action, resource).is_allowed()
    }
}

/// A key from its text form.
#[must_use]
pub fn key_of(text: &str) -> Key {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Names of a random world: few, so that things meet.
const USERS: [&str; 3] = ["a", "b", "c"];
const GROUPS: [&str; 3] = ["g", "h", "i"];
const DOCS: [&str; 3] = ["x", "y", "z"];
const PATHS: [&str; 5] = ["/", "/p/", "/p/q/", "/p/q/r/", "/s/"];
const RELATIONS: [&str; 3] = ["one", "two", "three"];
const TYPES: [&str; 4] = ["user", "group", "doc", "tree"];

/// A step in the life of a random world.
#[derive(Clone, Debug)]
pub enum Step {
    /// Writes a relationship; the schema may not admit it.
    Write(Relationship),
    /// Deletes a relationship.
    Delete(Key),
    /// Retires an object.
    Retire(&'static str, &'static str),
    /// Sweeps with this budget.
    Sweep(usize),
    /// Folds the overlay into the base, which otherwise only large worlds do.
    Fold,
    /// Sets the overlay aside to be folded elsewhere, as large worlds do.
    BeginFold,
    /// Takes what the fold came to, if one was begun; another may have been begun since.
    Adopt,
    /// Goes on with what a dump of the graph gives back.
    Dump,
    /// Takes a snapshot and keeps it until the end, so that nothing is changed in place.
    Share,
}

/// A random schema over the types `user`, `group`, `doc` and the path type `tree`, each but the first with the relations
/// `one`, `two` and `three`.
pub fn schemas() -> impl Strategy<Value = String> {
    let form = prop_oneof![
        3 => Just("user".to_owned()),
        1 => Just("user:*".to_owned()),
        1 => Just("group".to_owned()),
        3 => select(&RELATIONS[..]).prop_map(|relation| format!("group#{relation}")),
        1 => select(&RELATIONS[..]).prop_map(|relation| format!("doc#{relation}")),
        1 => select(&RELATIONS[..]).prop_map(|relation| format!("tree#{relation}")),
    ];
    let direct = prop::collection::vec(form, 1..5).prop_map(|forms| format!("[{}]", forms.join(", ")));
    let term = prop_oneof![3 => direct, 1 => select(&RELATIONS[..]).prop_map(str::to_owned)];
    let expression = term.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" or ")),
            inner.prop_map(|part| format!("({part})")),
        ]
    });
    prop::collection::vec(expression, 9).prop_map(|expressions| {
        let mut text = "model\n  schema 1.1\ntype user\n".to_owned();
        for (kind, expressions) in
            ["type group", "type doc", "path type tree"].iter().zip(expressions.chunks(3))
        {
            text.push_str(&format!("{kind}\n  relations\n"));
            for (relation, expression) in RELATIONS.iter().zip(expressions) {
                text.push_str(&format!("    define {relation}: {expression}\n"));
            }
        }
        text
    })
}

/// A random object that relationships and questions may name.
pub fn objects() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        2 => select(&USERS[..]).prop_map(|id| ("user", id)),
        3 => select(&GROUPS[..]).prop_map(|id| ("group", id)),
        2 => select(&DOCS[..]).prop_map(|id| ("doc", id)),
        3 => select(&PATHS[..]).prop_map(|id| ("tree", id)),
    ]
}

/// A random subject, in text form.
pub fn subjects() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => objects().prop_map(|(kind, id)| format!("{kind}:{id}")),
        5 => (objects(), select(&RELATIONS[..])).prop_map(|((kind, id), relation)| format!("{kind}:{id}#{relation}")),
        1 => select(&TYPES[..]).prop_map(|kind| format!("{kind}:*")),
    ]
}

/// A random key.
pub fn keys() -> impl Strategy<Value = Key> {
    (objects(), select(&RELATIONS[..]), subjects())
        .prop_map(|((kind, id), relation, subject)| key_of(&format!("{kind}:{id}#{relation}@{subject}")))
}

/// A random relationship: a quarter ends at 1, 2 or 3, some are conditional.
pub fn relationships() -> impl Strategy<Value = Relationship> {
    let until = prop_oneof![3 => Just(None), 1 => (1..4_i64).prop_map(Some)];
    let condition = prop_oneof![9 => Just(None), 1 => select(&["night", "office"][..]).prop_map(Some)];
    (keys(), until, condition).prop_map(|(key, until, name)| {
        let condition =
            name.map(|name| Condition { name: name.to_owned(), parameters: Properties::default() });
        Relationship { key, until, condition }
    })
}

/// A random history: mostly writes.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => relationships().prop_map(Step::Write),
        4 => keys().prop_map(Step::Delete),
        1 => objects().prop_map(|(kind, id)| Step::Retire(kind, id)),
        1 => (0..5_usize).prop_map(Step::Sweep),
        1 => Just(Step::Fold),
        1 => Just(Step::BeginFold),
        1 => Just(Step::Adopt),
        1 => Just(Step::Dump),
        1 => Just(Step::Share),
    ];
    prop::collection::vec(step, 1..60)
}

impl World {
    /// Lives through a step.
    pub fn takes(&mut self, step: &Step) {
        match step {
            Step::Write(relationship) => {
                self.writes(relationship.clone());
            }
            Step::Delete(key) => {
                assert_eq!(self.graph.delete(key), self.reference.delete(key), "delete {key}");
            }
            Step::Retire(kind, id) => {
                self.retires(ObjectRef { kind, id });
            }
            Step::Sweep(budget) => {
                self.graph.sweep(*budget);
            }
            Step::Fold => self.graph.fold(),
            Step::BeginFold => self.folds.push(self.graph.begin_fold()),
            Step::Adopt => {
                if let Some(fold) = self.folds.pop() {
                    self.graph.adopt(fold.run());
                }
            }
            Step::Dump => {
                let mut bytes = Vec::new();
                self.graph.dump(&mut bytes);
                let schema = self.graph.schema().clone();
                self.graph = Graph::from_dump(&bytes, schema).unwrap_or_else(|error| panic!("{error}"));
            }
            Step::Share => self.snapshots.push(self.graph.clone()),
        }
    }

    /// Every question over the names of random worlds, and over names that no relationship has.
    pub fn questions(mut each: impl FnMut(SubjectRef<'_>, &str, ObjectRef<'_>)) {
        let objects = all_objects();
        for resource in &objects {
            for action in RELATIONS {
                for subject in &objects {
                    each(SubjectRef::Object(*subject), action, *resource);
                    for relation in RELATIONS {
                        each(SubjectRef::Userset(*subject, relation), action, *resource);
                    }
                }
                for kind in TYPES {
                    each(SubjectRef::Wildcard(kind), action, *resource);
                }
            }
        }
    }
}

fn all_objects() -> Vec<ObjectRef<'static>> {
    let named = [("user", &USERS[..]), ("group", &GROUPS[..]), ("doc", &DOCS[..]), ("tree", &PATHS[..])];
    let never_named = [("user", "nobody"), ("group", "none"), ("doc", "none"), ("tree", "/p/q/none/")];
    named
        .into_iter()
        .flat_map(|(kind, ids)| ids.iter().map(move |id| (kind, *id)))
        .chain(never_named)
        .map(|(kind, id)| ObjectRef { kind, id })
        .collect()
}
