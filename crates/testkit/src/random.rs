//! Random worlds: few names, so that things meet.

#![expect(clippy::panic, reason = "a test that cannot build its world has failed")]

use grantd_engine::schema::Expression;
use grantd_engine::{Condition, Graph, Key, ObjectRef, Properties, Relationship, Schema, Source, SubjectRef};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{Said, World, key_of};

const USERS: [&str; 3] = ["a", "b", "c"];
const GROUPS: [&str; 3] = ["g", "h", "i"];
const DOCS: [&str; 3] = ["x", "y", "z"];
const PATHS: [&str; 5] = ["/", "/p/", "/p/q/", "/p/q/r/", "/s/"];
/// In the order in which a `but not` may take them away.
const RELATIONS: [&str; 3] = ["one", "two", "three"];
const ACTIONS: [&str; 5] = ["base", "one", "two", "three", "parent"];
const TYPES: [&str; 4] = ["user", "group", "doc", "tree"];

/// The conditions of random worlds: one on the context, one on stored and sent properties, one that may break.
const CONDITIONS: [(&str, &str); 3] = [
    ("late", "condition late(hour: int) {\n  hour > 17\n}\n"),
    (
        "cleared",
        "condition cleared(subject: map<int>, resource: map<int>) {\n  subject.level >= resource.level\n}\n",
    ),
    ("shared", "condition shared(parts: int) {\n  10 / parts > 1\n}\n"),
];

/// A step in the life of a random world.
#[derive(Clone, Debug)]
pub enum Step {
    /// Writes a relationship; the schema may not admit it.
    Write(Relationship),
    /// Deletes a relationship.
    Delete(Key),
    /// Retires an object.
    Retire(&'static str, &'static str),
    /// Stores properties of an object.
    Store(&'static str, &'static str, Properties),
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
/// `base`, `one`, `two`, `three` and `parent`.
pub fn schemas() -> impl Strategy<Value = String> {
    let relations = |own: usize| prop::collection::vec(definition(own), 3);
    let bases = prop::collection::vec(direct(None), 3);
    (bases, relations(0), relations(1), relations(2)).prop_filter_map(
        "no schema",
        |(bases, one, two, three)| {
            let mut text = String::new();
            for (at, kind) in ["type group", "type doc", "path type tree"].iter().enumerate() {
                text.push_str(&format!("{kind}\n  relations\n    define base: {}\n", bases.get(at)?));
                for (relation, definitions) in RELATIONS.iter().zip([&one, &two, &three]) {
                    text.push_str(&format!("    define {relation}: {}\n", definitions.get(at)?));
                }
                let conditional = if bases.concat().contains("late") { ", doc with late" } else { "" };
                text.push_str(&format!("    define parent: [group, doc, tree{conditional}]\n"));
            }
            let used = CONDITIONS.iter().filter(|(name, _)| text.contains(&format!("with {name}")));
            let conditions: String = used.map(|(_, definition)| *definition).collect();
            let text = format!("model\n  schema 1.1\ntype user\n{text}{conditions}");
            Schema::parse(&[Source { name: "random", text: &text }]).is_ok().then_some(text)
        },
    )
}

/// What one relation is defined by. `own` is its place among [`RELATIONS`]: it mentions itself and those before it, and
/// takes away only those before it.
fn definition(own: usize) -> impl Strategy<Value = String> {
    let rule = expression(Some(own), own, 3);
    (any::<bool>(), rule).prop_map(|(open, rule)| {
        let rule =
            if open && rule.contains('[') { rule } else { format!("[user, user with late] or ({rule})") };
        with_one_list(&rule)
    })
}

/// The language has one list of direct types in a relation: the further ones become something else.
fn with_one_list(rule: &str) -> String {
    const OTHERS: [&str; 2] = ["base", "base from parent"];
    let mut parts = rule.split('[');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (at, part) in parts.enumerate() {
        let (list, rest) = part.split_once(']').unwrap_or_default();
        match at.checked_sub(1) {
            None => text.push_str(&format!("[{list}]")),
            Some(further) => text.push_str(OTHERS.get(further % 2).unwrap_or(&"base")),
        }
        text.push_str(rest);
    }
    text
}

/// A rule that mentions relations up to `most`, and itself only by relationships.
fn expression(most: Option<usize>, own: usize, depth: u32) -> BoxedStrategy<String> {
    let direct = direct(most).boxed();
    let mut terms = vec![(4, direct.clone())];
    if let Some(most) = most {
        let from = select(RELATIONS.get(..=most).unwrap_or_default());
        terms.push((2, from.prop_map(|relation| format!("{relation} from parent")).boxed()));
        let computed = RELATIONS.get(..(most + 1).min(own)).unwrap_or_default();
        if !computed.is_empty() {
            terms.push((2, select(computed).prop_map(str::to_owned).boxed()));
        }
    }
    let term = proptest::strategy::Union::new_weighted(terms).boxed();
    if depth == 0 {
        return term;
    }
    let below = expression(most, own, depth - 1);
    let taken = expression(own.checked_sub(1), own, depth - 1);
    let joined = |word: &'static str| {
        prop::collection::vec(below.clone(), 2..4).prop_map(move |parts| {
            parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(word)
        })
    };
    prop_oneof![
        4 => term,
        2 => joined(" or "),
        2 => joined(" and "),
        2 => (below, taken).prop_map(|(base, taken)| format!("({base}) but not ({taken})")),
    ]
    .boxed()
}

