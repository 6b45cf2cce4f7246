//! What goes wrong before the protocol begins: problem+json, as in grantd's own API.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::edge::Problem;
use crate::face::CallError;

/// Why there is no conversation.
pub(crate) struct Error(CallError);

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = match &self.0 {
            CallError::Edge(edge) => return edge.clone().into_response(),
            CallError::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            CallError::UnknownRealm => (StatusCode::NOT_FOUND, "unknown_realm"),
            CallError::Forgery | CallError::Refused(_) => (StatusCode::FORBIDDEN, "forbidden"),
            CallError::BadConsistency(_) => (StatusCode::BAD_REQUEST, "invalid_revision"),
            CallError::OtherLedger => (StatusCode::CONFLICT, "other_ledger"),
            CallError::NotYet | CallError::Submit(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        let mut response = Problem::new(status, code).detail(self.0.to_string()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
