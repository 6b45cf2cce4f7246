//! From the JSON form to definitions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SchemaError;
use super::ast::{DirectType, Expression, SubjectForm};
use super::draft::{Drafts, Place};
use super::parse::MAX_TEXT;
use super::parse_relation::{MAX_NESTING, MAX_PARTS};
use crate::condition::{ConditionDefinition, ParameterType};
use crate::name::{NameError, RelationName, TypeName};

type Object = Map<String, Value>;

/// How deep lists and maps may stand in each other in a parameter's type.
const MAX_GENERIC: usize = 8;

pub(super) fn drafts(name: &str, text: &str, mut drafts: Drafts) -> Result<Drafts, SchemaError> {
    let mut place = Place { file: name, line: 0, kind: None, relation: None };
    if text.len() > MAX_TEXT {
        return Err(place.error(format!("the schema has more than {MAX_TEXT} bytes")));
    }
    let model: Object =
        serde_json::from_str(text).map_err(|error| place.error(format!("not a JSON object: {error}")))?;
    match model.get("schema_version").and_then(Value::as_str) {
        Some("1.1") => {}
        _ => return Err(place.error("`schema_version` must be `1.1`")),
    }
    let types = model.get("type_definitions").and_then(Value::as_array);
    let types = types.ok_or_else(|| place.error("`type_definitions` must be a list"))?;
    for definition in types {
        type_definition(definition, &mut place, &mut drafts)?;
        place.kind = None;
        place.relation = None;
    }
    for (name, definition) in objects(model.get("conditions"), "conditions", &place)? {
        let definition = condition(&name, definition, &place)?;
        drafts.condition(&place, definition)?;
    }
    Ok(drafts)
}

fn type_definition(
    definition: &Value,
    place: &mut Place<'_>,
    drafts: &mut Drafts,
) -> Result<(), SchemaError> {
    let kind: TypeName = named(definition.get("type"), "type", place)?;
    // Two definitions of one type are told apart by nothing here: lines are what tells them apart in a text.
    if drafts.types.get(&kind).is_some_and(|draft| !draft.closed) {
        return Err(place.error(format!("type `{kind}` is defined twice: keep one of the two")));
    }
    let is_path = definition.get("path_type").and_then(Value::as_bool).unwrap_or(false);
    drafts.begin_type(&kind, place, is_path)?;
    place.kind = Some(kind);
    let metadata = definition.get("metadata").and_then(|metadata| metadata.get("relations"));
    for (name, rewrite) in objects(definition.get("relations"), "relations", place)? {
        place.relation = None;
        let relation: RelationName =
            name.parse().map_err(|error: NameError| place.error(error.to_string()))?;
        place.relation = Some(relation.clone());
        let types = metadata
            .and_then(|metadata| metadata.get(&name))
            .and_then(|one| one.get("directly_related_user_types"));
        let types = direct_types(types, place)?;
        let mut reader = Rewrites { place, types: &types, parts: 0, took_types: false };
        let expression = reader.read(rewrite, 0)?;
        if !types.is_empty() && !reader.took_types {
            let message = "it has direct types in its metadata, but no `this` in its definition";
            return Err(place.error(message));
        }
        drafts.define(relation, place, expression)?;
    }
    Ok(())
}

/// The entries of an object; none if it is left out.
fn objects<'a>(
    value: Option<&'a Value>,
    name: &str,
    place: &Place<'_>,
) -> Result<Vec<(String, &'a Value)>, SchemaError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(entries)) => {
            Ok(entries.iter().map(|(name, value)| (name.clone(), value)).collect())
        }
        Some(_) => Err(place.error(format!("`{name}` must be an object"))),
    }
}

fn named<N: std::str::FromStr<Err = NameError>>(
    value: Option<&Value>,
    field: &str,
    place: &Place<'_>,
) -> Result<N, SchemaError> {
    let text =
        value.and_then(Value::as_str).ok_or_else(|| place.error(format!("`{field}` must be a name")))?;
    text.parse().map_err(|error: NameError| place.error(error.to_string()))
}

fn direct_types(value: Option<&Value>, place: &Place<'_>) -> Result<Vec<DirectType>, SchemaError> {
    let listed = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(listed)) if listed.len() <= MAX_PARTS => listed,
        Some(_) => return Err(place.error("`directly_related_user_types` must be a list of at most 1000")),
    };
    let direct = |one: &Value| {
        let kind: TypeName = named(one.get("type"), "type", place)?;
        let given = |field: &str| one.get(field).filter(|value| !value.is_null() && *value != "");
        let form = match (given("relation"), given("wildcard")) {
            (Some(_), Some(_)) => {
                return Err(place.error("a direct type has `relation` or `wildcard`, not both"));
            }
            (Some(relation), None) => SubjectForm::Userset(kind, named(Some(relation), "relation", place)?),
            (None, Some(_)) => SubjectForm::Wildcard(kind),
            (None, None) => SubjectForm::Object(kind),
        };
        let condition = given("condition").map(|name| name.as_str().unwrap_or_default().to_owned());
        Ok(DirectType { form, condition })
    };
    listed.iter().map(direct).collect()
}

