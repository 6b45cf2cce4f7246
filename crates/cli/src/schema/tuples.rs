//! From the texts of a store file to relationships. Ids stand as they are: only the first `:` and the last `#` mean
//! something.

use anyhow::Context as _;
use grantd_engine::{Condition, Graph, Key, Object, RelationName, Relationship, Schema, Subject};

use super::store::Tuple;

pub(super) fn object(schema: &Schema, text: &str) -> anyhow::Result<Object> {
    let (kind, id) = text.split_once(':').with_context(|| format!("`{text}` is not `type:id`"))?;
    Ok(schema.object(kind, id)?)
}

pub(super) fn subject(schema: &Schema, text: &str) -> anyhow::Result<Subject> {
    if let Some((named, relation)) = text.rsplit_once('#') {
        return Ok(Subject::Userset(object(schema, named)?, RelationName::try_new(relation)?));
    }
    if let Some(kind) = text.strip_suffix(":*") {
        return Ok(Subject::Wildcard(kind.parse()?));
    }
    Ok(Subject::Object(object(schema, text)?))
}

/// As a store file writes it.
pub(super) fn shown(subject: &Subject) -> String {
    match subject {
        Subject::Object(object) => format!("{}:{}", object.kind(), object.id()),
        Subject::Userset(object, relation) => format!("{}:{}#{relation}", object.kind(), object.id()),
        Subject::Wildcard(kind) => format!("{kind}:*"),
    }
}

/// Writes relationships, which the schema must admit.
pub(super) fn write(graph: &mut Graph, tuples: &[Tuple]) -> anyhow::Result<()> {
    let schema = graph.schema().clone();
    for Tuple { user, relation, object: named, condition } in tuples {
        let about = || format!("the tuple `{named}#{relation}@{user}`");
        let key = Key {
            resource: object(&schema, named).with_context(about)?,
            relation: RelationName::try_new(relation).with_context(about)?,
            subject: subject(&schema, user).with_context(about)?,
        };
        let condition = condition.as_ref().map(|condition| Condition {
            name: condition.name.clone(),
            parameters: condition.context.clone().into(),
        });
        schema.admits(&key, condition.as_ref()).with_context(about)?;
        graph.write(Relationship { key, until: None, condition });
    }
    Ok(())
}
