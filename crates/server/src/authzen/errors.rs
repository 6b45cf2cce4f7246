//! The face's errors: a status, and a body that is a JSON string with the message.

use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::engine::CheckError;
use http::{HeaderValue, StatusCode, header};

use super::answer::json;
use crate::edge::{EdgeError, RequestId};
use crate::face::CallError;

/// An error as the standard says it.
pub struct Error(CallError);

impl Error {
    /// 400 for one member of the body.
    pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self(CallError::Refused(Refusal::invalid(field, problem)))
    }

    /// 400 for a member that is not there.
    pub(super) fn missing(field: &'static str) -> Self {
        Self::invalid(field, "a value is required")
    }

    /// The status.
    pub(super) fn status(&self) -> StatusCode {
        match &self.0 {
            CallError::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            CallError::UnknownRealm => StatusCode::NOT_FOUND,
            CallError::OtherLedger => StatusCode::CONFLICT,
            CallError::Forgery | CallError::Refused(Refusal::NotAllowed(_) | Refusal::NotHeld(_)) => {
                StatusCode::FORBIDDEN
            }
            CallError::BadConsistency(_) | CallError::Refused(_) => StatusCode::BAD_REQUEST,
            CallError::Submit(SubmitError::Broken(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            CallError::NotYet | CallError::Submit(_) => StatusCode::SERVICE_UNAVAILABLE,
            // The standard knows no 415.
            CallError::Edge(EdgeError::UnsupportedMediaType) => StatusCode::BAD_REQUEST,
            CallError::Edge(edge) => edge.status(),
        }
    }

    /// The message.
    pub(super) fn message(&self) -> String {
        self.0.to_string()
    }
}

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

impl From<CheckError> for Error {
    fn from(error: CheckError) -> Self {
        EdgeError::BadRequest(error.to_string()).into()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = json(&self.message());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match &self.0 {
            CallError::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"grantd\""));
            }
            CallError::Submit(_) | CallError::NotYet => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            CallError::Edge(edge) => edge.complete(&mut response),
            _ => {}
        }
        response
    }
}

/// How the edge's errors are said here.
pub fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}
