//! `/api/v1/relationships`: write, delete, read.

use axum::Json;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::engine::{Condition, Filter, Key, NameError, Relationship, Schema};
use grantd_node::realm::relationship::{Requirement, WriteRelationships};
use serde::{Deserialize, Serialize};

use super::errors::{Error, invalid};
use super::names::Named;
use super::page::{Page, Paging};
use super::{Call, read};
use crate::edge::EdgeError;
use crate::time::{parse_rfc3339, rfc3339};

/// A relationship, or the key of one.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct RelationshipInput {
    /// `type:id`
    #[schema(value_type = String, example = "role:qa")]
    pub(super) resource: Named,
    /// A relation of the resource's type.
    #[schema(example = "member")]
    pub(super) relation: String,
    /// `type:id`, `type:id#relation` or `type:*`
    #[schema(value_type = String, example = "user:alice")]
    pub(super) subject: Named,
    /// From then on it no longer exists. RFC 3339.
    pub(super) until: Option<String>,
    /// Under which condition of the schema it holds.
    pub(super) condition: Option<ConditionInput>,
}

/// A condition and the parameters that are already known.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub(super) struct ConditionInput {
    /// As the schema names it.
    pub(super) name: String,
    /// By name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(super) parameters: serde_json::Map<String, serde_json::Value>,
}

/// What must hold for the write to happen; exactly one of the two.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct RequirementInput {
    /// Must be there.
    must_exist: Option<RelationshipInput>,
    /// Must not be there.
    must_not_exist: Option<RelationshipInput>,
}

/// Everything in it happens, or nothing.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct WriteRequest {
    /// Made, or replaced if only `until` or the condition differ.
    #[serde(default)]
    write: Vec<RelationshipInput>,
    /// Removed; one that is absent is no error.
    #[serde(default)]
    delete: Vec<RelationshipInput>,
    /// Preconditions.
    #[serde(default)]
    require: Vec<RequirementInput>,
}

/// What the write came to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct WriteAnswer {
    /// The revision at which it holds.
    revision: u64,
    /// How many were made or replaced.
    written: u64,
    /// How many were removed.
    deleted: u64,
}

/// A relationship as it is stored.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RelationshipOutput {
    pub(super) resource: String,
    pub(super) relation: String,
    pub(super) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<ConditionInput>,
    #[serde(skip)]
    key: String,
}

/// Which relationships; all parts that are given must match.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(super) struct ReadQuery {
    /// `type:id`
    resource: Option<String>,
    relation: Option<String>,
    /// `type:id`, `type:id#relation` or `type:*`
    subject: Option<String>,
    resource_type: Option<String>,
    subject_type: Option<String>,
}

/// The most relationships of one call.
const MAX: usize = 10_000;

impl RelationshipInput {
    fn key(&self, schema: &Schema) -> Result<Key, Error> {
        let relation = self.relation.parse().map_err(|e: NameError| invalid("relation", e.to_string()))?;
        let resource = self.resource.object("resource", schema)?;
        Ok(Key { resource, relation, subject: self.subject.subject("subject", schema)? })
    }

    /// The relationship, with its names in their one spelling.
    pub(super) fn relationship(&self, schema: &Schema) -> Result<Relationship, Error> {
        let until = match &self.until {
            None => None,
            Some(text) => {
                Some(parse_rfc3339(text).ok_or_else(|| invalid("until", "must be a time in RFC 3339"))?)
            }
        };
        let condition = self.condition.as_ref().map(|condition| Condition {
            name: condition.name.clone(),
            parameters: condition.parameters.clone().into(),
        });
        Ok(Relationship { key: self.key(schema)?, until, condition })
    }
}

impl ReadQuery {
    /// The filter, with every name in its one spelling.
    pub(super) fn filter(&self, schema: &Schema) -> Result<Filter, Error> {
        let named = |text: &String| Named::Text(text.clone());
        let kind = |text: &Option<String>, field| match text {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|e: NameError| invalid(field, e.to_string())),
        };
        Ok(Filter {
            resource: self.resource.as_ref().map(|r| named(r).object("resource", schema)).transpose()?,
            relation: match &self.relation {
                None => None,
                Some(text) => Some(text.parse().map_err(|e: NameError| invalid("relation", e.to_string()))?),
            },
            subject: self.subject.as_ref().map(|s| named(s).subject("subject", schema)).transpose()?,
            resource_type: kind(&self.resource_type, "resource_type")?,
            subject_type: kind(&self.subject_type, "subject_type")?,
        })
    }
}

impl From<Relationship> for RelationshipOutput {
    fn from(relationship: Relationship) -> Self {
        let key = relationship.key.to_string();
        Self {
            resource: relationship.key.resource.to_string(),
            relation: relationship.key.relation.to_string(),
            subject: relationship.key.subject.to_string(),
            until: relationship.until.map(rfc3339),
            condition: relationship.condition.map(|condition| ConditionInput {
                name: condition.name,
                parameters: (&condition.parameters).into(),
            }),
            key,
        }
    }
}

