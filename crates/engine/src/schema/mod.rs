//! Types, relations and how permissions follow from relationships.
//!
//! The language is the OpenFGA modelling language, with one extension, the **path type**:
//!
//! ```text
//! model
//!   schema 1.1
//!
//! type user
//!
//! type team
//!   relations
//!     define member: [user, team#member]
//!
//! path type folder
//!   relations
//!     define editor: [user, team#member with office_hours]
//!     define viewer: [user, user:*] or editor
//!     define blocked: [user]
//!     define reader: viewer but not blocked
//!
//! type document
//!   relations
//!     define folder: [folder]
//!     define reader: [user] or reader from folder
//!
//! condition office_hours(current_time: timestamp) {
//!   current_time.getHours() >= 9 && current_time.getHours() < 17
//! }
//! ```
//!
//! The ids of a path type are lists of segments, written `/a/b/`; what is stored on a path counts for everything below
//! it (see [`crate::path`]). Comments start with `#`, at the start of a line or after white space. The header
//! `model`, `schema 1.1` may be left out. Several sources make one schema; a type may be named again, without
//! relations, where another source needs to mention it.
//!
//! A relation has at most one list of direct types. Operators are not mixed without parentheses. A relation must not
//! depend on its own absence: no way around from a relation to itself leads through the right side of a `but not`.

mod admit;
mod ast;
mod body;
mod depends;
mod draft;
mod error;
mod json;
mod json_read;
mod line;
mod parse;
mod parse_condition;
mod parse_relation;
mod resolve;
mod text;
mod tokens;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use admit::Inadmissible;
pub use ast::{DirectType, Expression, SubjectForm};
pub use error::SchemaError;
pub use parse::MAX_TEXT;

pub(crate) use body::string_length;

use crate::condition::ConditionDefinition;
use crate::name::{NameError, RelationName, TypeName};
use crate::object::{self, Object};
use crate::path;
use ast::TypeDefinition;
use draft::Drafts;

/// One text of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What errors call it: a file name.
    pub name: &'a str,
    /// The text itself.
    pub text: &'a str,
}

/// Which types and relations exist, and who may stand in them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Schema {
    types: BTreeMap<TypeName, TypeDefinition>,
    conditions: BTreeMap<String, Arc<ConditionDefinition>>,
}

impl Schema {
    /// Reads one schema from several texts. Errors name file, line, type and relation.
    pub fn parse(sources: &[Source<'_>]) -> Result<Self, SchemaError> {
        parse::parse(Drafts::default(), sources)
    }

    /// This schema and what the texts add. They may name its types, without relations, and not change them.
    pub fn extend(&self, sources: &[Source<'_>]) -> Result<Self, SchemaError> {
        parse::parse(Drafts::closed(self), sources)
    }

    /// What this schema has and `base`, which it extends, has not. Types of `base` that it mentions are named in it, without
    /// relations.
    #[must_use]
    pub fn without(&self, base: &Self) -> Self {
        let own = |kind: &TypeName| !base.types.contains_key(kind);
        let mut types: BTreeMap<_, _> = self
            .types
            .iter()
            .filter(|(kind, _)| own(kind))
            .map(|(kind, one)| (kind.clone(), one.clone()))
            .collect();
        let mentioned: Vec<_> = (types.values())
            .flat_map(|one| one.relations.values())
            .flat_map(Expression::direct_types)
            .map(|direct| direct.form.kind().clone())
            .collect();
        for kind in mentioned {
            let is_path = self.is_path(kind.as_str());
            types.entry(kind).or_insert(TypeDefinition { is_path, relations: BTreeMap::new() });
        }
        let conditions = self.conditions.iter().filter(|(name, _)| !base.conditions.contains_key(*name));
        Self { types, conditions: conditions.map(|(name, one)| (name.clone(), one.clone())).collect() }
    }

    /// The types, in order of their names.
    pub fn types(&self) -> impl Iterator<Item = &TypeName> {
        self.types.keys()
    }

    /// The type with this name, if there is one.
    #[must_use]
    pub fn type_name(&self, kind: &str) -> Option<&TypeName> {
        self.types.get_key_value(kind).map(|(name, _)| name)
    }

    /// The relations of a type, in order of their names; none if there is no such type.
    pub fn relations(&self, kind: &str) -> impl Iterator<Item = &RelationName> {
        self.types.get(kind).into_iter().flat_map(|definition| definition.relations.keys())
    }

    /// How a relation is defined.
    #[must_use]
    pub fn expression(&self, kind: &str, relation: &str) -> Option<&Expression> {
        self.types.get(kind)?.relations.get(relation)
    }

    /// The condition with this name, if there is one.
    #[must_use]
    pub fn condition(&self, name: &str) -> Option<&Arc<ConditionDefinition>> {
        self.conditions.get(name)
    }

    /// The conditions, in order of their names.
    pub fn conditions(&self) -> impl Iterator<Item = &Arc<ConditionDefinition>> {
        self.conditions.values()
    }

    /// Whether the type is a path type.
    #[must_use]
    pub fn is_path(&self, kind: &str) -> bool {
        self.types.get(kind).is_some_and(|definition| definition.is_path)
    }

    /// The object with this id: [`Object::new`], and the normal form of the id if the type is a path type.
    pub fn object(&self, kind: &str, id: &str) -> Result<Object, NameError> {
        Object::new(kind, &self.id(kind, id)?)
    }

    /// The id of an object of this type in its one spelling, if there can be an object with it. The type need not exist;
    /// for one that is no path type nothing is allocated.
    pub fn id<'i>(&self, kind: &str, id: &'i str) -> Result<Cow<'i, str>, NameError> {
        object::check(kind, id)?;
        if !self.is_path(kind) {
            return Ok(Cow::Borrowed(id));
        }
        let normal = path::normalise(id)?;
        object::check(kind, &normal)?;
        Ok(normal)
    }
}
