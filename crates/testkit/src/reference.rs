//! A slow evaluator that is easy to believe: a list of relationships, and rules applied until nothing new follows.
//!
//! It shares the schema's syntax tree and the evaluation of conditions with the engine and nothing else: no numbers, no
//! index, no search order. Answers have three values: no, "it depends" and yes. Every relation of every object begins at
//! no and rises as far as the rules make it; relations that a `but not` takes away are finished before those that need
//! them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use grantd_engine::condition::{Inputs, Outcome};
use grantd_engine::schema::{DirectType, Expression, SubjectForm};
use grantd_engine::{
    BrokenCondition, Circumstances, Decision, Key, Object, ObjectRef, Properties, Relationship, Schema,
    Subject, SubjectRef, path,
};

/// A list of relationships in the order of writing, at most one for each key.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    relationships: Vec<Relationship>,
}

/// A relation of an object, as text.
type Place = (String, String, String);

/// No, "it depends", yes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Value {
    No,
    Maybe,
    Yes,
}

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

    /// Whether this very relationship is in the list.
    #[must_use]
    pub fn holds(&self, relationship: &Relationship) -> bool {
        self.relationships.contains(relationship)
    }

    /// Answers many questions in the same circumstances: what was found out about a subject is kept.
    #[must_use]
    pub fn oracle<'a>(&'a self, schema: &'a Schema, circumstances: Circumstances<'a>) -> Oracle<'a> {
        Oracle { reference: self, schema, circumstances, strata: strata(schema), known: RefCell::default() }
    }

    /// Whether a relationship that has not ended, or a stored property, names an object: then searches range over it.
    #[must_use]
    pub fn names(&self, object: ObjectRef<'_>, circumstances: &Circumstances<'_>) -> bool {
        circumstances.entities.properties(object).is_some()
            || self.relationships.iter().any(|Relationship { key, until, .. }| {
                until.is_none_or(|until| circumstances.now < until)
                    && (key.resource.as_ref() == object
                        || key.subject.object().map(Object::as_ref) == Some(object))
            })
    }
}

/// Which subject, which resource if nothing names it, and what the conditions come to.
type Known = (String, String, Vec<Outcome>);

/// Answers many questions in the same circumstances.
pub struct Oracle<'a> {
    reference: &'a Reference,
    schema: &'a Schema,
    circumstances: Circumstances<'a>,
    strata: BTreeMap<(String, String), usize>,
    known: RefCell<Vec<(Known, Rc<World<'a>>)>>,
}

impl<'a> Oracle<'a> {
    /// Whether a subject stands in a relation to a resource.
    #[must_use]
    pub fn check(&self, subject: SubjectRef<'_>, action: &str, resource: ObjectRef<'_>) -> Decision {
        let world = self.world(subject, resource);
        world.decision(&place(resource, action))
    }

    /// Whether a subject is in what an expression says at a relation of a resource.
    #[must_use]
    pub fn is_in(
        &self,
        subject: SubjectRef<'_>,
        expression: &Expression,
        relation: &str,
        resource: ObjectRef<'_>,
        asked: ObjectRef<'_>,
    ) -> bool {
        let world = self.world(subject, asked);
        world.value_of(expression, &place(resource, relation)) != Value::No
    }

    /// What follows about a subject, with a question's resource.
    fn world(&self, subject: SubjectRef<'_>, resource: ObjectRef<'_>) -> Rc<World<'a>> {
        let live = self.live(subject, resource);
        // What follows depends on the resource only by what conditions come to, unless nothing else names it.
        let is_named = live.iter().any(|(relationship, _)| relationship.key.resource.as_ref() == resource);
        let named = if is_named { String::new() } else { resource.to_string() };
        let outcomes = live.iter().filter(|(relationship, _)| relationship.condition.is_some());
        let outcomes = outcomes.map(|(_, outcome)| outcome.clone()).collect();
        let key = (subject.to_string(), named, outcomes);
        let mut known = self.known.borrow_mut();
        if let Some((_, known)) = known.iter().find(|(other, _)| *other == key) {
            return Rc::clone(known);
        }
        let world = Rc::new(World::new(self, live, subject, resource));
        known.push((key, Rc::clone(&world)));
        world
    }

    /// Every relationship that has not ended, with what its condition comes to.
    fn live(&self, subject: SubjectRef<'_>, resource: ObjectRef<'_>) -> Vec<(&'a Relationship, Outcome)> {
        let (schema, circumstances) = (self.schema, &self.circumstances);
        let stored = |object: Option<ObjectRef<'_>>| {
            let properties = object.and_then(|object| circumstances.entities.properties(object));
            properties.unwrap_or(Properties::EMPTY)
        };
        let stored_subject = match subject {
            SubjectRef::Object(object) => stored(Some(object)),
            SubjectRef::Userset(..) | SubjectRef::Wildcard(_) => stored(None),
        };
        let outcome = |relationship: &Relationship| match &relationship.condition {
            None => Outcome::Holds,
            Some(condition) => schema.condition(&condition.name).map_or(Outcome::Fails, |definition| {
                definition.evaluate(&Inputs::new(
                    &condition.parameters,
                    circumstances,
                    stored_subject,
                    stored(Some(resource)),
                ))
            }),
        };
        let live = self.reference.relationships.iter();
        let live =
            live.filter(|relationship| relationship.until.is_none_or(|until| circumstances.now < until));
        live.map(|relationship| (relationship, outcome(relationship))).collect()
    }
}

