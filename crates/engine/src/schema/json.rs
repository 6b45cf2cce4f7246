//! The JSON form of a schema: an OpenFGA authorization model.
//!
//! `schema_version`, `type_definitions` (relations as userset rewrites, direct types in the metadata) and `conditions`. A
//! path type has one field that OpenFGA does not know: `"path_type": true` beside `"type"`.

use serde_json::{Map, Value, json};

use super::ast::{DirectType, Expression, SubjectForm, TypeDefinition};
use super::draft::Drafts;
use super::json_read;
use super::{Schema, SchemaError, resolve};
use crate::condition::{ConditionDefinition, ParameterType};

impl Schema {
    /// Reads the JSON form. Errors name `name`, type and relation; there are no lines.
    pub fn from_json(name: &str, text: &str) -> Result<Self, SchemaError> {
        resolve::resolve(json_read::drafts(name, text, Drafts::default())?)
    }

    /// This schema and what the JSON form of another adds, as [`Schema::extend`] does with texts.
    pub fn extend_json(&self, name: &str, text: &str) -> Result<Self, SchemaError> {
        resolve::resolve(json_read::drafts(name, text, Drafts::closed(self))?)
    }

    /// The JSON form. [`Schema::from_json`] reads the same schema from it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let types: Vec<_> =
            self.types.iter().map(|(kind, definition)| type_definition(kind.as_str(), definition)).collect();
        let mut model = json!({"schema_version": "1.1", "type_definitions": types});
        if !self.conditions.is_empty()
            && let Some(model) = model.as_object_mut()
        {
            let conditions = self.conditions.iter().map(|(name, one)| (name.clone(), condition(one)));
            model.insert("conditions".to_owned(), Value::Object(conditions.collect()));
        }
        model
    }
}

fn type_definition(kind: &str, definition: &TypeDefinition) -> Value {
    let mut written = Map::new();
    written.insert("type".to_owned(), kind.into());
    if definition.is_path {
        written.insert("path_type".to_owned(), true.into());
    }
    if definition.relations.is_empty() {
        return Value::Object(written);
    }
    let (mut relations, mut metadata) = (Map::new(), Map::new());
    for (relation, expression) in &definition.relations {
        let types: Vec<_> = expression.direct_types().into_iter().map(direct).collect();
        relations.insert(relation.to_string(), rewrite(expression));
        metadata.insert(relation.to_string(), json!({"directly_related_user_types": types}));
    }
    written.insert("relations".to_owned(), Value::Object(relations));
    written.insert("metadata".to_owned(), json!({"relations": metadata}));
    Value::Object(written)
}

fn direct(direct: &DirectType) -> Value {
    let mut written = json!({"type": direct.form.kind().as_str()});
    if let Some(fields) = written.as_object_mut() {
        match &direct.form {
            SubjectForm::Object(_) => {}
            SubjectForm::Userset(_, relation) => {
                fields.insert("relation".to_owned(), relation.as_str().into());
            }
            SubjectForm::Wildcard(_) => {
                fields.insert("wildcard".to_owned(), json!({}));
            }
        }
        if let Some(condition) = &direct.condition {
            fields.insert("condition".to_owned(), condition.as_str().into());
        }
    }
    written
}

fn rewrite(expression: &Expression) -> Value {
    let children = |parts: &[Expression]| json!({"child": parts.iter().map(rewrite).collect::<Vec<_>>()});
    match expression {
        Expression::Direct(_) => json!({"this": {}}),
        Expression::Computed(relation) => json!({"computedUserset": {"relation": relation.as_str()}}),
        Expression::From { relation, through } => json!({"tupleToUserset": {
            "tupleset": {"relation": through.as_str()},
            "computedUserset": {"relation": relation.as_str()},
        }}),
        Expression::Union(parts) => json!({"union": children(parts)}),
        Expression::Intersection(parts) => json!({"intersection": children(parts)}),
        Expression::Exclusion(base, taken) => {
            json!({"difference": {"base": rewrite(base), "subtract": rewrite(taken)}})
        }
    }
}

fn condition(condition: &ConditionDefinition) -> Value {
    let parameters: Map<_, _> =
        condition.parameters().map(|(name, kind)| (name.to_owned(), parameter(kind))).collect();
    json!({"name": condition.name(), "expression": condition.expression(), "parameters": parameters})
}

fn parameter(kind: &ParameterType) -> Value {
    let name = format!("TYPE_NAME_{}", kind.base().to_uppercase());
    kind.inner().map_or_else(
        || json!({"type_name": name}),
        |inner| json!({"type_name": name, "generic_types": [parameter(inner)]}),
    )
}
