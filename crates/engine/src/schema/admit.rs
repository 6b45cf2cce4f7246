//! Which relationships a schema lets in.

use thiserror::Error;

use super::ast::{DirectType, SubjectForm};
use super::{Expression, Schema};
use crate::path;
use crate::relationship::Key;
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
    /// Whether a relationship with this key may be stored: type and relation exist, the subject's form is one of the
    /// relation's direct types, and paths are in their normal form.
    pub fn admits(&self, key: &Key) -> Result<(), Inadmissible> {
        let (kind, relation) = (key.resource.kind(), key.relation.as_str());
        let expression = self.relation_of(kind, relation)?;
        let allowed = expression.direct_types();
        if allowed.is_empty() {
            return Err(Inadmissible::Computed { kind: kind.to_owned(), relation: relation.to_owned() });
        }
        if !allowed.iter().any(|form| form.takes(&key.subject)) {
            return Err(Inadmissible::Subject {
                subject: key.subject.to_string(),
                kind: kind.to_owned(),
                relation: relation.to_owned(),
                allowed: list(allowed),
            });
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
