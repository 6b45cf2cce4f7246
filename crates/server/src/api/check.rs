//! POST `/api/v1/check`: may this subject do this to that resource?

use axum::Json;
use grantd_node::question::{Answer, Asking, Denial, Said};
use grantd_node::realm::engine::{Decision, Explanation, Question, Schema};
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::names::{Action, Named};
use super::relationships::RelationshipInput;
use super::{Call, read};
use crate::explanation::{Because, NearMiss, view};
use crate::properties::JsonProperties;

/// A question.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct CheckRequest {
    /// Who: `user:alice`, or `{"type": "user", "id": "alice", "properties": {...}}`.
    #[schema(value_type = String, example = "user:alice")]
    subject: Named,
    /// What: the name of a relation of the resource's type, or `{"name": ..., "properties": {...}}`.
    #[schema(value_type = String, example = "read")]
    action: Action,
    /// To what, written as the subject is.
    #[schema(value_type = String, example = "fs_repo:6f1c2f0e-0d4b-4f0f-9a55-0c5b4a5b7b0e")]
    resource: Named,
    /// What conditions may want to know besides.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonProperties,
    /// Relationships to suppose for this question, besides those that are stored; at most 100.
    #[serde(default)]
    contextual: Vec<RelationshipInput>,
    /// Whether to say why.
    #[serde(default)]
    explain: bool,
}

/// A question of a batch.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Asked {
    /// Who: `user:alice`, or `{"type": "user", "id": "alice", "properties": {...}}`.
    #[schema(value_type = String, example = "user:alice")]
    subject: Named,
    /// What: the name of a relation of the resource's type, or `{"name": ..., "properties": {...}}`.
    #[schema(value_type = String, example = "read")]
    action: Action,
    /// To what, written as the subject is.
    #[schema(value_type = String, example = "fs_repo:6f1c2f0e-0d4b-4f0f-9a55-0c5b4a5b7b0e")]
    resource: Named,
    /// What conditions may want to know besides.
    #[serde(default)]
    #[schema(value_type = Object)]
    context: JsonProperties,
}

/// Its answer.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CheckAnswer {
    #[serde(flatten)]
    verdict: Verdict,
    /// The revision at which this holds.
    revision: u64,
}

/// Yes or no, and why.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Verdict {
    /// Whether it is allowed.
    allowed: bool,
    /// Why not: `not_granted`, `unknown_type`, `unknown_action`, `invalid_entity`, `conditional`, `condition_error` or
    /// `limit_exceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What a condition would have to know; then `allowed` is false.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// What the yes rests on, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Because>,
    /// What was tried and did not lead to a yes, if asked for; the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    misses: Vec<NearMiss>,
}

/// Asks one question.
#[utoipa::path(
    post, path = "/api/v1/check", tag = "decisions", request_body = CheckRequest,
    responses((status = 200, body = CheckAnswer), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn check(call: Call) -> Result<Json<CheckAnswer>, Error> {
    let CheckRequest { subject, action, resource, context, contextual, explain } = read(&call)?;
    let asking = asking(&call, &contextual)?;
    let verdict = Asked { subject, action, resource, context }.decide(&asking, explain)?;
    Ok(Json(CheckAnswer { verdict, revision: asking.revision() }))
}

/// The newest state, with what the call supposes.
pub(super) fn asking<'c>(call: &'c Call, contextual: &[RelationshipInput]) -> Result<Asking<'c>, Error> {
    let asking = call.app.node.asking(call.published(), &call.caller)?;
    supposing(asking, contextual)
}

/// A state with what the call supposes.
pub(super) fn supposing<'c>(
    asking: Asking<'c>,
    contextual: &[RelationshipInput],
) -> Result<Asking<'c>, Error> {
    let relationship = |input: &RelationshipInput| input.relationship(asking.schema());
    let contextual = contextual.iter().map(relationship).collect::<Result<_, _>>()?;
    Ok(asking.supposing(contextual)?)
}

impl Asked {
    /// The answer, with its reasons if asked for.
    pub(super) fn decide(&self, asking: &Asking<'_>, explain: bool) -> Result<Verdict, Error> {
        let schema: &Schema = asking.schema();
        let subject = self.subject.subject("subject", schema)?;
        let resource = self.resource.object("resource", schema)?;
        let question =
            Question { subject: subject.as_ref(), action: &self.action.name, resource: resource.as_ref() };
        let said = Said {
            subject: self.subject.properties(),
            action: &self.action.properties,
            resource: self.resource.properties(),
            context: &self.context.0,
        };
        let (answer, explanation) =
            if explain { asking.explain(&question, said) } else { (asking.check(&question, said), None) };
        Ok(Verdict::new(answer, explanation))
    }
}

impl Verdict {
    fn new(answer: Answer, explanation: Option<Explanation>) -> Self {
        let (because, misses) = explanation.map(view).unwrap_or_default();
        let (allowed, reason) = (answer.is_allowed(), answer.denial.map(Denial::code));
        let missing = match answer.decision {
            Decision::Conditional { missing, .. } => missing,
            Decision::Allowed | Decision::Denied => Vec::new(),
        };
        Self { allowed, reason, missing, because, misses }
    }
}
