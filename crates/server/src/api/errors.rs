//! The API's errors: problem+json (RFC 9457) with a stable `code`.

use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::model::Orphans;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::edge::{EdgeError, Problem};
use crate::face::CallError;

/// An error as the API says it.
pub struct Error {
    error: CallError,
    /// How far a long call came.
    progress: Option<Value>,
    /// Says it better than the error does.
    detail: Option<&'static str>,
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self { error, progress: None, detail: None }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        CallError::from(refusal).into()
    }
}

impl From<EdgeError> for Error {
    fn from(error: EdgeError) -> Self {
        CallError::from(error).into()
    }
}

impl Error {
    /// Says how far the call came before it failed.
    pub(super) fn after(self, progress: impl Serialize) -> Self {
        Self { progress: serde_json::to_value(progress).ok(), ..self }
    }

    /// Says it in other words.
    pub(super) fn saying(self, detail: &'static str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The code and the sentence, for an error that is one of many.
    pub(super) fn told(&self) -> (String, String) {
        let body = self.problem().to_json();
        let text = |name| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("code"), text("detail"))
    }

    fn problem(&self) -> Problem {
        let problem = self.plain_problem();
        let problem = match self.detail {
            Some(detail) => problem.detail(detail),
            None => problem,
        };
        match &self.progress {
            Some(progress) => problem.with("progress", progress.clone()),
            None => problem,
        }
    }

    fn plain_problem(&self) -> Problem {
        let problem = |status, code| Problem::new(status, code).detail(self.error.to_string());
        match &self.error {
            CallError::Unauthorized(_) => problem(StatusCode::UNAUTHORIZED, "unauthorized"),
            CallError::Forgery => problem(StatusCode::FORBIDDEN, "forgery"),
            CallError::UnknownRealm => problem(StatusCode::NOT_FOUND, "unknown_realm"),
            CallError::BadConsistency(_) => problem(StatusCode::BAD_REQUEST, "invalid_revision"),
            CallError::OtherLedger => problem(StatusCode::CONFLICT, "other_ledger"),
            CallError::NotYet => problem(StatusCode::SERVICE_UNAVAILABLE, "not_yet"),
            CallError::Refused(refusal) => refused(refusal),
            CallError::Submit(submit) => submitted(submit),
            CallError::Edge(edge) => edge.as_problem(None),
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let status = match refusal {
        Refusal::NotAllowed(_)
        | Refusal::NotHeld(_)
        | Refusal::OperationDenied { .. }
        | Refusal::OwnRequest
        | Refusal::ReservedRole { .. }
        | Refusal::Consent(_)
        | Refusal::ManagedIdentity(_) => StatusCode::FORBIDDEN,
        Refusal::NotFound { .. } | Refusal::NoRealm => StatusCode::NOT_FOUND,
        Refusal::Exists { .. }
        | Refusal::ManagedRelation { .. }
        | Refusal::Precondition { .. }
        | Refusal::SuperUsersFixed
        | Refusal::LastSuperUser { .. }
        | Refusal::RequestSettled { .. }
        | Refusal::Orphans(_)
        | Refusal::Taken
        | Refusal::IdempotencyKeyReused => StatusCode::CONFLICT,
        Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Invalid { .. } | Refusal::Grant(_) => StatusCode::BAD_REQUEST,
    };
    let problem = Problem::new(status, refusal.code()).detail(refusal.to_string());
    match refusal {
        Refusal::Invalid { field, .. } => problem.with("field", *field),
        Refusal::ManagedRelation { instead, .. } => problem.with("instead", *instead),
        Refusal::Orphans(Orphans { count, first }) => {
            problem.with("orphan_count", *count).with("orphans", first.clone())
        }
        _ => problem,
    }
}

fn submitted(error: &SubmitError) -> Problem {
    let code = match error {
        SubmitError::Refused(refusal) => return refused(refusal),
        SubmitError::OutcomeUnknown => "outcome_unknown",
        SubmitError::Overloaded => "overloaded",
        SubmitError::Stopping => "stopping",
        SubmitError::Unavailable => "store_unavailable",
        SubmitError::Contradicted => "contradiction",
        SubmitError::Broken(_) => {
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "realm_broken")
                .detail("the realm cannot be served; the log says why");
        }
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code).detail(error.to_string())
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.problem().into_response();
        if let CallError::Edge(edge) = &self.error {
            edge.complete(&mut response);
        }
        let headers = response.headers_mut();
        match &self.error {
            CallError::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"grantd\""));
            }
            CallError::Submit(_) | CallError::NotYet => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// 400 for one field.
pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Error {
    CallError::Refused(Refusal::invalid(field, problem)).into()
}
