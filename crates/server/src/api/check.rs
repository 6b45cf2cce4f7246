//! POST `/api/v1/check`: may this subject do this to that resource?

use axum::Json;
use grantd_node::realm::engine::{Decision, Question};
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::names::{Action, Named};
use super::{Call, read};

/// A question.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct CheckRequest {
    /// Who: `user:alice`, or `{"type": "user", "id": "alice"}`.
    #[schema(value_type = String, example = "user:alice")]
    subject: Named,
    /// What: the name of a relation of the resource's type, or `{"name": ...}`.
    #[schema(value_type = String, example = "read")]
    action: Action,
    /// To what.
    #[schema(value_type = String, example = "fs_repo:6f1c2f0e-0d4b-4f0f-9a55-0c5b4a5b7b0e")]
    resource: Named,
}

/// Its answer.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CheckAnswer {
    /// Whether it is allowed.
    allowed: bool,
    /// The revision at which this holds.
    revision: u64,
    /// What a condition would have to know; then `allowed` is false.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

/// Asks one question.
#[utoipa::path(
    post, path = "/api/v1/check", tag = "decisions", request_body = CheckRequest,
    responses((status = 200, body = CheckAnswer), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn check(call: Call) -> Result<Json<CheckAnswer>, Error> {
    let request: CheckRequest = read(&call)?;
    let published = call.published();
    let schema = published.state.graph().schema();
    let subject = request.subject.subject("subject", schema)?;
    let resource = request.resource.object("resource", schema)?;
    let question =
        Question { subject: subject.as_ref(), action: &request.action.0, resource: resource.as_ref() };
    let answer = call.app.node.ask(&published, &call.caller, &question)?;
    let allowed = answer.decision.is_allowed();
    let missing = match answer.decision {
        Decision::Conditional { missing, .. } => missing,
        Decision::Allowed | Decision::Denied => Vec::new(),
    };
    Ok(Json(CheckAnswer { allowed, revision: answer.revision, missing }))
}