/// Direct types with usersets of relations up to `most`.
fn direct(most: Option<usize>) -> impl Strategy<Value = String> {
    let form = match most {
        None => prop_oneof![3 => Just("user".to_owned()), 1 => Just("user:*".to_owned())].boxed(),
        Some(most) => {
            let relation = || select(RELATIONS.get(..=most).unwrap_or_default());
            prop_oneof![
                3 => Just("user".to_owned()),
                1 => Just("user:*".to_owned()),
                1 => Just("group".to_owned()),
                3 => relation().prop_map(|relation| format!("group#{relation}")),
                1 => relation().prop_map(|relation| format!("doc#{relation}")),
                1 => relation().prop_map(|relation| format!("tree#{relation}")),
            ]
            .boxed()
        }
    };
    let condition = prop_oneof![
        4 => Just(String::new()),
        1 => select(&CONDITIONS[..]).prop_map(|(name, _)| format!(" with {name}")),
    ];
    let one = (form, condition).prop_map(|(form, condition)| format!("{form}{condition}"));
    prop::collection::btree_set(one, 1..5)
        .prop_map(|forms| format!("[{}]", forms.into_iter().collect::<Vec<_>>().join(", ")))
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
        8 => select(&USERS[..]).prop_map(|id| format!("user:{id}")),
        4 => objects().prop_map(|(kind, id)| format!("{kind}:{id}")),
        8 => (objects(), select(&RELATIONS[..])).prop_map(|((kind, id), relation)| format!("{kind}:{id}#{relation}")),
        2 => select(&TYPES[..]).prop_map(|kind| format!("{kind}:*")),
    ]
}

/// A random key.
pub fn keys() -> impl Strategy<Value = Key> {
    (objects(), select(&ACTIONS[..]), subjects())
        .prop_map(|((kind, id), relation, subject)| key_of(&format!("{kind}:{id}#{relation}@{subject}")))
}

/// Random parameters of a relationship.
fn parameters() -> impl Strategy<Value = Properties> {
    const TEXTS: [&str; 6] =
        ["", "", "{\"hour\": 20}", "{\"hour\": 8}", "{\"parts\": 0}", "{\"resource\": {\"level\": 2}}"];
    select(&TEXTS[..]).prop_map(properties)
}

/// Random properties of a subject or resource.
fn levels() -> impl Strategy<Value = Properties> {
    select(&["", "", "{\"level\": 1}", "{\"level\": 3}", "{\"level\": \"high\"}"][..]).prop_map(properties)
}

fn properties(text: &str) -> Properties {
    text.parse().unwrap_or_default()
}

