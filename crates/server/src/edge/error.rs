//! What can go wrong before a handler, and how a face says it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::{Problem, RequestId};

/// An error raised at the edge, in no dialect's words yet.
///
/// As a response it carries itself in the extensions: the layer around the face ([`super::layers::stack`]) sees it there
/// and has it said by the face's [`Renderer`]. With no layer around, it is a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// 404: no route has this path.
    #[error("there is nothing at this path")]
    NotFound,
    /// 405: the path has no such method.
    #[error("this path does not take this method")]
    MethodNotAllowed {
        /// The methods it takes, as in `Allow`. `None` when only the router knows: it adds the header itself.
        allow: Option<String>,
    },
    /// 413: the body is longer than the route takes.
    #[error("the body is longer than {limit} bytes")]
    PayloadTooLarge {
        /// In bytes.
        limit: u64,
    },
    /// 415: the body is of a type that the route does not read.
    #[error("the body must be `application/json`")]
    UnsupportedMediaType,
    /// 400: the request cannot be read. The text goes to the client.
    #[error("{0}")]
    BadRequest(String),
    /// 400: the body cannot be read as what the route expects.
    #[error("{0}")]
    InvalidBody(InvalidBody),
    /// 408: the body did not arrive in time.
    #[error("the body did not arrive in time")]
    RequestTimeout,
    /// 503: the answer was not ready in time.
    #[error("the answer took too long")]
    Timeout,
    /// 429: too many, come back later.
    #[error("too many attempts")]
    TooManyRequests {
        /// Whole seconds, at least 1.
        retry_after_secs: u64,
    },
    /// 503: not now.
    #[error("the server cannot answer now")]
    Unavailable {
        /// Whole seconds, at least 1.
        retry_after_secs: u64,
    },
    /// 500: our fault; the log knows more.
    #[error("something went wrong here")]
    Internal,
}

/// Why a body could not be read. Nothing in it repeats a value of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBody {
    /// Stable, snake_case: `empty_body`, `not_utf8`, `not_json`, `too_deep`, `invalid_field` or `truncated_body`.
    pub code: &'static str,
    /// The path of the field at fault, like `roles[2].name`; `None` when it is the body as a whole.
    pub field: Option<String>,
    /// What was expected, for the client, without the field's name.
    pub message: String,
}

impl std::fmt::Display for InvalidBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            Some(field) => write!(f, "`{field}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// How a face says an [`EdgeError`]. [`EdgeError::complete`] adds the headers that the status asks for.
pub type Renderer = fn(&EdgeError, &RequestId) -> Response;

impl EdgeError {
    /// The status of RFC 9110, section 15.5 and 15.6 (429: RFC 6585).
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BadRequest(_) | Self::InvalidBody(_) => StatusCode::BAD_REQUEST,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout | Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable word for programs, snake_case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::PayloadTooLarge { .. } => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::BadRequest(_) => "bad_request",
            Self::InvalidBody(body) => body.code,
            Self::RequestTimeout => "request_timeout",
            Self::Timeout => "timeout",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Adds `Allow` and `Retry-After` to a rendered answer, so that no renderer can forget them.
    pub(crate) fn complete(&self, response: &mut Response) {
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed { allow: Some(allow) } => {
                if let Ok(value) = HeaderValue::from_str(allow) {
                    headers.insert(header::ALLOW, value);
                }
            }
            Self::TooManyRequests { retry_after_secs } | Self::Unavailable { retry_after_secs } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_secs));
            }
            Self::Timeout => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(1_u64));
            }
            _ => {}
        }
    }

    /// The default renderer: problem+json with the error's code.
    #[must_use]
    pub fn as_problem(&self, request: Option<&RequestId>) -> Problem {
        let mut problem = Problem::new(self.status(), self.code()).detail(self.to_string());
        if let Self::InvalidBody(InvalidBody { field: Some(field), .. }) = self {
            problem = problem.with("field", field.as_str());
        }
        match request {
            Some(id) => problem.with("request_id", id.as_str()),
            None => problem,
        }
    }
}

/// The renderer of every face that has no form of its own.
pub(super) fn render_problem(error: &EdgeError, id: &RequestId) -> Response {
    error.as_problem(Some(id)).into_response()
}

impl IntoResponse for EdgeError {
    fn into_response(self) -> Response {
        let mut response = self.as_problem(None).into_response();
        self.complete(&mut response);
        response.extensions_mut().insert(self);
        response
    }
}
