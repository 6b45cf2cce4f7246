//! What went wrong, in the words of either version. The texts are the published ones where there are any.
//!
//! Both forms hold links into the documentation, whose address is a setting: an error travels in the answer's extensions to
//! the layer around the face ([`finish`]), which writes the body.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::Version;
use crate::edge::{EdgeError, RequestId};
use crate::face::{CallError, Unauthorized};

/// An error, said in the form of version `V`.
#[derive(Debug)]
pub struct Error<V> {
    problem: Problem,
    version: PhantomData<fn() -> V>,
}

/// What went wrong, in the words of no version.
#[derive(Debug, Clone)]
pub(super) enum Problem {
    /// 401: no credential, or none that is good here.
    Unauthorized {
        /// Whether anything was shown.
        shown: bool,
    },
    /// 403 in v2, 401 in v1: a good credential, but not of an app.
    NotOfAnApp,
    /// 403: the token is without a permission that the call needs.
    Lacks(&'static str),
    /// 404: no such permission.
    NoPermission(String),
    /// 422: a part of the query.
    Invalid {
        /// Its name.
        field: &'static str,
        /// What it must be; a sentence without a full stop.
        problem: String,
    },
    /// Anything else; a sentence without a full stop.
    Other(StatusCode, String),
    /// Raised at the edge.
    Edge(EdgeError),
}

/// An error on its way to [`finish`].
#[derive(Clone)]
struct Unsaid {
    problem: Problem,
    is_v1: bool,
}

impl<V: Version> From<Problem> for Error<V> {
    fn from(problem: Problem) -> Self {
        Self { problem, version: PhantomData }
    }
}

impl<V: Version> From<CallError> for Error<V> {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        let problem = match error {
            CallError::Unauthorized(Unauthorized::NoCredential) => Problem::Unauthorized { shown: false },
            CallError::Unauthorized(_) => Problem::Unauthorized { shown: true },
            CallError::UnknownRealm => Problem::Other(StatusCode::NOT_FOUND, message),
            CallError::BadConsistency(_) => Problem::Other(StatusCode::BAD_REQUEST, message),
            CallError::OtherLedger => Problem::Other(StatusCode::CONFLICT, message),
            CallError::Forgery | CallError::Refused(_) => Problem::Other(StatusCode::FORBIDDEN, message),
            CallError::Submit(SubmitError::Broken(_)) => Problem::Edge(EdgeError::Internal),
            CallError::NotYet | CallError::Submit(_) => {
                Problem::Edge(EdgeError::Unavailable { retry_after_secs: 1 })
            }
            CallError::Edge(edge) => Problem::Edge(edge),
        };
        problem.into()
    }
}

impl Problem {
    fn status(&self, is_v1: bool) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::NotOfAnApp if is_v1 => StatusCode::UNAUTHORIZED,
            Self::NotOfAnApp | Self::Lacks(_) => StatusCode::FORBIDDEN,
            Self::NoPermission(_) => StatusCode::NOT_FOUND,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Other(status, _) => *status,
            Self::Edge(edge) => edge.status(),
        }
    }

    /// A sentence without a full stop.
    fn sentence(&self) -> String {
        match self {
            Self::Unauthorized { .. } => "Missing authentication, or failed to authenticate".into(),
            Self::NotOfAnApp => {
                "This API endpoint is only available with an OAuth access token and cannot be accessed with \
                                 an API key"
                    .into()
            }
            Self::Lacks(scope) => format!("The access token has not been granted the permission {scope}"),
            Self::NoPermission(id) if may_be_said(id) => format!("No permission exists with token {id}"),
            Self::NoPermission(_) => "No permission exists with this token".into(),
            Self::Invalid { problem, .. } => problem.clone(),
            Self::Other(_, message) => capitalised(message),
            Self::Edge(EdgeError::TooManyRequests { .. }) => {
                "You have exceeded the rate limit. Please slow down your requests".into()
            }
            Self::Edge(edge) => capitalised(&edge.to_string()),
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }

    /// `{"error": {"type", "message", "field"?, "links"?}}`. Clients look for `error`, print the message and end it with a full stop.
    fn v1(&self, docs: &str) -> Value {
        let status = self.status(true);
        let mut error = Map::new();
        error.insert("type".into(), "request".into());
        let message =
            if status == StatusCode::UNAUTHORIZED { "Unauthorized request".into() } else { self.sentence() };
        error.insert("message".into(), message.into());
        if let Some(field) = self.field() {
            error.insert("field".into(), field.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            error.insert("links".into(), json!({ "documentation": format!("{docs}/") }));
        }
        json!({ "error": error })
    }

    /// `{"status", "title", "detail", "field"?, "_links"}` (HAL).
    fn v2(&self, docs: &str) -> Value {
        let status = self.status(false);
        let (title, page) = match status {
            StatusCode::UNAUTHORIZED => ("Unauthorized Request", "/overview/authentication"),
            other => (other.canonical_reason().unwrap_or("Error"), "/overview/handling-errors"),
        };
        let mut body = Map::new();
        body.insert("status".into(), status.as_u16().into());
        body.insert("title".into(), title.into());
        let stop = if status == StatusCode::UNAUTHORIZED { "" } else { "." };
        body.insert("detail".into(), format!("{}{stop}", self.sentence()).into());
        if let Some(field) = self.field() {
            body.insert("field".into(), field.into());
        }
        let documentation = json!({ "href": format!("{docs}{page}"), "type": "text/html" });
        body.insert("_links".into(), json!({ "documentation": documentation }));
        body.into()
    }
}

/// Whether an id that nobody knows is repeated: anything with another letter in it could be a secret in the wrong place.
fn may_be_said(id: &str) -> bool {
    id.len() <= 100 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str().trim_end_matches('.'))
}

impl<V: Version> IntoResponse for Error<V> {
    fn into_response(self) -> Response {
        let Self { problem, .. } = self;
        let mut response = problem.status(V::IS_V1).into_response();
        match &problem {
            Problem::Edge(edge) => edge.complete(&mut response),
            Problem::Unauthorized { shown: false } => challenge(&mut response, "Bearer realm=\"grantd\""),
            Problem::Unauthorized { shown: true } | Problem::NotOfAnApp
                if response.status() == StatusCode::UNAUTHORIZED =>
            {
                challenge(&mut response, "Bearer realm=\"grantd\", error=\"invalid_token\"");
            }
            Problem::Lacks(scope) => {
                challenge(
                    &mut response,
                    &format!("Bearer realm=\"grantd\", error=\"insufficient_scope\", scope=\"{scope}\""),
                );
            }
            _ => {}
        }
        // Named before the body is there, so that nobody takes the answer for one that has no form yet.
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(V::CONTENT_TYPE));
        response.extensions_mut().insert(Unsaid { problem, is_v1: V::IS_V1 });
        response
    }
}

/// `WWW-Authenticate` (RFC 6750, section 3).
fn challenge(response: &mut Response, text: &str) {
    if let Ok(text) = HeaderValue::from_str(text) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, text);
    }
}

/// How the edge's errors are said here.
pub(super) fn render<V: Version>(error: &EdgeError, _: &RequestId) -> Response {
    Error::<V>::from(Problem::Edge(error.clone())).into_response()
}

/// Writes the body of an error, if the answer is one. `docs` is where the documentation is.
pub(super) fn finish(mut response: Response, docs: &Arc<str>) -> Response {
    if let Some(Unsaid { problem, is_v1 }) = response.extensions_mut().remove() {
        let body = if is_v1 { problem.v1(docs) } else { problem.v2(docs) };
        *response.body_mut() = Body::from(body.to_string());
    }
    response
}
