//! Which relationships a schema lets in.

use thiserror::Error;

use super::ast::{DirectType, SubjectForm};
use super::{Expression, Schema};
use crate::path;
use crate::relationship::{Condition, Key};
use crate::subject::Subject;

/// Why a relationship does not fit the schema.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Inadmissible {
    /// The schema has no such type.
    #[error("there is no type `{kind}`: the schema has {known}")]
    Type {
        /// What was named.
        kind: String,
        /// The types that exist, as a list for reading.
        known: String,
    },
    /// The type has no such relation.
    #[error("type `{kind}` has no relation `{relation}`: it has {known}")]
    Relation {
        /// The type.
        kind: String,
        /// What was named.
        relation: String,
        /// The relations that exist, as a list for reading.
        known: String,
    },
    /// The relation only follows from others.
    #[error("`{relation}` of type `{kind}` follows from other relations: nothing can be written to it")]
    Computed {
        /// The type.
        kind: String,
        /// The relation.
        relation: String,
    },
    /// The subject has a form that the relation does not take.
    #[error("`{subject}` cannot be `{relation}` of a `{kind}`: allowed are {allowed}")]
    Subject {
        /// The subject's text form.
        subject: String,
        /// The resource's type.
        kind: String,
        /// The relation.
        relation: String,
        /// The direct types, as a list for reading.
        allowed: String,
    },
    /// The subject is right, but not with this condition, or not without one.
    #[error("`{subject}` as `{relation}` of a `{kind}` cannot have {given}: allowed are {allowed}")]
    Condition {
        /// The subject's text form.
        subject: String,
        /// The resource's type.
        kind: String,
        /// The relation.
        relation: String,
        /// The condition, or that there is none.
        given: String,
        /// The direct types with this form, as a list for reading.
        allowed: String,
    },
    /// The condition does not take these parameters.
    #[error("condition `{condition}`: {problem}")]
    Parameters {
        /// The condition.
        condition: String,
        /// Which parameter, and what is wrong with it.
        problem: String,
    },
    /// The id of a path type is not in its normal form.
    #[error("`{id}` is not a path of type `{kind}` in its one spelling: write `{normal}`")]
    Path {
        /// The type.
        kind: String,
        /// What was given.
        id: String,
        /// The right spelling, or what every path looks like if there is none.
        normal: String,
    },
}

impl Schema {
    /// Whether a relationship with this key under this condition may be stored: type and relation exist, the subject's form
    /// with the condition is one of the relation's direct types, the condition's parameters are declared and have their
    /// types, and paths are in their normal form.
    pub fn admits(&self, key: &Key, condition: Option<&Condition>) -> Result<(), Inadmissible> {
        let (kind, relation) = (key.resource.kind(), key.relation.as_str());
        let expression = self.relation_of(kind, relation)?;
        let allowed = expression.direct_types();
        if allowed.is_empty() {
            return Err(Inadmissible::Computed { kind: kind.to_owned(), relation: relation.to_owned() });
        }
        let (subject, kind, relation) = (key.subject.to_string(), kind.to_owned(), relation.to_owned());
        let fitting: Vec<_> = allowed.iter().copied().filter(|form| form.takes(&key.subject)).collect();
        if fitting.is_empty() {
            return Err(Inadmissible::Subject { subject, kind, relation, allowed: list(allowed) });
        }
        let name = condition.map(|condition| condition.name.as_str());
        if !fitting.iter().any(|form| form.condition.as_deref() == name) {
            let given = name.map_or("no condition".to_owned(), |name| format!("condition `{name}`"));
            return Err(Inadmissible::Condition { subject, kind, relation, given, allowed: list(fitting) });
        }
        if let Some(Condition { name, parameters }) = condition
            && let Some(definition) = self.condition(name)
        {
            definition
                .admits(parameters)
                .map_err(|problem| Inadmissible::Parameters { condition: name.clone(), problem })?;
        }
        self.normal(key.resource.as_ref())?;
        key.subject.object().map_or(Ok(()), |object| self.normal(object.as_ref()))
    }

    fn relation_of(&self, kind: &str, relation: &str) -> Result<&Expression, Inadmissible> {
        if let Some(expression) = self.expression(kind, relation) {
            return Ok(expression);
        }
        Err(if self.type_name(kind).is_some() {
            Inadmissible::Relation {
                kind: kind.to_owned(),
                relation: relation.to_owned(),
                known: list(self.relations(kind)),
            }
        } else {
            Inadmissible::Type { kind: kind.to_owned(), known: list(self.types()) }
        })
    }

    fn normal(&self, object: crate::ObjectRef<'_>) -> Result<(), Inadmissible> {
        if !self.is_path(object.kind) {
            return Ok(());
        }
        let normal = path::normalise(object.id).unwrap_or("/a/b/".into());
        if normal == object.id {
            return Ok(());
        }
        Err(Inadmissible::Path {
            kind: object.kind.to_owned(),
            id: object.id.to_owned(),
            normal: normal.into_owned(),
        })
    }
}

impl DirectType {
    fn takes(&self, subject: &Subject) -> bool {
        match (&self.form, subject) {
            (SubjectForm::Object(kind), Subject::Object(object)) => kind == object.type_name(),
            (SubjectForm::Userset(kind, relation), Subject::Userset(object, named)) => {
                kind == object.type_name() && relation == named
            }
            (SubjectForm::Wildcard(kind), Subject::Wildcard(named)) => kind == named,
            _ => false,
        }
    }
}

/// At most ten names in backticks; a realm may have hundreds of types.
fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 10;
    let mut names = names.into_iter();
    let mut shown: Vec<_> =
        names.by_ref().take(SHOWN).map(|name| format!("`{}`", name.to_string())).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}