/// What a random question says besides.
pub fn said() -> impl Strategy<Value = Said> {
    let context = select(&["", "{\"hour\": 18}", "{\"hour\": 3, \"parts\": 2}", "{\"parts\": 0}"][..]);
    (levels(), levels(), context).prop_map(|(subject, resource, context)| Said {
        subject,
        resource,
        action: Properties::default(),
        context: properties(context),
    })
}

/// A random relationship: a quarter ends at 1, 2 or 3, a fifth is conditional.
pub fn relationships() -> impl Strategy<Value = Relationship> {
    let until = prop_oneof![3 => Just(None), 1 => (1..4_i64).prop_map(Some)];
    let condition = prop_oneof![
        4 => Just(None),
        1 => (select(&CONDITIONS[..]), parameters()).prop_map(|((name, _), parameters)| {
            Some(Condition { name: name.to_owned(), parameters })
        }),
    ];
    (keys(), until, condition).prop_map(|(key, until, condition)| Relationship { key, until, condition })
}

/// A random history: mostly writes.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => relationships().prop_map(Step::Write),
        4 => keys().prop_map(Step::Delete),
        1 => objects().prop_map(|(kind, id)| Step::Retire(kind, id)),
        2 => (objects(), levels()).prop_map(|((kind, id), levels)| Step::Store(kind, id, levels)),
        1 => (0..5_usize).prop_map(Step::Sweep),
        1 => Just(Step::Fold),
        1 => Just(Step::BeginFold),
        1 => Just(Step::Adopt),
        1 => Just(Step::Dump),
        1 => Just(Step::Share),
    ];
    prop::collection::vec(step, 1..60)
}

/// A relationship that the schema admits, made of one that it may not, if it can be told how.
#[must_use]
pub fn admitted(schema: &Schema, relationship: &Relationship, pick: usize) -> Option<Relationship> {
    let Relationship { key, until, condition } = relationship;
    let types =
        schema.expression(key.resource.kind(), key.relation.as_str()).map(Expression::direct_types)?;
    let one = types.get(pick % types.len().max(1))?;
    let subject = match &one.form {
        grantd_engine::schema::SubjectForm::Object(kind) => {
            let ids: &[&str] = match kind.as_str() {
                "user" => &USERS,
                "group" => &GROUPS,
                "doc" => &DOCS,
                _ => &PATHS,
            };
            format!("{kind}:{}", ids.get(pick % ids.len())?)
        }
        grantd_engine::schema::SubjectForm::Userset(kind, relation) => {
            let ids: &[&str] = match kind.as_str() {
                "group" => &GROUPS,
                "doc" => &DOCS,
                _ => &PATHS,
            };
            format!("{kind}:{}#{relation}", ids.get(pick % ids.len())?)
        }
        grantd_engine::schema::SubjectForm::Wildcard(kind) => format!("{kind}:*"),
    };
    let parameters =
        condition.as_ref().map_or_else(Properties::default, |condition| condition.parameters.clone());
    let condition = one.condition.clone().map(|name| Condition { name, parameters });
    let key = Key { subject: subject.parse().ok()?, ..key.clone() };
    Some(Relationship { key, until: *until, condition })
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
            Step::Store(kind, id, properties) => {
                self.stored.put(ObjectRef { kind, id }, properties.clone());
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
            for action in ACTIONS {
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

impl World {
    /// Every object that random worlds and their questions may name.
    #[must_use]
    pub fn objects() -> Vec<ObjectRef<'static>> {
        all_objects()
    }

    /// Every relation that random worlds have.
    #[must_use]
    pub fn actions() -> [&'static str; 5] {
        ACTIONS
    }

    /// For each search over random worlds one question that is a part of it.
    pub fn searches(mut each: impl FnMut(SubjectRef<'_>, &str, ObjectRef<'_>)) {
        for resource in all_objects() {
            for action in ["two", "three"] {
                for id in ["a", "b", "nobody"] {
                    each(SubjectRef::Object(ObjectRef { kind: "user", id }), action, resource);
                }
                each(SubjectRef::Object(ObjectRef { kind: "group", id: "g" }), action, resource);
                each(SubjectRef::Userset(ObjectRef { kind: "group", id: "g" }, "one"), action, resource);
                each(SubjectRef::Wildcard("user"), action, resource);
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
