//! Whether everything that a schema mentions exists.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{DirectType, Expression, SubjectForm, TypeDefinition};
use super::parse::{Define, Draft};
use super::{Schema, SchemaError};
use crate::name::{RelationName, TypeName};

/// The most different relation names in one schema: the graph numbers them with 16 bits, over all schemas that it sees.
const MAX_RELATIONS: usize = 10_000;

type Drafts = BTreeMap<TypeName, Draft>;

pub(super) fn resolve(drafts: Drafts) -> Result<Schema, SchemaError> {
    let mut names = BTreeSet::new();
    for (kind, draft) in &drafts {
        for (relation, define) in &draft.relations {
            mentions(&drafts, kind, &define.expression)
                .map_err(|message| error(kind, relation, define, message))?;
            names.insert(relation);
            if names.len() > MAX_RELATIONS {
                let message = format!("the schema has more than {MAX_RELATIONS} different relation names");
                return Err(error(kind, relation, define, message));
            }
        }
    }
    let types = drafts.into_iter().map(|(kind, draft)| (kind, definition(draft))).collect();
    Ok(Schema { types, conditions: BTreeMap::new() })
}

fn definition(draft: Draft) -> TypeDefinition {
    let relations = draft.relations.into_iter().map(|(name, define)| (name, define.expression)).collect();
    TypeDefinition { is_path: draft.is_path, relations }
}

fn error(kind: &TypeName, relation: &RelationName, define: &Define, message: String) -> SchemaError {
    SchemaError {
        file: define.file.clone(),
        line: define.line,
        type_name: Some(kind.to_string()),
        relation: Some(relation.to_string()),
        message,
    }
}

fn mentions(drafts: &Drafts, kind: &TypeName, expression: &Expression) -> Result<(), String> {
    match expression {
        Expression::Direct(forms) => forms.iter().try_for_each(|form| direct(drafts, form)),
        Expression::Computed(relation) => relation_exists(drafts, kind, relation),
        Expression::From { through, .. } => relation_exists(drafts, kind, through),
        Expression::Union(parts) | Expression::Intersection(parts) => {
            parts.iter().try_for_each(|part| mentions(drafts, kind, part))
        }
        Expression::Exclusion(base, taken) => {
            mentions(drafts, kind, base)?;
            mentions(drafts, kind, taken)
        }
    }
}

fn direct(drafts: &Drafts, form: &DirectType) -> Result<(), String> {
    match &form.form {
        SubjectForm::Object(kind) | SubjectForm::Wildcard(kind) => type_exists(drafts, kind).map(|_| ()),
        SubjectForm::Userset(kind, relation) => {
            type_exists(drafts, kind)?;
            relation_exists(drafts, kind, relation)
        }
    }
}

fn type_exists<'a>(drafts: &'a Drafts, kind: &TypeName) -> Result<&'a Draft, String> {
    drafts.get(kind).ok_or_else(|| format!("there is no type `{kind}`: define it with `type {kind}`"))
}

fn relation_exists(drafts: &Drafts, kind: &TypeName, relation: &RelationName) -> Result<(), String> {
    if type_exists(drafts, kind)?.relations.contains_key(relation) {
        return Ok(());
    }
    Err(format!("type `{kind}` has no relation `{relation}`: define it with `define {relation}: ...`"))
}
