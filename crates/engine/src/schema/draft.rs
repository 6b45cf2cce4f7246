//! Definitions that remember where they stand, before all names are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Expression, TypeDefinition};
use super::{Schema, SchemaError};
use crate::condition::ConditionDefinition;
use crate::name::{RelationName, TypeName};

/// Everything that the sources define.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) types: BTreeMap<TypeName, Draft>,
    pub(super) conditions: BTreeMap<String, DraftCondition>,
}

/// A type with the place of each part, for messages.
pub(super) struct Draft {
    /// The source that names the type first, and its line.
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) is_path: bool,
    /// It belongs to the schema that is extended: it can be named, but not changed.
    pub(super) closed: bool,
    pub(super) relations: BTreeMap<RelationName, Define>,
}

/// One `define`.
pub(super) struct Define {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) expression: Expression,
}

/// One `condition`.
pub(super) struct DraftCondition {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) closed: bool,
    pub(super) definition: ConditionDefinition,
}

/// Where the parser is.
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) kind: Option<TypeName>,
    pub(super) relation: Option<RelationName>,
}

impl Place<'_> {
    pub(super) fn error(&self, message: impl Into<String>) -> SchemaError {
        SchemaError {
            file: self.file.to_owned(),
            line: self.line,
            type_name: self.kind.as_ref().map(ToString::to_string),
            relation: self.relation.as_ref().map(ToString::to_string),
            message: message.into(),
        }
    }
}

impl Drafts {
    /// What a schema has, to be extended.
    pub(super) fn closed(base: &Schema) -> Self {
        let of_base = |definition: &TypeDefinition| Draft {
            file: String::new(),
            line: 0,
            is_path: definition.is_path,
            closed: true,
            relations: (definition.relations.iter())
                .map(|(name, expression)| {
                    (name.clone(), Define { file: String::new(), line: 0, expression: expression.clone() })
                })
                .collect(),
        };
        let condition = |definition: &Arc<ConditionDefinition>| DraftCondition {
            file: String::new(),
            line: 0,
            closed: true,
            definition: ConditionDefinition::clone(definition),
        };
        Self {
            types: base.types.iter().map(|(kind, definition)| (kind.clone(), of_base(definition))).collect(),
            conditions: base.conditions.iter().map(|(name, one)| (name.clone(), condition(one))).collect(),
        }
    }

    /// Begins a type, or goes on with one that another source names.
    pub(super) fn begin_type(
        &mut self,
        kind: &TypeName,
        place: &Place<'_>,
        is_path: bool,
    ) -> Result<(), SchemaError> {
        let Some(draft) = self.types.get(kind) else {
            let (file, line) = (place.file.to_owned(), place.line);
            self.types.insert(
                kind.clone(),
                Draft { file, line, is_path, closed: false, relations: BTreeMap::new() },
            );
            return Ok(());
        };
        let (file, line) = (&draft.file, draft.line);
        if draft.closed {
            if draft.is_path == is_path {
                return Ok(());
            }
            let word = if draft.is_path { "path type" } else { "type" };
            return Err(place.error(format!("`{kind}` is built in: name it `{word} {kind}`")));
        }
        if file == place.file {
            let problem = format!("type `{kind}` is defined before, at {file}:{line}: keep one of the two");
            return Err(place.error(problem));
        }
        if draft.is_path != is_path {
            let word = if draft.is_path { "a path type" } else { "no path type" };
            let problem = format!("type `{kind}` is {word} at {file}:{line}: name it in the same way");
            return Err(place.error(problem));
        }
        Ok(())
    }

    /// Adds a relation to the type of `place`.
    pub(super) fn define(
        &mut self,
        relation: RelationName,
        place: &Place<'_>,
        expression: Expression,
    ) -> Result<(), SchemaError> {
        let Some(draft) = place.kind.as_ref().and_then(|kind| self.types.get_mut(kind)) else {
            return Err(place.error("`define` without a type: write `type name` before it"));
        };
        if draft.closed {
            return Err(place.error("the type is built in: it can be named, but not changed"));
        }
        if let Some(first) = draft.relations.get(&relation) {
            let (file, line) = (&first.file, first.line);
            return Err(place.error(format!("defined before, at {file}:{line}: keep one of the two")));
        }
        // A type that another source defines can be mentioned, not extended: who reads its source sees all of it.
        let other = draft.relations.values().next().filter(|other| other.file != place.file);
        if let Some(Define { file, line, .. }) = other {
            let problem = format!("the type has its relations at {file}:{line}: define them all there");
            return Err(place.error(problem));
        }
        let (file, line) = (place.file.to_owned(), place.line);
        draft.relations.insert(relation, Define { file, line, expression });
        Ok(())
    }

    /// Adds a condition.
    pub(super) fn condition(
        &mut self,
        place: &Place<'_>,
        definition: ConditionDefinition,
    ) -> Result<(), SchemaError> {
        let name = definition.name().to_owned();
        if let Some(DraftCondition { file, line, closed, .. }) = self.conditions.get(&name) {
            if *closed {
                return Err(place.error(format!("condition `{name}` is built in: choose another name")));
            }
            let problem =
                format!("condition `{name}` is defined before, at {file}:{line}: keep one of the two");
            return Err(place.error(problem));
        }
        let (file, line) = (place.file.to_owned(), place.line);
        self.conditions.insert(name, DraftCondition { file, line, closed: false, definition });
        Ok(())
    }
}
