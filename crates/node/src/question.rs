//! The one point that every question passes.

mod again;
mod by_token;
mod of_oneself;

pub use by_token::AskingByToken;
pub use of_oneself::AskingOfOneself;

use std::borrow::Cow;
use std::sync::Arc;

use grantd_realm::caller::{Authority, Caller};
use grantd_realm::engine::{
    CheckError, Circumstances, Decision, Explanation, FoundResource, Graph, ObjectRef, Properties, Question,
    RelationName, Relationship, Schema, Subject, SubjectRef,
};
use grantd_realm::{Micros, Refusal};

use crate::decision_log::{Asked, Record};
use crate::node::Node;
use crate::observer::CheckEnd;
use crate::running::Published;

/// What a request says besides its question: properties of the three, and its context.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// About the subject.
    pub subject: &'a Properties,
    /// About the action.
    pub action: &'a Properties,
    /// About the resource.
    pub resource: &'a Properties,
    /// Everything else.
    pub context: &'a Properties,
}

impl Said<'static> {
    /// Nothing.
    pub const NOTHING: Self = {
        let none = Properties::EMPTY;
        Self { subject: none, action: none, resource: none, context: none }
    };
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Yes, no, or "it depends on", which every yes/no face reports as no.
    pub decision: Decision,
    /// Why it is no yes; none if it is one.
    pub denial: Option<Denial>,
}

/// Why an answer is no yes, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Nothing gives the subject this.
    NotGranted,
    /// The schema has no such type of resource.
    UnknownType,
    /// The resource's type has no such relation.
    UnknownAction,
    /// No object can have this type and id.
    InvalidEntity,
    /// It depends on what nobody has said.
    Conditional,
    /// It depends on a condition that cannot be evaluated.
    ConditionError,
    /// The question needs more steps, or more levels, than one question may take.
    LimitExceeded,
}

impl Denial {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotGranted => "not_granted",
            Self::UnknownType => "unknown_type",
            Self::UnknownAction => "unknown_action",
            Self::InvalidEntity => "invalid_entity",
            Self::Conditional => "conditional",
            Self::ConditionError => "condition_error",
            Self::LimitExceeded => "limit_exceeded",
        }
    }
}

impl Answer {
    /// Whether it is a yes.
    pub fn is_allowed(&self) -> bool {
        self.decision.is_allowed()
    }

    /// No, without a look at any relationship.
    pub fn no(denial: Denial) -> Self {
        Self { decision: Decision::Denied, denial: Some(denial) }
    }
}

/// Somebody who may ask, one state, and one time: every question of a call is put here.
pub struct Asking<'n> {
    node: &'n Node,
    caller: &'n Caller,
    published: Arc<Published>,
    /// The relationships of the state, with what the call supposes.
    fork: Option<Graph>,
    now: Micros,
}

impl Node {
    /// Lets a caller put questions to a published state, if they may ask at all. That is decided on this state, whatever
    /// state is asked later.
    pub fn asking<'n>(
        &'n self,
        published: Arc<Published>,
        caller: &'n Caller,
    ) -> Result<Asking<'n>, Refusal> {
        let now = self.now();
        if !caller.holds(Authority::Checker, &published.state, now) {
            return Err(Refusal::NotAllowed(Authority::Checker));
        }
        Ok(Asking { node: self, caller, published, fork: None, now })
    }
}

impl<'n> Asking<'n> {
    /// The same of an earlier state at an earlier time: for a later page of the same list.
    #[must_use]
    pub fn at(self, published: Arc<Published>, now: Micros) -> Self {
        Self { published, now, fork: None, ..self }
    }

    /// The same, supposing that these relationships were there as well. See
    /// [`State::supposing`](grantd_realm::State::supposing).
    pub fn supposing(self, relationships: Vec<Relationship>) -> Result<Self, Refusal> {
        if relationships.is_empty() {
            return Ok(self);
        }
        let fork = self.published.state.supposing(relationships, self.now)?;
        Ok(Self { fork: Some(fork), ..self })
    }

    /// The state that is asked.
    pub fn published(&self) -> &Arc<Published> {
        &self.published
    }

    /// The revision at which the answers hold.
    pub fn revision(&self) -> u64 {
        self.published.head.revision
    }

    /// The time at which they hold.
    pub fn time(&self) -> Micros {
        self.now
    }

    /// The types and relations that questions can name.
    pub fn schema(&self) -> &Schema {
        self.graph().schema()
    }

    /// May this subject do this to that resource? A question that breaks a limit is a no.
    /// What it names need not be able to exist, nor be spelled in its normal form.
    pub fn check(&self, question: &Question<'_>, said: Said<'_>) -> Answer {
        let Some((subject, resource)) = self.spelled(question) else { return self.impossible(question) };
        let spelled = spell(question, &subject, &resource);
        let decided = self.decide(&spelled, said);
        self.answer(&spelled, decided)
    }

