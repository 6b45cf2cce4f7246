//! Relationships, and what identifies them.

use std::fmt;
use std::str::FromStr;

use crate::Micros;
use crate::name::{NameError, RelationName};
use crate::object::Object;
use crate::subject::Subject;
use crate::value::Properties;

/// What identifies a relationship. Text form: `resource#relation@subject`.
///
/// The order is that of the parts: resource, relation, subject; objects come before usersets and usersets before
/// wildcards.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What access is given to.
    pub resource: Object,
    /// As what.
    pub relation: RelationName,
    /// To whom.
    pub subject: Subject,
}

/// Under which condition a relationship holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Condition {
    /// The condition's name in the schema.
    pub name: String,
    /// The values that are known already: they win over those of a question.
    pub parameters: Properties,
}

/// That a subject stands in a relation to a resource, perhaps for a time, perhaps under a condition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Relationship {
    /// What identifies it: there is at most one relationship with a key.
    pub key: Key,
    /// It exists while `now < until`; without one it exists until it is deleted.
    pub until: Option<Micros>,
    /// It counts where the condition holds.
    pub condition: Option<Condition>,
}

impl Relationship {
    /// A relationship without end and without condition.
    #[must_use]
    pub fn lasting(key: Key) -> Self {
        Self { key, until: None, condition: None }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}@{}", self.resource, self.relation, self.subject)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Key {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // The first `#` ends the resource (its id has none), the next `@` ends the relation (a name has none).
        let (resource, rest) = text.split_once('#').ok_or_else(|| form(text))?;
        let (relation, subject) = rest.split_once('@').ok_or_else(|| form(text))?;
        Ok(Self { resource: resource.parse()?, relation: relation.parse()?, subject: subject.parse()? })
    }
}

fn form(text: &str) -> NameError {
    NameError::Form {
        text: text.to_owned(),
        wanted: "a relationship: write `resource#relation@subject`, as in `role:qa#member@user:alice`",
    }
}