fn place(object: ObjectRef<'_>, relation: &str) -> Place {
    (object.kind.to_owned(), object.id.to_owned(), relation.to_owned())
}

/// What follows about one subject.
struct World<'a> {
    schema: &'a Schema,
    subject: Subject,
    /// Every relationship that has not ended, with what its condition comes to.
    live: Vec<(&'a Relationship, Outcome)>,
    values: BTreeMap<Place, Value>,
}

impl<'a> World<'a> {
    fn new(
        oracle: &Oracle<'a>,
        live: Vec<(&'a Relationship, Outcome)>,
        subject: SubjectRef<'_>,
        resource: ObjectRef<'_>,
    ) -> Self {
        let mut world =
            Self { schema: oracle.schema, subject: owned(subject), live, values: BTreeMap::new() };
        world.rise(oracle, subject, resource);
        world
    }

    /// Applies every rule at every place, stratum by stratum, until nothing rises any more.
    fn rise(&mut self, oracle: &Oracle<'a>, subject: SubjectRef<'_>, resource: ObjectRef<'_>) {
        let mut objects = BTreeSet::from([(resource.kind, resource.id)]);
        if let SubjectRef::Userset(object, _) = subject {
            objects.insert((object.kind, object.id));
        }
        for (Relationship { key, .. }, _) in &self.live {
            objects.insert((key.resource.kind(), key.resource.id()));
            objects.extend(key.subject.object().map(|object| (object.kind(), object.id())));
        }
        let last = oracle.strata.values().max().copied().unwrap_or_default();
        for stratum in 0..=last {
            let mut places = Vec::new();
            for (kind, id) in &objects {
                for relation in self.schema.relations(kind) {
                    if oracle.strata.get(&((*kind).to_owned(), relation.to_string())) == Some(&stratum) {
                        places.push(place(ObjectRef { kind, id }, relation.as_str()));
                    }
                }
            }
            loop {
                let mut rose = false;
                for place in &places {
                    let value = self.value(place);
                    if value > self.values.get(place).copied().unwrap_or(Value::No) {
                        self.values.insert(place.clone(), value);
                        rose = true;
                    }
                }
                if !rose {
                    break;
                }
            }
        }
    }

    /// What a place comes to by what is known so far.
    fn value(&self, place: &Place) -> Value {
        let (kind, id, relation) = place;
        if self.subject.as_ref() == SubjectRef::Userset(ObjectRef { kind, id }, relation) {
            return Value::Yes;
        }
        self.schema
            .expression(kind, relation)
            .map_or(Value::No, |expression| self.value_of(expression, place))
    }

    fn value_of(&self, expression: &Expression, place: &Place) -> Value {
        match expression {
            Expression::Union(parts) => {
                parts.iter().map(|part| self.value_of(part, place)).max().unwrap_or(Value::No)
            }
            Expression::Intersection(parts) => {
                parts.iter().map(|part| self.value_of(part, place)).min().unwrap_or(Value::No)
            }
            Expression::Exclusion(base, taken) => {
                self.value_of(base, place).min(match self.value_of(taken, place) {
                    Value::No => Value::Yes,
                    Value::Maybe => Value::Maybe,
                    Value::Yes => Value::No,
                })
            }
            Expression::Direct(_) | Expression::Computed(_) | Expression::From { .. } => self
                .terms(expression, place)
                .iter()
                .map(|term| self.value_of_term(term))
                .max()
                .unwrap_or(Value::No),
        }
    }

    fn value_of_term(&self, (outcome, next): &Term<'_>) -> Value {
        let condition = match outcome {
            None | Some((_, Outcome::Holds)) => Value::Yes,
            Some((_, Outcome::Fails)) => Value::No,
            Some((_, Outcome::Missing(_) | Outcome::Broken(_))) => Value::Maybe,
        };
        let next = match next {
            None => Value::Yes,
            Some(next) => self.values.get(next).copied().unwrap_or(Value::No),
        };
        condition.min(next)
    }

    /// The ways by which an expression without operators may hold: each under a condition, and by another place or none.
    fn terms(&self, expression: &Expression, place: &Place) -> Vec<Term<'_>> {
        let (kind, id, relation) = place;
        match expression {
            Expression::Computed(computed) => {
                vec![(None, Some((kind.clone(), id.clone(), computed.to_string())))]
            }
            Expression::Direct(types) => {
                let stored = self.stored(place, relation, types);
                stored
                    .into_iter()
                    .filter_map(|(relationship, outcome)| {
                        let condition = relationship
                            .condition
                            .as_ref()
                            .map(|condition| (condition.name.as_str(), outcome));
                        match (&relationship.key.subject, self.subject.as_ref()) {
                            (stored, asked) if stored.as_ref() == asked => Some((condition, None)),
                            (Subject::Wildcard(kind), SubjectRef::Object(asked))
                                if kind.as_str() == asked.kind =>
                            {
                                Some((condition, None))
                            }
                            (Subject::Userset(object, relation), _) => {
                                Some((condition, Some(self::place(object.as_ref(), relation.as_str()))))
                            }
                            _ => None,
                        }
                    })
                    .collect()
            }
            Expression::From { relation, through } => {
                let types = self.schema.expression(kind, through.as_str()).map(Expression::direct_types);
                let types: Vec<_> = types.into_iter().flatten().cloned().collect();
                let stored = self.stored(place, through.as_str(), &types);
                stored
                    .into_iter()
                    .filter_map(|(relationship, outcome)| {
                        let condition = relationship
                            .condition
                            .as_ref()
                            .map(|condition| (condition.name.as_str(), outcome));
                        match &relationship.key.subject {
                            Subject::Object(object) => {
                                Some((condition, Some(self::place(object.as_ref(), relation.as_str()))))
                            }
                            Subject::Userset(..) | Subject::Wildcard(_) => None,
                        }
                    })
                    .collect()
            }
            Expression::Union(_) | Expression::Intersection(_) | Expression::Exclusion(..) => Vec::new(),
        }
    }