    /// The decision. A permission by name is asked for by its number; by all of them, where a name means several.
    fn decide(&self, question: &Question<'_>, said: Said<'_>) -> Result<Decision, CheckError> {
        let circumstances = self.circumstances(said);
        let Some(ids) = self.meant(question.resource) else {
            return self.graph().check(question, &circumstances);
        };
        let mut decided = Ok(Decision::Denied);
        for id in &ids {
            match self.graph().check(&about(question, id), &circumstances) {
                Ok(Decision::Denied) => {}
                Ok(Decision::Allowed) => return Ok(Decision::Allowed),
                other => decided = other,
            }
        }
        decided
    }

    fn meant(&self, resource: ObjectRef<'_>) -> Option<Vec<String>> {
        self.published.state.catalogue().ids_meant(resource)
    }

    /// The same, and why. What breaks a limit has no explanation.
    pub fn explain(&self, question: &Question<'_>, said: Said<'_>) -> (Answer, Option<Explanation>) {
        let Some((subject, resource)) = self.spelled(question) else {
            return (self.impossible(question), None);
        };
        let spelled = spell(question, &subject, &resource);
        match self.explained(&spelled, said) {
            Ok(explanation) => (self.answer(&spelled, Ok(explanation.decision.clone())), Some(explanation)),
            Err(error) => (self.answer(&spelled, Err(error)), None),
        }
    }

    fn explained(&self, question: &Question<'_>, said: Said<'_>) -> Result<Explanation, CheckError> {
        let circumstances = self.circumstances(said);
        let of = |question: &Question<'_>| self.graph().explain(question, &circumstances);
        let mut explained = None;
        for id in self.meant(question.resource).unwrap_or_default() {
            match of(&about(question, &id)) {
                Ok(yes) if yes.decision.is_allowed() => return Ok(yes),
                other => explained = Some(other),
            }
        }
        explained.unwrap_or_else(|| of(question))
    }

    /// Who of this type may do this to that resource? As [`Graph::search_subjects`].
    pub fn search_subjects(
        &self,
        kind: &str,
        action: &str,
        resource: ObjectRef<'_>,
        said: Said<'_>,
        after: Option<SubjectRef<'_>>,
        limit: usize,
    ) -> Result<Vec<Subject>, CheckError> {
        let circumstances = self.circumstances(said);
        let found = match self.id(resource) {
            Some(id) => {
                let resource = ObjectRef { id: &id, ..resource };
                self.union(resource, limit, |resource| {
                    self.graph().search_subjects(kind, action, resource, &circumstances, after, limit)
                })?
            }
            None => Vec::new(),
        };
        self.record_search(Asked::SearchSubjects, &kind, action, &resource, found.len());
        Ok(found)
    }

    /// What of this type may this subject do this to? As [`Graph::search_resources`].
    pub fn search_resources(
        &self,
        subject: SubjectRef<'_>,
        action: &str,
        kind: &str,
        said: Said<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<FoundResource>, CheckError> {
        let circumstances = self.circumstances(said);
        let found = match self.subject_id(subject) {
            Some(id) => {
                let subject = spell_subject(subject, &id);
                self.graph().search_resources(subject, action, kind, &circumstances, after, limit)?
            }
            None => Vec::new(),
        };
        self.record_search(Asked::SearchResources, &subject, action, &kind, found.len());
        Ok(found)
    }

    /// What may this subject do to that resource? As [`Graph::search_actions`].
    pub fn search_actions(
        &self,
        subject: SubjectRef<'_>,
        resource: ObjectRef<'_>,
        said: Said<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<RelationName>, CheckError> {
        let circumstances = self.circumstances(said);
        let found = match (self.subject_id(subject), self.id(resource)) {
            (Some(subject_id), Some(id)) => {
                let (subject, resource) =
                    (spell_subject(subject, &subject_id), ObjectRef { id: &id, ..resource });
                self.union(resource, limit, |resource| {
                    self.graph().search_actions(subject, resource, &circumstances, after, limit)
                })?
            }
            _ => Vec::new(),
        };
        self.record_search(Asked::SearchActions, &subject, "", &resource, found.len());
        Ok(found)
    }

    /// What is found of a resource, or of all that its name means: in order, up to `limit`.
    fn union<T: Ord>(
        &self,
        resource: ObjectRef<'_>,
        limit: usize,
        find: impl Fn(ObjectRef<'_>) -> Result<Vec<T>, CheckError>,
    ) -> Result<Vec<T>, CheckError> {
        let Some(ids) = self.meant(resource) else { return find(resource) };
        let mut found = Vec::new();
        for id in &ids {
            found.extend(find(ObjectRef { id, ..resource })?);
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    /// The ids of subject and resource in their one spelling; none if one of them cannot exist.
    fn spelled<'q>(&self, question: &Question<'q>) -> Option<(Cow<'q, str>, Cow<'q, str>)> {
        Some((self.subject_id(question.subject)?, self.id(question.resource)?))
    }

    fn id<'q>(&self, object: ObjectRef<'q>) -> Option<Cow<'q, str>> {
        self.schema().id(object.kind, object.id).ok()
    }

    fn subject_id<'q>(&self, subject: SubjectRef<'q>) -> Option<Cow<'q, str>> {
        match subject {
            SubjectRef::Object(object) | SubjectRef::Userset(object, _) => self.id(object),
            SubjectRef::Wildcard(_) => Some(Cow::Borrowed("")),
        }
    }

