//! The API's errors: problem+json (RFC 9457) with a stable `code`.

use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::model::Orphans;
use http::{HeaderValue, StatusCode, header};

use crate::edge::{EdgeError, Problem};
use crate::face::CallError;

/// An error as the API says it.
pub struct Error(CallError);

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}

impl From<EdgeError> for Error {
    fn from(error: EdgeError) -> Self {
        Self(error.into())
    }
}

impl Error {
    fn problem(&self) -> Problem {
        let problem = |status, code| Problem::new(status, code).detail(self.0.to_string());
        match &self.0 {
            CallError::Unauthorized(_) => problem(StatusCode::UNAUTHORIZED, "unauthorized"),
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
        Refusal::NotAllowed(_) | Refusal::NotHeld(_) | Refusal::ManagedIdentity(_) => StatusCode::FORBIDDEN,
        Refusal::NotFound { .. } => StatusCode::NOT_FOUND,
        Refusal::Exists { .. }
        | Refusal::ManagedRelation { .. }
        | Refusal::Precondition { .. }
        | Refusal::Orphans(_)
        | Refusal::IdempotencyKeyReused => StatusCode::CONFLICT,
        Refusal::Invalid { .. } => StatusCode::BAD_REQUEST,
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
        if let CallError::Edge(edge) = &self.0 {
            edge.complete(&mut response);
        }
        let headers = response.headers_mut();
        match &self.0 {
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
