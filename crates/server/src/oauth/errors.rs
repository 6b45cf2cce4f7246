//! The error bodies of the authorization server: `{"error", "error_description"}` (RFC 6749 section 5.2), one map from what went
//! wrong. Only "too many" has the form of the dialect that most of its clients speak.

use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::refusal::GrantProblem;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::edge::{EdgeError, RequestId};
use crate::face::{CallError, Unauthorized};

/// An error in the words of the standard.
#[derive(Debug, Clone)]
pub(super) struct Error {
    status: StatusCode,
    error: &'static str,
    description: String,
    edge: Option<EdgeError>,
    challenge: bool,
}

impl Error {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), edge: None, challenge: false }
    }

    fn bad(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// The request itself is wrong.
    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::bad("invalid_request", description)
    }

    /// The code or refresh token gives nothing.
    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::bad("invalid_grant", description)
    }

    /// A kind of grant that is not given here.
    pub(super) fn unsupported_grant_type(asked: &str) -> Self {
        let is_plain =
            asked.len() <= 100 && asked.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
        let description = if is_plain {
            format!("Grant type \"{asked}\" not supported")
        } else {
            "The grant type is not supported".to_owned()
        };
        Self::bad("unsupported_grant_type", description)
    }

    /// No client said who it is.
    pub(super) fn no_client() -> Self {
        Self::bad("invalid_client", "Client credentials were not found in the headers or body")
    }

    /// The client is not who it says, or there is none of that id. Which of them, is not told.
    pub(super) fn wrong_client() -> Self {
        let error =
            Self::new(StatusCode::UNAUTHORIZED, "invalid_client", "The client credentials are invalid");
        Self { challenge: true, ..error }
    }

    /// The same error with 401, where the caller has to show something before anything else.
    pub(super) fn challenged(self) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, challenge: true, ..self }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Unauthorized(Unauthorized::NoCredential) => Self::no_client().challenged(),
            CallError::Unauthorized(_) => Self::wrong_client(),
            CallError::UnknownRealm => Self::new(StatusCode::NOT_FOUND, "invalid_request", message),
            CallError::Forgery => Self::new(StatusCode::FORBIDDEN, "access_denied", message),
            CallError::BadConsistency(_) | CallError::OtherLedger => Self::invalid_request(message),
            CallError::NotYet => EdgeError::Unavailable { retry_after_secs: 1 }.into(),
            CallError::Refused(refusal) => refusal.into(),
            CallError::Submit(submit) => submit.into(),
            CallError::Edge(edge) => edge.into(),
        }
    }
}

impl From<EdgeError> for Error {
    fn from(edge: EdgeError) -> Self {
        let error = match edge.status() {
            StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        Self { edge: Some(edge.clone()), ..Self::new(edge.status(), error, edge.to_string()) }
    }
}

impl From<SubmitError> for Error {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Broken(_) => EdgeError::Internal.into(),
            other => {
                let edge = EdgeError::Unavailable { retry_after_secs: 1 };
                Self { description: other.to_string(), ..edge.into() }
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Grant(problem) => problem.into(),
            Refusal::NoRealm => CallError::UnknownRealm.into(),
            Refusal::NotAllowed(_) => {
                Self::new(StatusCode::FORBIDDEN, "insufficient_scope", refusal.to_string())
            }
            other => Self::invalid_request(other.to_string()),
        }
    }
}

impl From<GrantProblem> for Error {
    fn from(problem: GrantProblem) -> Self {
        match problem {
            GrantProblem::Client => Self::wrong_client(),
            GrantProblem::Code => {
                Self::invalid_grant("Authorization code doesn't exist or is invalid for the client")
            }
            GrantProblem::CodeExpired => Self::invalid_grant("The authorization code has expired"),
            GrantProblem::RedirectUri => {
                Self::invalid_grant("The redirect_uri is not the one of the authorization request")
            }
            GrantProblem::Verifier => Self::invalid_grant(
                "The code_verifier is missing, or does not belong to the code_challenge of the authorization request",
            ),
            GrantProblem::ChallengeMissing => Self::invalid_request(problem.to_string()),
            GrantProblem::OtherClient => {
                Self::bad("unauthorized_client", "The token was issued to another client")
            }
            GrantProblem::Refresh => Self::invalid_grant("Invalid refresh token"),
            GrantProblem::Ended => Self::invalid_grant("The authorization has ended"),
            GrantProblem::Scope => {
                Self::bad("invalid_scope", "The scope is more than what the refresh token is for")
            }
        }
    }
}

/// Marks an answer whose body [`finish`] writes.
#[derive(Clone)]
struct TooMany;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let is_too_many = self.status == StatusCode::TOO_MANY_REQUESTS;
        let body = json!({"error": self.error, "error_description": self.description});
        let content_type = if is_too_many { "application/hal+json" } else { "application/json" };
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        let mut response = (self.status, content_type, body.to_string()).into_response();
        if is_too_many {
            response.extensions_mut().insert(TooMany);
        }
        if let Some(edge) = &self.edge {
            edge.complete(&mut response);
        }
        if self.challenge {
            let challenge = HeaderValue::from_static("Basic realm=\"grantd\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Writes the body of a 429. `docs` is where the documentation is that the body names.
pub(super) fn finish(mut response: Response, docs: &str) -> Response {
    if response.extensions_mut().remove::<TooMany>().is_some() {
        let documentation = json!({"href": format!("{docs}/overview/handling-errors"), "type": "text/html"});
        let body = json!({
            "status": 429,
            "title": "Too Many Requests",
            "detail": "You have exceeded the rate limit. Please slow down your requests.",
            "_links": {"documentation": documentation},
        });
        *response.body_mut() = body.to_string().into();
    }
    response
}

/// How the edge's errors are said here.
pub(super) fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}
