//! Confirms a witness without the engine: from its relationships alone the yes must follow, each of them must be in the
//! data, count now, and be needed, and each absence that it claims must hold by the reference.

use std::collections::BTreeSet;

use grantd_engine::condition::{Inputs, Outcome};
use grantd_engine::schema::Expression;
use grantd_engine::{
    Absence, Circumstances, Properties, Question, Relationship, Schema, Subject, SubjectRef, Witness, path,
};

use crate::reference::{Oracle, Reference, is_of};

/// A relation of an object, as text.
type Place = (String, String, String);

/// Why a witness is not confirmed.
pub type Objection = String;

/// What a witness is held against.
pub struct Verifier<'a> {
    /// The model.
    pub schema: &'a Schema,
    /// All the data.
    pub reference: &'a Reference,
    /// The reference's answers, in the same circumstances.
    pub oracle: &'a Oracle<'a>,
    /// The circumstances of the question.
    pub circumstances: Circumstances<'a>,
}

impl Verifier<'_> {
    /// Confirms that the witness shows the answer to be yes, and that nothing in it is idle.
    pub fn confirm(&self, question: &Question<'_>, witness: &Witness) -> Result<(), Objection> {
        for relationship in &witness.relationships {
            if !self.reference.holds(relationship) {
                return Err(format!("{} is not in the data", relationship.key));
            }
            if !self.counts(question, relationship) {
                return Err(format!("{} does not count", relationship.key));
            }
        }
        for absence in &witness.absences {
            if absence.subject.as_ref() != question.subject {
                return Err(format!("{} is not who was asked about", absence.subject));
            }
            let (at, relation) = (absence.resource.as_ref(), absence.relation.as_str());
            let is_in = self.oracle.is_in(question.subject, &absence.taken, relation, at, question.resource);
            if is_in {
                return Err(format!("{} is taken away at {}", absence.subject, absence.resource));
            }
        }
        let all: Vec<_> = witness.relationships.iter().collect();
        if !self.follows(question, &all, &witness.absences) {
            return Err("the yes does not follow".to_owned());
        }
        for idle in &all {
            let others: Vec<_> = all.iter().copied().filter(|other| other != idle).collect();
            if self.follows(question, &others, &witness.absences) {
                return Err(format!("{} is idle", idle.key));
            }
        }
        Ok(())
    }

    fn counts(&self, question: &Question<'_>, relationship: &Relationship) -> bool {
        let circumstances = &self.circumstances;
        let entities = circumstances.entities;
        let stored_subject = match question.subject {
            SubjectRef::Object(object) => entities.properties(object),
            SubjectRef::Userset(..) | SubjectRef::Wildcard(_) => None,
        };
        relationship.until.is_none_or(|until| circumstances.now < until)
            && relationship.condition.as_ref().is_none_or(|condition| {
                self.schema.condition(&condition.name).is_some_and(|definition| {
                    let inputs = Inputs::new(
                        &condition.parameters,
                        circumstances,
                        stored_subject.unwrap_or(Properties::EMPTY),
                        entities.properties(question.resource).unwrap_or(Properties::EMPTY),
                    );
                    definition.evaluate(&inputs) == Outcome::Holds
                })
            })
    }

    /// Whether the yes follows from these relationships, with nothing absent but what is claimed.
    fn follows(&self, question: &Question<'_>, given: &[&Relationship], absences: &[Absence]) -> bool {
        let asked =
            (question.resource.kind.to_owned(), question.resource.id.to_owned(), question.action.to_owned());
        let mut places = BTreeSet::from([asked.clone()]);
        for key in given.iter().map(|relationship| &relationship.key) {
            let named = [Some(&key.resource), key.subject.object()];
            for object in named.into_iter().flatten() {
                for relation in self.schema.relations(object.kind()) {
                    places.insert((object.kind().to_owned(), object.id().to_owned(), relation.to_string()));
                }
            }
        }
        for relation in self.schema.relations(question.resource.kind) {
            places.insert((asked.0.clone(), asked.1.clone(), relation.to_string()));
        }
        let mut shown = BTreeSet::new();
        loop {
            let step = Step { schema: self.schema, question, given, absences, shown: &shown };
            let new: Vec<_> =
                places.iter().filter(|place| !shown.contains(*place) && step.shows(place)).cloned().collect();
            if new.is_empty() {
                return shown.contains(&asked);
            }
            shown.extend(new);
        }
    }
}

/// One round of conclusions.
struct Step<'a> {
    schema: &'a Schema,
    question: &'a Question<'a>,
    given: &'a [&'a Relationship],
    absences: &'a [Absence],
    shown: &'a BTreeSet<Place>,
}

impl Step<'_> {
    fn shows(&self, place: &Place) -> bool {
        let (kind, id, relation) = place;
        let itself = match self.question.subject {
            SubjectRef::Userset(object, named) => object.kind == kind && object.id == id && named == relation,
            SubjectRef::Object(_) | SubjectRef::Wildcard(_) => false,
        };
        itself || self.schema.expression(kind, relation).is_some_and(|rule| self.holds(rule, place))
    }

    fn holds(&self, rule: &Expression, place: &Place) -> bool {
        let (kind, id, relation) = place;
        match rule {
            Expression::Computed(other) => {
                self.shown.contains(&(kind.clone(), id.clone(), other.to_string()))
            }
            Expression::Direct(types) => self
                .stored(place, relation)
                .any(|found| types.iter().any(|one| is_of(found, one)) && self.leads(&found.key.subject)),
            Expression::From { relation, through } => self.stored(place, through.as_str()).any(|found| {
                let types = self.schema.expression(kind, through.as_str()).map(Expression::direct_types);
                types.into_iter().flatten().any(|one| is_of(found, one))
                    && matches!(&found.key.subject, Subject::Object(object) if self.shown.contains(
                        &(object.kind().to_owned(), object.id().to_owned(), relation.to_string())
                    ))
            }),
            Expression::Union(parts) => parts.iter().any(|part| self.holds(part, place)),
            Expression::Intersection(parts) => parts.iter().all(|part| self.holds(part, place)),
            Expression::Exclusion(base, taken) => {
                self.holds(base, place)
                    && self.absences.iter().any(|absence| {
                        absence.taken == **taken
                            && absence.resource.kind() == kind
                            && absence.resource.id() == id
                            && absence.relation.as_str() == relation
                    })
            }
        }
    }

    fn stored<'s>(&'s self, place: &'s Place, relation: &'s str) -> impl Iterator<Item = &'s Relationship> {
        self.given.iter().copied().filter(move |found| {
            let resource = &found.key.resource;
            found.key.relation.as_str() == relation
                && resource.kind() == place.0
                && (resource.id() == place.1
                    || self.schema.is_path(&place.0)
                        && path::upwards(&place.1).any(|above| above == resource.id()))
        })
    }

    /// Whether the subject of a relationship is the one asked about, or a set that it was shown to be in.
    fn leads(&self, stored: &Subject) -> bool {
        match (stored, self.question.subject) {
            (stored, asked) if stored.as_ref() == asked => true,
            (Subject::Wildcard(kind), SubjectRef::Object(asked)) => kind.as_str() == asked.kind,
            (Subject::Userset(object, relation), _) => {
                self.shown.contains(&(object.kind().to_owned(), object.id().to_owned(), relation.to_string()))
            }
            _ => false,
        }
    }
}