/// Writes and deletes relationships.
#[utoipa::path(
    post, path = "/api/v1/relationships", tag = "relationships", request_body = WriteRequest,
    responses((status = 200, body = WriteAnswer), (status = 400), (status = 401), (status = 403), (status = 409))
)]
pub(super) async fn write_relationships(call: Call) -> Result<Json<WriteAnswer>, Error> {
    let request: WriteRequest = read(&call)?;
    if request.write.len() + request.delete.len() + request.require.len() > MAX {
        return Err(invalid("write", "at most 10000 relationships in one call"));
    }
    let published = call.published();
    let schema = published.state.graph().schema();
    let requirement = |input: &RequirementInput| match (&input.must_exist, &input.must_not_exist) {
        (Some(there), None) => Ok(Requirement { key: there.key(schema)?, must_exist: true }),
        (None, Some(absent)) => Ok(Requirement { key: absent.key(schema)?, must_exist: false }),
        _ => Err(invalid("require", "each entry has either `must_exist` or `must_not_exist`")),
    };
    let command = WriteRelationships {
        write: request.write.iter().map(|input| input.relationship(schema)).collect::<Result<_, _>>()?,
        delete: request.delete.iter().map(|input| input.key(schema)).collect::<Result<_, _>>()?,
        require: request.require.iter().map(requirement).collect::<Result<_, _>>()?,
    };
    let done = call.submit(command).await?;
    let (written, deleted) = (done.answer.written, done.answer.deleted);
    Ok(Json(WriteAnswer { revision: done.revision, written, deleted }))
}

/// Reads relationships, in key order.
#[utoipa::path(
    get, path = "/api/v1/relationships", tag = "relationships", params(ReadQuery, Paging),
    responses((status = 200, body = Page<RelationshipOutput>), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn read_relationships(call: Call) -> Result<Json<Page<RelationshipOutput>>, Error> {
    let published = call.published_for(&[Authority::Auditor, Authority::Writer])?;
    let query: ReadQuery = call.query()?;
    let paging: Paging = call.query()?;
    let filter = query.filter(published.state.graph().schema())?;
    let bound = format!("relationships {filter:?}");
    let wanted = paging.wanted(&call, published, bound)?;
    let after = match &wanted.after {
        None => None,
        Some(text) => Some(text.parse::<Key>().map_err(|e| invalid("cursor", e.to_string()))?),
    };
    let state = &wanted.published.state;
    let found = state.relationships(&filter, after.as_ref(), wanted.sought(), wanted.time);
    let items = found.into_iter().map(RelationshipOutput::from).collect();
    Ok(Json(wanted.page(&call, items, |item: &RelationshipOutput| item.key.clone())))
}

/// Whether to delete, and how many at most.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct DeleteQuery {
    /// Only counts.
    #[serde(default)]
    dry_run: bool,
    /// At most so many, 1 to 10000; 10000 without it.
    limit: Option<usize>,
}

/// What a deletion by filter came to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct DeleteAnswer {
    /// The revision at which it holds.
    revision: u64,
    /// How many matched.
    matched: u64,
    /// How many were removed, as one entry.
    deleted: u64,
    /// How many that matched are still there: above 0, the same call again removes the next ones.
    remaining: u64,
}

/// Deletes the relationships that match; at least one part of the filter must be given. All that one call deletes goes at
/// once, or nothing does: one managed relationship among them refuses the call.
#[utoipa::path(
    delete, path = "/api/v1/relationships", tag = "relationships", params(ReadQuery, DeleteQuery),
    responses((status = 200, body = DeleteAnswer), (status = 400), (status = 401), (status = 403), (status = 409))
)]
pub(super) async fn delete_relationships(call: Call) -> Result<Json<DeleteAnswer>, Error> {
    let published = call.published_for(&[Authority::Writer])?;
    let filter = call.query::<ReadQuery>()?.filter(published.state.graph().schema())?;
    if filter == Filter::default() {
        return Err(invalid("resource", "at least one part of the filter must be given"));
    }
    let query: DeleteQuery = call.query()?;
    let limit = match query.limit {
        None => MAX,
        Some(limit) if (1..=MAX).contains(&limit) => limit,
        Some(_) => return Err(invalid("limit", "must be 1 to 10000")),
    };
    let (now, revision, dry_run) = (call.now(), published.head.revision, query.dry_run);
    // A filter by type alone looks at everything: that is nothing for a thread that answers others.
    let look = tokio::task::spawn_blocking(move || {
        let found =
            if dry_run { Vec::new() } else { published.state.matching_relationships(&filter, limit, now) };
        let all = !dry_run && found.len() < limit;
        let matched =
            if all { found.len() as u64 } else { published.state.count_relationships(&filter, now) };
        (found, matched)
    });
    let (found, matched) = look.await.map_err(|_| EdgeError::Internal)?;
    let remaining = matched.saturating_sub(found.len() as u64);
    if dry_run {
        return Ok(Json(DeleteAnswer { revision, matched, deleted: 0, remaining }));
    }
    let command = WriteRelationships { write: Vec::new(), delete: found, require: Vec::new() };
    let done = call.submit(command).await?;
    let deleted = done.answer.deleted;
    Ok(Json(DeleteAnswer { revision: done.revision, matched, deleted, remaining }))
}
