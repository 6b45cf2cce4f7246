//! A slow evaluator that is easy to believe: a list of relationships, and rules applied until nothing new follows.
//!
//! It shares the schema's syntax tree with the engine and nothing else: no numbers, no index, no search order.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use grantd_engine::schema::{DirectType, Expression, SubjectForm};
use grantd_engine::{Key, Micros, Object, ObjectRef, Relationship, Schema, Subject, SubjectRef, path};

/// What the reference says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Answer {
    /// No.
    Denied,
    /// Only if some conditions hold.
    Conditional,
    /// Yes.
    Allowed,
}

/// A list of relationships in the order of writing, at most one for each key.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    relationships: Vec<Relationship>,
}

/// A relation of an object, as text.
type Place = (String, String, String);

impl Reference {
    /// No relationships.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a relationship in the place of one with the same key.
    pub fn write(&mut self, relationship: Relationship) {
        self.delete(&relationship.key);
        self.relationships.push(relationship);
    }

    /// Deletes a relationship and says whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        let before = self.relationships.len();
        self.relationships.retain(|relationship| relationship.key != *key);
        self.relationships.len() < before
    }

    /// Deletes whatever names an object.
    pub fn retire(&mut self, object: ObjectRef<'_>) {
        self.relationships.retain(|Relationship { key, .. }| {
            key.resource.as_ref() != object && key.subject.object().map(Object::as_ref) != Some(object)
        });
    }

    /// The relationships in key order.
    #[must_use]
    pub fn sorted(&self) -> Vec<Relationship> {
        let mut all = self.relationships.clone();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    /// Whether a subject stands in a relation to a resource.
    #[must_use]
    pub fn check(
        &self,
        schema: &Schema,
        subject: SubjectRef<'_>,
        action: &str,
        resource: ObjectRef<'_>,
        now: Micros,
    ) -> Answer {
        self.oracle(schema, now).check(subject, action, resource)
    }

    /// The same for many questions about one moment: what was found out about a subject is kept.
    #[must_use]
    pub fn oracle<'a>(&'a self, schema: &'a Schema, now: Micros) -> Oracle<'a> {
        Oracle { reference: self, schema, now, known: RefCell::default() }
    }

    /// The places that a subject stands in, of all objects that are named and `extra`, when all conditions hold or when
    /// none does.
    ///
    /// The set grows from nothing, one round of every rule at every place at a time, until a round adds nothing: the
    /// least solution of the rules, cycles or not.
    fn reached(
        &self,
        schema: &Schema,
        subject: SubjectRef<'_>,
        extra: ObjectRef<'_>,
        now: Micros,
        conditions_hold: bool,
    ) -> BTreeSet<Place> {
        let live: Vec<&Relationship> = self
            .relationships
            .iter()
            .filter(|relationship| relationship.until.is_none_or(|until| now < until))
            .filter(|relationship| relationship.condition.is_none() || conditions_hold)
            .collect();
        let places = self.places(schema, subject, extra);
        let mut reached: BTreeSet<Place> = BTreeSet::new();
        loop {
            let mut grown = reached.clone();
            for (kind, id, relation) in &places {
                let Some(expression) = schema.expression(kind, relation) else { continue };
                let itself = subject == SubjectRef::Userset(ObjectRef { kind, id }, relation);
                let at = At { schema, live: &live, reached: &reached, subject, kind, id, relation };
                if itself || at.holds(expression) {
                    grown.insert((kind.clone(), id.clone(), relation.clone()));
                }
            }
            if grown.len() == reached.len() {
                return reached;
            }
            reached = grown;
        }
    }

    /// Every relation of every object that is named anywhere.
    fn places(&self, schema: &Schema, subject: SubjectRef<'_>, extra: ObjectRef<'_>) -> BTreeSet<Place> {
        let mut objects = BTreeSet::from([(extra.kind, extra.id)]);
        if let SubjectRef::Userset(object, _) = subject {
            objects.insert((object.kind, object.id));
        }
        for Relationship { key, .. } in &self.relationships {
            objects.insert((key.resource.kind(), key.resource.id()));
            objects.extend(key.subject.object().map(|object| (object.kind(), object.id())));
        }
        let mut places = BTreeSet::new();
        for (kind, id) in objects {
            for relation in schema.relations(kind) {
                places.insert((kind.to_owned(), id.to_owned(), relation.to_string()));
            }
        }
        places
    }
}

