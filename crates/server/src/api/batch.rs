//! POST `/api/v1/check/batch`: many questions, answered at one revision and one time.

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::check::{Asked, Verdict, asking};
use super::errors::{Error, invalid};
use super::relationships::RelationshipInput;
use super::{Call, read_with, rules};
use crate::call::{Patience, aside};
use crate::edge::parse_object;

/// The most questions of one call.
const MAX: usize = 10_000;

/// Questions.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct BatchRequest<'b> {
    /// Up to 10,000 questions, each with `subject`, `action`, `resource` and perhaps `context`.
    #[serde(borrow)]
    #[schema(value_type = Vec<Asked>)]
    checks: Vec<&'b RawValue>,
    /// Relationships to suppose for all of them, besides those that are stored; at most 100.
    #[serde(default)]
    contextual: Vec<RelationshipInput>,
    /// Whether to say why.
    #[serde(default)]
    explain: bool,
}

/// Their answers.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BatchAnswer {
    /// The revision at which they hold.
    revision: u64,
    /// One for each question, in the same order.
    results: Vec<BatchResult>,
}

/// The answer to one question, or why it has none.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum BatchResult {
    /// It was asked.
    Answered(Verdict),
    /// It could not be read.
    Broken {
        /// Never.
        allowed: bool,
        /// What is wrong with it.
        error: BrokenCheck,
    },
}

/// What is wrong with one question of a batch.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BrokenCheck {
    /// As the `code` of a problem.
    code: String,
    /// What to do about it.
    detail: String,
}

/// Asks many questions at one revision. One that cannot be read has an `error` at its place.
#[utoipa::path(
    post, path = "/api/v1/check/batch", tag = "decisions", request_body = BatchRequest,
    responses((status = 200, body = BatchAnswer), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn check_batch(call: Call) -> Result<Json<BatchAnswer>, Error> {
    aside(move || answer(&call)).await?.map(Json)
}

fn answer(call: &Call) -> Result<BatchAnswer, Error> {
    let patience = Patience::new();
    let request: BatchRequest<'_> = read_with(call)?;
    if request.checks.len() > MAX {
        return Err(invalid("checks", format!("at most {MAX} in one call")));
    }
    let asking = asking(call, &request.contextual)?;
    let mut results = Vec::with_capacity(request.checks.len());
    for check in &request.checks {
        patience.lasts()?;
        let verdict = parse_object::<Asked>(check.get().as_bytes(), rules())
            .map_err(Error::from)
            .and_then(|asked| asked.decide(&asking, request.explain));
        results.push(match verdict {
            Ok(verdict) => BatchResult::Answered(verdict),
            Err(error) => BatchResult::Broken { allowed: false, error: BrokenCheck::new(&error) },
        });
    }
    Ok(BatchAnswer { revision: asking.revision(), results })
}

impl BrokenCheck {
    fn new(error: &Error) -> Self {
        let (code, detail) = error.told();
        Self { code, detail }
    }
}