    /// What is stored at a place under a relation, on this object or, for a path, on one above it, and has one of these
    /// types.
    fn stored(
        &self,
        place: &Place,
        relation: &str,
        types: &[DirectType],
    ) -> Vec<(&'a Relationship, &Outcome)> {
        let (kind, id, _) = place;
        let is_here = |relationship: &Relationship| {
            let key = &relationship.key;
            let stored = key.resource.id();
            key.resource.kind() == kind
                && key.relation.as_str() == relation
                && (stored == id || self.schema.is_path(kind) && path::upwards(id).any(|path| path == stored))
                && types.iter().any(|one| is_of(relationship, one))
        };
        let live = self.live.iter().filter(|(relationship, _)| is_here(relationship));
        live.map(|(relationship, outcome)| (*relationship, outcome)).collect()
    }

    fn decision(&self, asked: &Place) -> Decision {
        match self.values.get(asked).copied().unwrap_or(Value::No) {
            Value::No => Decision::Denied,
            Value::Yes => Decision::Allowed,
            Value::Maybe => {
                let mut open = Open::default();
                let mut next = vec![asked.clone()];
                while let Some(place) = next.pop() {
                    if open.seen.insert(place.clone())
                        && let Some(expression) = self.schema.expression(&place.0, &place.2)
                    {
                        self.open(expression, &place, &mut open, &mut next);
                    }
                }
                Decision::Conditional {
                    missing: open.missing.into_iter().collect(),
                    broken: open.broken.into_iter().collect(),
                }
            }
        }
    }