/// Reads userset rewrites.
struct Rewrites<'a> {
    place: &'a Place<'a>,
    types: &'a [DirectType],
    parts: usize,
    took_types: bool,
}

impl Rewrites<'_> {
    fn read(&mut self, value: &Value, nesting: usize) -> Result<Expression, SchemaError> {
        self.parts += 1;
        if nesting > MAX_NESTING || self.parts > MAX_PARTS {
            let message =
                "more than 32 operators in each other or more than 1000 operands: define a relation for some";
            return Err(self.place.error(message));
        }
        let field = |names: [&str; 2]| names.into_iter().find_map(|name| value.get(name));
        if value.get("this").is_some() {
            self.took_types = true;
            if self.types.is_empty() {
                return Err(self.place.error("`this` needs `directly_related_user_types` in the metadata"));
            }
            return Ok(Expression::Direct(self.types.to_vec()));
        }
        if let Some(computed) = field(["computedUserset", "computed_userset"]) {
            return named(computed.get("relation"), "relation", self.place).map(Expression::Computed);
        }
        if let Some(from) = field(["tupleToUserset", "tuple_to_userset"]) {
            let through = from.get("tupleset").and_then(|one| one.get("relation"));
            let computed = from.get("computedUserset").or_else(|| from.get("computed_userset"));
            return Ok(Expression::From {
                relation: named(computed.and_then(|one| one.get("relation")), "relation", self.place)?,
                through: named(through, "relation", self.place)?,
            });
        }
        if let Some(union) = value.get("union") {
            return self.children(union, nesting, Expression::Union);
        }
        if let Some(intersection) = value.get("intersection") {
            return self.children(intersection, nesting, Expression::Intersection);
        }
        if let Some(difference) = value.get("difference") {
            let (base, taken) = (difference.get("base"), difference.get("subtract"));
            let (Some(base), Some(taken)) = (base, taken) else {
                return Err(self.place.error("`difference` needs `base` and `subtract`"));
            };
            let base = self.read(base, nesting + 1)?;
            return Ok(Expression::Exclusion(base.into(), self.read(taken, nesting + 1)?.into()));
        }
        Err(self.place.error(
            "expected one of `this`, `computedUserset`, `tupleToUserset`, `union`, `intersection` and `difference`",
        ))
    }

    fn children(
        &mut self,
        value: &Value,
        nesting: usize,
        make: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, SchemaError> {
        let children = value.get("child").and_then(Value::as_array).filter(|children| !children.is_empty());
        let children =
            children.ok_or_else(|| self.place.error("`child` must be a list that is not empty"))?;
        let mut parts =
            children.iter().map(|child| self.read(child, nesting + 1)).collect::<Result<Vec<_>, _>>()?;
        match parts.pop() {
            Some(only) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                Ok(make(parts))
            }
        }
    }
}

fn condition(name: &str, definition: &Value, place: &Place<'_>) -> Result<ConditionDefinition, SchemaError> {
    let about = |message: String| place.error(format!("condition `{name}`: {message}"));
    if definition.get("name").is_some_and(|named| named != name) {
        return Err(about("its `name` is another one".to_owned()));
    }
    let expression = definition.get("expression").and_then(Value::as_str);
    let expression = expression.ok_or_else(|| about("`expression` must be a text".to_owned()))?.trim();
    // A text that would end its braces early could not be written in the language.
    if super::body::body_end(&format!("{expression}\n}}")) != Some(expression.len() + 1) {
        return Err(about("the braces of its `expression` do not match".to_owned()));
    }
    let mut parameters = BTreeMap::new();
    for (parameter, kind) in objects(definition.get("parameters"), "parameters", place)? {
        let kind = parameter_type(kind, 0)
            .ok_or_else(|| about(format!("parameter `{parameter}` has no type that is known")))?;
        parameters.insert(parameter, kind);
    }
    ConditionDefinition::new(name, parameters, expression).map_err(|problem| about(problem.message))
}

fn parameter_type(value: &Value, nesting: usize) -> Option<ParameterType> {
    let name = value.get("type_name")?.as_str()?.strip_prefix("TYPE_NAME_")?.to_ascii_lowercase();
    if let Some(simple) = ParameterType::simple(&name) {
        return Some(simple);
    }
    let make = match name.as_str() {
        "list" => ParameterType::List,
        "map" => ParameterType::Map,
        _ => return None,
    };
    let inner = value.get("generic_types")?.as_array()?.first()?;
    (nesting < MAX_GENERIC).then(|| parameter_type(inner, nesting + 1).map(|inner| make(inner.into())))?
}
