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
///
/// There is room for `and`, `but not` and `from`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Expression {
    /// `[user, team#member, user:*]`: whoever a relationship names, if it has one of these forms.
    Direct(Vec<DirectType>),
    /// `editor`: whoever stands in another relation to the same object.
    Computed(RelationName),
    /// `a or b`: whoever is in one of them.
    Union(Vec<Expression>),
}

/// A form that the subject of a relationship may have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DirectType {
    /// `user`: one object of the type.
    Object(TypeName),
    /// `team#member`: a userset.
    Userset(TypeName, RelationName),
    /// `user:*`: every object of the type.
    Wildcard(TypeName),
}

impl Expression {
    /// Every direct type anywhere in the expression.
    pub fn direct_types(&self) -> Vec<&DirectType> {
        match self {
            Self::Direct(forms) => forms.iter().collect(),
            Self::Computed(_) => Vec::new(),
            Self::Union(parts) => parts.iter().flat_map(Self::direct_types).collect(),
        }
    }
}

impl fmt::Display for DirectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(kind) => write!(f, "{kind}"),
            Self::Userset(kind, relation) => write!(f, "{kind}#{relation}"),
            Self::Wildcard(kind) => write!(f, "{kind}:*"),
        }
    }
}
