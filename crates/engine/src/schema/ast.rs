//! What a schema says, before it meets any relationship.

use std::collections::BTreeMap;
use std::fmt;

use crate::name::{RelationName, TypeName};

/// One type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct TypeDefinition {
    pub(crate) is_path: bool,
    pub(crate) relations: BTreeMap<RelationName, Expression>,
}

/// How a relation follows from relationships and from other relations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expression {
    /// `[user, team#member, user:*]`: whoever a relationship names, if it has one of these forms.
    Direct(Vec<DirectType>),
    /// `editor`: whoever stands in another relation to the same object.
    Computed(RelationName),
    /// `viewer from parent`: whoever stands in `relation` to an object that `through` names here.
    From {
        /// The relation of the objects on the way.
        relation: RelationName,
        /// The relation of this object whose subjects they are; its relationships are taken as they are stored.
        through: RelationName,
    },
    /// `a or b`: whoever is in one of them.
    Union(Vec<Expression>),
    /// `a and b`: whoever is in all of them.
    Intersection(Vec<Expression>),
    /// `a but not b`: whoever is in the first and not in the second.
    Exclusion(Box<Expression>, Box<Expression>),
}

/// A form that the subject of a relationship may have, and the condition that the relationship must be under.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DirectType {
    /// The form.
    pub form: SubjectForm,
    /// `with office_hours`: the name of the condition. Without one a relationship must have none.
    pub condition: Option<String>,
}

/// A form that a subject may have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SubjectForm {
    /// `user`: one object of the type.
    Object(TypeName),
    /// `team#member`: a userset.
    Userset(TypeName, RelationName),
    /// `user:*`: every object of the type.
    Wildcard(TypeName),
}

impl SubjectForm {
    /// The type of the objects.
    #[must_use]
    pub fn kind(&self) -> &TypeName {
        match self {
            Self::Object(kind) | Self::Userset(kind, _) | Self::Wildcard(kind) => kind,
        }
    }
}

impl Expression {
    /// Every direct type anywhere in the expression.
    pub fn direct_types(&self) -> Vec<&DirectType> {
        match self {
            Self::Direct(types) => types.iter().collect(),
            Self::Computed(_) | Self::From { .. } => Vec::new(),
            Self::Union(parts) | Self::Intersection(parts) => {
                parts.iter().flat_map(Self::direct_types).collect()
            }
            Self::Exclusion(base, taken) => {
                base.direct_types().into_iter().chain(taken.direct_types()).collect()
            }
        }
    }
}

impl fmt::Display for DirectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            SubjectForm::Object(kind) => write!(f, "{kind}")?,
            SubjectForm::Userset(kind, relation) => write!(f, "{kind}#{relation}")?,
            SubjectForm::Wildcard(kind) => write!(f, "{kind}:*")?,
        }
        self.condition.as_ref().map_or(Ok(()), |condition| write!(f, " with {condition}"))
    }
}