    /// What an expression that depends on something depends on.
    fn open(&self, expression: &Expression, place: &Place, open: &mut Open, next: &mut Vec<Place>) {
        if self.value_of(expression, place) != Value::Maybe {
            return;
        }
        match expression {
            Expression::Union(parts) | Expression::Intersection(parts) => {
                parts.iter().for_each(|part| self.open(part, place, open, next));
            }
            Expression::Exclusion(base, taken) => {
                self.open(base, place, open, next);
                self.open(taken, place, open, next);
            }
            Expression::Direct(_) | Expression::Computed(_) | Expression::From { .. } => {
                for term in self.terms(expression, place) {
                    if self.value_of_term(&term) != Value::Maybe {
                        continue;
                    }
                    match term.0 {
                        Some((_, Outcome::Missing(names))) => open.missing.extend(names.iter().cloned()),
                        Some((condition, Outcome::Broken(problem))) => {
                            let condition = condition.to_owned();
                            open.broken.insert(BrokenCondition { condition, problem: problem.clone() });
                        }
                        _ => {}
                    }
                    next.extend(term.1.filter(|next| self.values.get(next) == Some(&Value::Maybe)));
                }
            }
        }
    }
}

/// A relationship's condition with what it comes to, and the place that it leads to.
type Term<'s> = (Option<(&'s str, &'s Outcome)>, Option<Place>);

#[derive(Default)]
struct Open {
    seen: BTreeSet<Place>,
    missing: BTreeSet<String>,
    broken: BTreeSet<BrokenCondition>,
}

fn owned(subject: SubjectRef<'_>) -> Subject {
    let text = subject.to_string();
    text.parse().unwrap_or_else(|error| unreachable!("`{text}` is the text of a subject: {error}"))
}

/// Whether a relationship has this type.
#[must_use]
pub fn is_of(relationship: &Relationship, one: &DirectType) -> bool {
    let condition = relationship.condition.as_ref().map(|condition| condition.name.as_str());
    condition == one.condition.as_deref()
        && match (&relationship.key.subject, &one.form) {
            (Subject::Object(object), SubjectForm::Object(kind)) => object.type_name() == kind,
            (Subject::Userset(object, relation), SubjectForm::Userset(kind, named)) => {
                object.type_name() == kind && relation == named
            }
            (Subject::Wildcard(kind), SubjectForm::Wildcard(named)) => kind == named,
            _ => false,
        }
}

/// For each relation how many `but not` lie below it at most.
fn strata(schema: &Schema) -> BTreeMap<(String, String), usize> {
    let mut strata = BTreeMap::new();
    for kind in schema.types() {
        for relation in schema.relations(kind.as_str()) {
            strata.insert((kind.to_string(), relation.to_string()), 0);
        }
    }
    // A stratified schema has fewer strata than relations.
    for _ in 0..=strata.len() {
        let before = strata.clone();
        for ((kind, relation), stratum) in &mut strata {
            if let Some(expression) = schema.expression(kind, relation) {
                *stratum = needed(schema, &before, kind, expression).max(*stratum);
            }
        }
    }
    strata
}

/// The stratum that an expression needs.
fn needed(
    schema: &Schema,
    strata: &BTreeMap<(String, String), usize>,
    kind: &str,
    expression: &Expression,
) -> usize {
    let of = |kind: &str, relation: &str| strata.get(&(kind.to_owned(), relation.to_owned())).copied();
    let below = |part: &Expression| needed(schema, strata, kind, part);
    match expression {
        Expression::Direct(types) => {
            let usersets = types.iter().filter_map(|one| match &one.form {
                SubjectForm::Userset(kind, relation) => of(kind.as_str(), relation.as_str()),
                SubjectForm::Object(_) | SubjectForm::Wildcard(_) => None,
            });
            usersets.max().unwrap_or_default()
        }
        Expression::Computed(relation) => of(kind, relation.as_str()).unwrap_or_default(),
        Expression::From { relation, through } => {
            let types = schema.expression(kind, through.as_str()).map(Expression::direct_types);
            let parents = types.into_iter().flatten().filter_map(|one| match &one.form {
                SubjectForm::Object(kind) => of(kind.as_str(), relation.as_str()),
                SubjectForm::Userset(..) | SubjectForm::Wildcard(_) => None,
            });
            parents.max().unwrap_or_default()
        }
        Expression::Union(parts) | Expression::Intersection(parts) => {
            parts.iter().map(below).max().unwrap_or_default()
        }
        Expression::Exclusion(base, taken) => below(base).max(below(taken) + 1),
    }
}
