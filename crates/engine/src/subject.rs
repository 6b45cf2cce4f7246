//! Who a relationship is given to.

use std::fmt;
use std::str::FromStr;

use crate::name::{NameError, RelationName, TypeName};
use crate::object::{Object, ObjectRef};

/// Who a relationship is given to. Text forms: `user:alice`, `role:qa#member`, `user:*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One object.
    Object(Object),
    /// Everyone who stands in a relation to an object: `role:qa#member`.
    Userset(Object, RelationName),
    /// Every object of a type, also those that no relationship names: `user:*`.
    Wildcard(TypeName),
}

/// A subject that is only being asked about: borrowed texts, not validated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubjectRef<'a> {
    /// One object.
    Object(ObjectRef<'a>),
    /// Everyone who stands in a relation to an object.
    Userset(ObjectRef<'a>, &'a str),
    /// Every object of a type.
    Wildcard(&'a str),
}

impl Subject {
    /// The type of the subject: for a userset that of its object.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Object(object) | Self::Userset(object, _) => object.kind(),
            Self::Wildcard(kind) => kind.as_str(),
        }
    }

    /// The object it names, unless it is a wildcard.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) | Self::Userset(object, _) => Some(object),
            Self::Wildcard(_) => None,
        }
    }

    /// The subject as borrowed texts.
    #[must_use]
    pub fn as_ref(&self) -> SubjectRef<'_> {
        match self {
            Self::Object(object) => SubjectRef::Object(object.as_ref()),
            Self::Userset(object, relation) => SubjectRef::Userset(object.as_ref(), relation.as_str()),
            Self::Wildcard(kind) => SubjectRef::Wildcard(kind.as_str()),
        }
    }
}

impl From<Object> for Subject {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl<'a> From<ObjectRef<'a>> for SubjectRef<'a> {
    fn from(object: ObjectRef<'a>) -> Self {
        Self::Object(object)
    }
}

impl<'a> From<&'a Object> for SubjectRef<'a> {
    fn from(object: &'a Object) -> Self {
        Self::Object(object.as_ref())
    }
}

impl<'a> From<&'a Subject> for SubjectRef<'a> {
    fn from(subject: &'a Subject) -> Self {
        subject.as_ref()
    }
}

impl fmt::Display for SubjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(object) => object.fmt(f),
            Self::Userset(object, relation) => write!(f, "{object}#{relation}"),
            Self::Wildcard(kind) => write!(f, "{kind}:*"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl FromStr for Subject {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some((object, relation)) = text.split_once('#') {
            return Ok(Self::Userset(object.parse()?, relation.parse()?));
        }
        match text.split_once(':') {
            Some((kind, "*")) => Ok(Self::Wildcard(kind.parse()?)),
            Some(_) => Ok(Self::Object(text.parse()?)),
            None => Err(NameError::Form {
                text: text.to_owned(),
                wanted: "a subject: write `user:alice`, `role:qa#member` or `user:*`",
            }),
        }
    }
}