    /// The answer to a question that names what cannot exist; it is written down like any other.
    fn impossible(&self, question: &Question<'_>) -> Answer {
        self.count(CheckEnd::Denied);
        self.record(Asked::Check, &question.subject, question.action, &question.resource, false, None);
        Answer::no(Denial::InvalidEntity)
    }

    fn graph(&self) -> &Graph {
        self.fork.as_ref().unwrap_or_else(|| self.published.state.graph())
    }

    fn circumstances<'a>(&'a self, said: Said<'a>) -> Circumstances<'a> {
        let Said { subject, action, resource, context } = said;
        let entities = self.published.state.entities();
        Circumstances { now: self.now, subject, action, resource, context, entities }
    }

    fn answer(&self, question: &Question<'_>, decided: Result<Decision, CheckError>) -> Answer {
        let answer = match decided {
            Ok(Decision::Allowed) => Answer { decision: Decision::Allowed, denial: None },
            Ok(Decision::Denied) => Answer::no(self.unknown(question).unwrap_or(Denial::NotGranted)),
            Ok(decision @ Decision::Conditional { .. }) => {
                Answer { denial: Some(nature(&decision)), decision }
            }
            Err(error) => {
                tracing::warn!(%error, "a question was answered no");
                Answer::no(Denial::LimitExceeded)
            }
        };
        self.count(match (&answer.decision, answer.denial) {
            (Decision::Allowed, _) => CheckEnd::Allowed,
            (Decision::Conditional { .. }, _) => CheckEnd::Conditional,
            (Decision::Denied, Some(Denial::LimitExceeded)) => CheckEnd::Error,
            (Decision::Denied, _) => CheckEnd::Denied,
        });
        let (allowed, resource) = (answer.is_allowed(), &question.resource);
        self.record(Asked::Check, &question.subject, question.action, resource, allowed, None);
        answer
    }

    /// What the schema does not know of a question.
    fn unknown(&self, question: &Question<'_>) -> Option<Denial> {
        let (schema, kind) = (self.schema(), question.resource.kind);
        if schema.expression(kind, question.action).is_some() {
            None
        } else if schema.type_name(kind).is_some() {
            Some(Denial::UnknownAction)
        } else {
            Some(Denial::UnknownType)
        }
    }

    fn count(&self, end: CheckEnd) {
        self.node.observer().checked(end);
    }

    fn record_search(
        &self,
        asked: Asked,
        subject: &impl ToString,
        action: &str,
        resource: &impl ToString,
        found: usize,
    ) {
        self.node.observer().searched();
        self.record(asked, subject, action, resource, found > 0, Some(found));
    }

    fn record(
        &self,
        asked: Asked,
        subject: &impl ToString,
        action: &str,
        resource: &impl ToString,
        allowed: bool,
        found: Option<usize>,
    ) {
        let Some(log) = self.node.decision_log().filter(|log| log.takes_this_one()) else { return };
        let record = Record {
            time: self.now,
            realm: self.published.state.name().into(),
            revision: self.revision(),
            caller: self.caller.actor.to_string(),
            asked,
            subject: subject.to_string(),
            action: action.into(),
            resource: resource.to_string(),
            allowed,
            found,
        };
        if !log.write(record) {
            self.node.observer().decision_dropped();
        }
    }
}

fn spell<'s>(question: &Question<'s>, subject: &'s str, resource: &'s str) -> Question<'s> {
    Question {
        subject: spell_subject(question.subject, subject),
        action: question.action,
        resource: ObjectRef { id: resource, ..question.resource },
    }
}

/// The same question about another resource of the type.
fn about<'q>(question: &Question<'q>, id: &'q str) -> Question<'q> {
    Question { resource: ObjectRef { id, ..question.resource }, ..*question }
}

fn spell_subject<'s>(subject: SubjectRef<'s>, id: &'s str) -> SubjectRef<'s> {
    match subject {
        SubjectRef::Object(object) => SubjectRef::Object(ObjectRef { id, ..object }),
        SubjectRef::Userset(object, relation) => SubjectRef::Userset(ObjectRef { id, ..object }, relation),
        wildcard @ SubjectRef::Wildcard(_) => wildcard,
    }
}

/// What a decision that depends on conditions lacks.
fn nature(decision: &Decision) -> Denial {
    match decision {
        Decision::Conditional { missing, broken } if missing.is_empty() && !broken.is_empty() => {
            Denial::ConditionError
        }
        _ => Denial::Conditional,
    }
}
