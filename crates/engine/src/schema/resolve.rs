//! Whether everything that a schema mentions exists and fits together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{DirectType, Expression, SubjectForm, TypeDefinition};
use super::draft::{Define, Draft, DraftCondition, Drafts};
use super::{Schema, SchemaError, depends};
use crate::name::{RelationName, TypeName};

/// The most different relation names in one schema: the graph numbers them with 16 bits, over all schemas that it sees.
const MAX_RELATIONS: usize = 10_000;

pub(super) fn resolve(drafts: Drafts) -> Result<Schema, SchemaError> {
    let mut names = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (kind, draft) in &drafts.types {
        for (relation, define) in &draft.relations {
            let mut mentions = Mentions { drafts: &drafts, kind, lists: 0, used: &mut used };
            mentions.all(&define.expression).map_err(|message| error(kind, relation, define, message))?;
            names.insert(relation);
            if names.len() > MAX_RELATIONS {
                let message = format!("the schema has more than {MAX_RELATIONS} different relation names");
                return Err(error(kind, relation, define, message));
            }
        }
    }
    let unused =
        drafts.conditions.iter().find(|(name, condition)| !condition.closed && !used.contains(name.as_str()));
    if let Some((name, DraftCondition { file, line, .. })) = unused {
        return Err(SchemaError {
            file: file.clone(),
            line: *line,
            type_name: None,
            relation: None,
            message: format!(
                "condition `{name}` is used nowhere: write `with {name}` after a direct type, or remove it"
            ),
        });
    }
    depends::check(&drafts)?;
    let types = drafts.types.into_iter().map(|(kind, draft)| (kind, definition(draft))).collect();
    let conditions =
        drafts.conditions.into_iter().map(|(name, draft)| (name, Arc::new(draft.definition))).collect();
    Ok(Schema { types, conditions })
}

fn definition(draft: Draft) -> TypeDefinition {
    let relations = draft.relations.into_iter().map(|(name, define)| (name, define.expression)).collect();
    TypeDefinition { is_path: draft.is_path, relations }
}

pub(super) fn error(
    kind: &TypeName,
    relation: &RelationName,
    define: &Define,
    message: String,
) -> SchemaError {
    SchemaError {
        file: define.file.clone(),
        line: define.line,
        type_name: Some(kind.to_string()),
        relation: Some(relation.to_string()),
        message,
    }
}

/// Looks at all that one relation mentions.
struct Mentions<'a, 'b> {
    drafts: &'a Drafts,
    kind: &'a TypeName,
    /// How many `[...]` there were.
    lists: usize,
    used: &'b mut BTreeSet<&'a str>,
}

impl<'a> Mentions<'a, '_> {
    fn all(&mut self, expression: &'a Expression) -> Result<(), String> {
        match expression {
            Expression::Direct(forms) => self.direct(forms),
            Expression::Computed(relation) => relation_exists(self.drafts, self.kind, relation),
            Expression::From { relation, through } => self.from(relation, through),
            Expression::Union(parts) | Expression::Intersection(parts) => {
                let mut seen = BTreeSet::new();
                for part in parts {
                    if let Some(text) = simple(part)
                        && !seen.insert(text)
                    {
                        return Err(format!("`{}` stands twice between the same operators", shown(text)));
                    }
                    self.all(part)?;
                }
                Ok(())
            }
            Expression::Exclusion(base, taken) => {
                if simple(base).is_some() && simple(base) == simple(taken) {
                    return Err("what is taken away is all there is: nobody can ever have it".to_owned());
                }
                self.all(base)?;
                self.all(taken)
            }
        }
    }

    fn direct(&mut self, forms: &'a [DirectType]) -> Result<(), String> {
        self.lists += 1;
        if self.lists > 1 {
            return Err(
                "a relation has at most one `[...]`: write one list, or define a relation of its own for the second"
                    .to_owned(),
            );
        }
        let mut seen = BTreeSet::new();
        for form in forms {
            if !seen.insert(form) {
                return Err(format!("`{form}` stands twice in one list"));
            }
            match &form.form {
                SubjectForm::Object(kind) | SubjectForm::Wildcard(kind) => {
                    type_exists(self.drafts, kind)?;
                }
                SubjectForm::Userset(kind, relation) => relation_exists(self.drafts, kind, relation)?,
            }
            if let Some(condition) = &form.condition {
                if !self.drafts.conditions.contains_key(condition) {
                    return Err(format!(
                        "there is no condition `{condition}`: define it with `condition {condition}(...) {{ ... }}`"
                    ));
                }
                self.used.insert(condition);
            }
        }
        Ok(())
    }

    /// `relation from through`: `through` names objects and nothing else, and some of their types have `relation`.
    fn from(&self, relation: &RelationName, through: &RelationName) -> Result<(), String> {
        relation_exists(self.drafts, self.kind, through)?;
        let define = self.drafts.types.get(self.kind).and_then(|draft| draft.relations.get(through));
        let Some(Expression::Direct(forms)) = define.map(|define| &define.expression) else {
            return Err(format!(
                "`{through}` after `from` must be a relation of direct types only, as in `define {through}: [...]`"
            ));
        };
        let mut types = Vec::new();
        for form in forms {
            let SubjectForm::Object(kind) = &form.form else {
                return Err(format!(
                    "`{through}` after `from` must name objects: its direct type `{form}` is none"
                ));
            };
            types.push(kind);
        }
        let has = |kind: &&TypeName| {
            self.drafts.types.get(*kind).is_some_and(|draft| draft.relations.contains_key(relation))
        };
        if types.iter().any(has) {
            return Ok(());
        }
        let names: BTreeMap<_, _> = types.iter().map(|kind| (kind.as_str(), ())).collect();
        let names: Vec<_> = names.keys().map(|kind| format!("`{kind}`")).collect();
        Err(format!(
            "`{relation} from {through}`: no type of `{through}` has a relation `{relation}`: it names {}",
            names.join(", ")
        ))
    }
}

/// An operand that is a mere mention: the relation, and what it is taken from.
fn simple(expression: &Expression) -> Option<(&RelationName, Option<&RelationName>)> {
    match expression {
        Expression::Computed(relation) => Some((relation, None)),
        Expression::From { relation, through } => Some((relation, Some(through))),
        _ => None,
    }
}

fn shown((relation, through): (&RelationName, Option<&RelationName>)) -> String {
    through.map_or_else(|| relation.to_string(), |through| format!("{relation} from {through}"))
}

fn type_exists<'a>(drafts: &'a Drafts, kind: &TypeName) -> Result<&'a Draft, String> {
    drafts.types.get(kind).ok_or_else(|| format!("there is no type `{kind}`: define it with `type {kind}`"))
}

fn relation_exists(drafts: &Drafts, kind: &TypeName, relation: &RelationName) -> Result<(), String> {
    if type_exists(drafts, kind)?.relations.contains_key(relation) {
        return Ok(());
    }
    Err(format!("type `{kind}` has no relation `{relation}`: define it with `define {relation}: ...`"))
}