/// Where a subject stands without conditions, and with all of them.
type Reached = [BTreeSet<Place>; 2];

/// Answers many questions about one moment.
#[derive(Debug)]
pub struct Oracle<'a> {
    reference: &'a Reference,
    schema: &'a Schema,
    now: Micros,
    /// By the texts of subject and resource.
    known: RefCell<BTreeMap<(String, String), Reached>>,
}

impl Oracle<'_> {
    /// Whether a subject stands in a relation to a resource.
    #[must_use]
    pub fn check(&self, subject: SubjectRef<'_>, action: &str, resource: ObjectRef<'_>) -> Answer {
        let mut known = self.known.borrow_mut();
        let [surely, perhaps] =
            known.entry((subject.to_string(), resource.to_string())).or_insert_with(|| {
                [false, true].map(|conditions_hold| {
                    self.reference.reached(self.schema, subject, resource, self.now, conditions_hold)
                })
            });
        let place = (resource.kind.to_owned(), resource.id.to_owned(), action.to_owned());
        if surely.contains(&place) {
            Answer::Allowed
        } else if perhaps.contains(&place) {
            Answer::Conditional
        } else {
            Answer::Denied
        }
    }
}

/// One rule at one place.
struct At<'a> {
    schema: &'a Schema,
    live: &'a [&'a Relationship],
    reached: &'a BTreeSet<Place>,
    subject: SubjectRef<'a>,
    kind: &'a str,
    id: &'a str,
    relation: &'a str,
}

impl At<'_> {
    fn holds(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Direct(forms) => self.live.iter().any(|relationship| {
                self.is_stored_here(&relationship.key)
                    && forms.iter().any(|form| is_of(&relationship.key.subject, form))
                    && self.means(&relationship.key.subject)
            }),
            Expression::Computed(relation) => {
                self.reached.contains(&(self.kind.to_owned(), self.id.to_owned(), relation.to_string()))
            }
            Expression::Union(parts) => parts.iter().any(|part| self.holds(part)),
            _ => unimplemented!("the reference does not know this operator"),
        }
    }

    /// On this object or, for a path, on one above it.
    fn is_stored_here(&self, key: &Key) -> bool {
        let stored = key.resource.id();
        key.resource.kind() == self.kind
            && key.relation.as_str() == self.relation
            && if self.schema.is_path(self.kind) {
                path::upwards(self.id).any(|path| path == stored)
            } else {
                stored == self.id
            }
    }

    /// Whether the subject of a relationship is the one asked about, or a set that it is in.
    fn means(&self, stored: &Subject) -> bool {
        if stored.as_ref() == self.subject {
            return true;
        }
        match (stored, self.subject) {
            (Subject::Wildcard(kind), SubjectRef::Object(object)) => kind.as_str() == object.kind,
            (Subject::Userset(object, relation), _) => self.reached.contains(&(
                object.kind().to_owned(),
                object.id().to_owned(),
                relation.to_string(),
            )),
            _ => false,
        }
    }
}

fn is_of(subject: &Subject, form: &DirectType) -> bool {
    match (subject, &form.form) {
        (Subject::Object(object), SubjectForm::Object(kind)) => object.type_name() == kind,
        (Subject::Userset(object, relation), SubjectForm::Userset(kind, named)) => {
            object.type_name() == kind && relation == named
        }
        (Subject::Wildcard(kind), SubjectForm::Wildcard(named)) => kind == named,
        _ => false,
    }
}
