//! Worlds to test in: one that reads well in a test, and random ones.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot build its world has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use grantd_engine::{
    Circumstances, Condition, Decision, Entities, Fold, Graph, Key, Micros, ObjectRef, Properties, Question,
    Relationship, Schema, Source, Written,
};

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
    /// What the questions say besides.
    pub said: Said,
    /// What is stored about objects.
    pub stored: Stored,
    /// Snapshots that are held on to.
    pub snapshots: Vec<Graph>,
    /// Folds that were begun.
    pub folds: Vec<Fold>,
}

/// What a question says about its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// About the subject.
    pub subject: Properties,
    /// About the action.
    pub action: Properties,
    /// About the resource.
    pub resource: Properties,
    /// Besides.
    pub context: Properties,
}

/// Stored properties.
#[derive(Clone, Debug, Default)]
pub struct Stored(pub BTreeMap<String, BTreeMap<String, Properties>>);

impl Stored {
    /// Stores the properties of an object.
    pub fn put(&mut self, object: ObjectRef<'_>, properties: Properties) {
        self.0.entry(object.kind.to_owned()).or_default().insert(object.id.to_owned(), properties);
    }
}

impl Entities for Stored {
    fn properties(&self, object: ObjectRef<'_>) -> Option<&Properties> {
        self.0.get(object.kind)?.get(object.id)
    }

    fn ids<'a>(&'a self, kind: &str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        Box::new(self.0.get(kind).into_iter().flat_map(|ids| ids.keys().map(String::as_str)))
    }
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
            said: Said::default(),
            stored: Stored::default(),
            snapshots: Vec::new(),
            folds: Vec::new(),
        }
    }

    /// What the questions of this moment are asked under.
    #[must_use]
    pub fn circumstances(&self) -> Circumstances<'_> {
        let Said { subject, action, resource, context } = &self.said;
        Circumstances { now: self.now, subject, action, resource, context, entities: &self.stored }
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
        self.graph.check(&question, &self.circumstances()).expect("within the limits")
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
