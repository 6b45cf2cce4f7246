//! The dialect's error bodies: `{"error": {"code", "message", "type"}, "message"}`, one map from what went wrong.
//!
//! The published type is a closed set of five words. The oldest clients print the message beside `error`, the newer ones the
//! one inside it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::refusal::Noun;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::edge::{EdgeError, InvalidBody, RequestId};
use crate::face::CallError;

/// What clients tell errors apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    BadRequest,
    NotFound,
    InternalError,
    Unauthorized,
    ValidationError,
}

/// An error in the dialect's words.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    kind: Kind,
    message: String,
    edge: Option<EdgeError>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u16,
    message: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
}

impl Error {
    fn new(status: StatusCode, kind: Kind, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), edge: None }
    }

    /// 400: a value does not fit.
    pub(super) fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        let message = format!("Validation error for field '{field}': {problem}");
        Self::new(StatusCode::BAD_REQUEST, Kind::ValidationError, message)
    }

    /// 404: there is none, or none that the caller may see.
    pub(super) fn not_found(what: &str, id: &str) -> Self {
        Self::gone(format!("{what} with ID '{id}' not found"))
    }

    /// 404: it is no longer what the call needs. The dialect has no 409.
    pub(super) fn gone(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Kind::NotFound, message)
    }

    fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Kind::Unauthorized, message)
    }

    /// The same error; its headers are those of the edge's.
    fn at_edge(self, edge: EdgeError) -> Self {
        Self { edge: Some(edge), ..self }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Unauthorized(_) => Self::new(StatusCode::UNAUTHORIZED, Kind::Unauthorized, message),
            CallError::Forgery => Self::forbidden(message),
            CallError::UnknownRealm => Self::gone(message),
            CallError::BadConsistency(_) => Self::new(StatusCode::BAD_REQUEST, Kind::BadRequest, message),
            CallError::OtherLedger => Self::new(StatusCode::CONFLICT, Kind::BadRequest, message),
            CallError::NotYet => EdgeError::Unavailable { retry_after_secs: 1 }.into(),
            CallError::Refused(refusal) => refusal.into(),
            CallError::Submit(submit) => submit.into(),
            CallError::Edge(edge) => edge.into(),
        }
    }
}

impl From<EdgeError> for Error {
    fn from(edge: EdgeError) -> Self {
        let status = edge.status();
        let error = match &edge {
            EdgeError::InvalidBody(InvalidBody { field: Some(field), message, .. }) => {
                Self::invalid(field, message)
            }
            EdgeError::NotFound => Self::gone(edge.to_string()),
            _ if status.is_server_error() => Self::new(status, Kind::InternalError, edge.to_string()),
            _ => Self::new(status, Kind::BadRequest, edge.to_string()),
        };
        error.at_edge(edge)
    }
}

impl From<SubmitError> for Error {
    /// 500 is the only failure that clients have a type for; they try again by themselves, which is safe: the same decision twice
    /// is one.
    fn from(error: SubmitError) -> Self {
        let failed =
            |message: String| Self::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::InternalError, message);
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Broken(_) => failed("the realm cannot be served".into()),
            other => failed(other.to_string()).at_edge(EdgeError::Unavailable { retry_after_secs: 1 }),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match &refusal {
            Refusal::NotAllowed(_)
            | Refusal::NotHeld(_)
            | Refusal::OwnRequest
            | Refusal::ReservedRole { .. } => Self::forbidden(message),
            Refusal::NotFound { noun: Noun::Request, id } => Self::not_found("Permission", id),
            Refusal::NotFound { noun: Noun::ApprovalSession, id } => Self::not_found("Session", id),
            Refusal::NotFound { .. } | Refusal::NoRealm => Self::gone(message),
            Refusal::RequestSettled { id, status } => {
                Self::gone(format!("Permission with ID '{id}' is {} already", status.name()))
            }
            Refusal::TooMany { .. } => Self::new(StatusCode::TOO_MANY_REQUESTS, Kind::BadRequest, message),
            Refusal::Invalid { field, problem } => Self::invalid(wire_name(field), problem),
            Refusal::IdempotencyKeyReused => Self::new(StatusCode::CONFLICT, Kind::BadRequest, message),
            _ => Self::new(StatusCode::BAD_REQUEST, Kind::BadRequest, message),
        }
    }
}

/// What the dialect calls a field of a command.
fn wire_name(field: &'static str) -> &'static str {
    match field {
        "session" => "sessionId",
        "parent" => "parentSessionId",
        "tool" => "toolName",
        "timeout" => "timeoutSeconds",
        "parent_tool_call" => "parentToolCallId",
        "edited_params" => "params",
        other => other,
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let message = &*self.message;
        let error = Inner { code: self.status.as_u16(), message, kind: self.kind };
        let mut response = (self.status, Json(Body { error, message })).into_response();
        if let Some(edge) = &self.edge {
            edge.complete(&mut response);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"grantd\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// How the edge's errors are said here.
pub(super) fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}
