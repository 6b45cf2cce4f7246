//! The dialect's error bodies: `{"detail": ...}`, or the texts of the fields that do not fit; one map from what went wrong.

use axum::Json;
use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use grantd_node::realm::Refusal;
use grantd_node::realm::refusal::Noun;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::fields::Problems;
use crate::edge::{EdgeError, RequestId};
use crate::face::{CallError, Unauthorized};

/// What is said of the fields as a whole.
pub(super) const NO_FIELD: &str = "non_field_errors";

/// An error in the dialect's words.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    said: Said,
    edge: Option<EdgeError>,
}

#[derive(Debug)]
enum Said {
    Detail(String),
    Fields(Problems),
    /// What the page shows where the server fails.
    AsDocumented,
}

impl Error {
    pub(super) fn detail(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, said: Said::Detail(detail.into()), edge: None }
    }

    /// 403: nobody is signed in. Not 401: who shows a cookie is challenged by nothing.
    fn anonymous() -> Self {
        Self::detail(StatusCode::FORBIDDEN, "Authentication credentials were not provided.")
    }

    /// 403: not theirs to do.
    pub(super) fn denied() -> Self {
        Self::detail(StatusCode::FORBIDDEN, "You do not have permission to perform this action.")
    }

    /// 403: not made by a page of theirs.
    pub(super) fn forgery(why: &str) -> Self {
        Self::detail(StatusCode::FORBIDDEN, format!("CSRF Failed: {why}"))
    }

    /// 500, as the page has it for who is no admin.
    pub(super) fn as_documented() -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, said: Said::AsDocumented, edge: None }
    }

    /// 404: there is nothing at this path.
    pub(super) fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// 404: there is no such record.
    pub(super) fn no_record(kind: &str) -> Self {
        Self::detail(StatusCode::NOT_FOUND, format!("No {kind} matches the given query."))
    }

    /// 405.
    pub(super) fn wrong_method(method: &Method) -> Self {
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{method}\" not allowed."))
    }

    /// 406.
    pub(super) fn not_acceptable() -> Self {
        Self::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header.")
    }

    /// 415.
    pub(super) fn unsupported(content_type: &str) -> Self {
        let said = format!("Unsupported media type \"{content_type}\" in request.");
        Self::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, said)
    }

    /// 400: the body cannot be read.
    pub(super) fn unreadable(why: impl Into<String>) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, why)
    }

    /// 400: these fields do not fit.
    pub(super) fn fields(problems: Problems) -> Self {
        Self { status: StatusCode::BAD_REQUEST, said: Said::Fields(problems), edge: None }
    }

    /// 400: one field does not fit.
    pub(super) fn field(name: &'static str, problem: impl Into<String>) -> Self {
        let mut problems = Problems::default();
        problems.add(name, vec![problem.into()]);
        Self::fields(problems)
    }

    /// 400: these two fields together are taken.
    pub(super) fn not_unique(fields: &str) -> Self {
        Self::field(NO_FIELD, format!("The fields {fields} must make a unique set."))
    }

    /// The same error; its headers are those of the edge's.
    fn at_edge(self, edge: EdgeError) -> Self {
        Self { edge: Some(edge), ..self }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unauthorized(why) => why.into(),
            CallError::Forgery => Self::forgery("CSRF token missing."),
            CallError::UnknownRealm => Self::not_found(),
            CallError::Refused(refusal) | CallError::Submit(SubmitError::Refused(refusal)) => refusal.into(),
            CallError::Edge(edge) => edge.into(),
            CallError::NotYet => EdgeError::Unavailable { retry_after_secs: 1 }.into(),
            CallError::BadConsistency(_) => Self::detail(StatusCode::BAD_REQUEST, error.to_string()),
            CallError::OtherLedger => Self::detail(StatusCode::CONFLICT, error.to_string()),
            CallError::Submit(SubmitError::Broken(_)) => EdgeError::Internal.into(),
            CallError::Submit(other) => Self::detail(StatusCode::SERVICE_UNAVAILABLE, other.to_string())
                .at_edge(EdgeError::Unavailable { retry_after_secs: 1 }),
        }
    }
}

impl From<Unauthorized> for Error {
    fn from(why: Unauthorized) -> Self {
        match why {
            Unauthorized::NoCredential | Unauthorized::NoSession | Unauthorized::SessionOver => {
                Self::anonymous()
            }
            Unauthorized::WrongPassword { .. } => {
                Self::detail(StatusCode::FORBIDDEN, "Incorrect username or password.")
            }
            Unauthorized::Unknown | Unauthorized::WrongCertificate => {
                Self::detail(StatusCode::UNAUTHORIZED, "Invalid token.")
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::NotAllowed(_) | Refusal::NotHeld(_) | Refusal::ReservedRole { .. } => Self::denied(),
            Refusal::SuperUsersFixed => Self::detail(StatusCode::FORBIDDEN, refusal.to_string()),
            Refusal::NotFound { noun: Noun::CataloguePermission, .. } => Self::no_record("Permission"),
            Refusal::NotFound { noun: Noun::Role, .. } => Self::no_record("Group"),
            Refusal::NotFound { noun: Noun::ContentType, .. } => Self::no_record("ContentType"),
            Refusal::NotFound { .. } | Refusal::NoRealm => Self::not_found(),
            Refusal::Invalid { field, problem } => Self::field(field, problem.clone()),
            Refusal::IdempotencyKeyReused => Self::detail(StatusCode::CONFLICT, refusal.to_string()),
            _ => Self::detail(StatusCode::BAD_REQUEST, refusal.to_string()),
        }
    }
}

impl From<EdgeError> for Error {
    fn from(edge: EdgeError) -> Self {
        let said = match &edge {
            EdgeError::NotFound => "Not found.".to_owned(),
            EdgeError::TooManyRequests { retry_after_secs } => {
                let plural = if *retry_after_secs == 1 { "" } else { "s" };
                format!("Request was throttled. Expected available in {retry_after_secs} second{plural}.")
            }
            other => other.to_string(),
        };
        Self::detail(edge.status(), said).at_edge(edge)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = match self.said {
            Said::Detail(detail) => (self.status, Json(json!({ "detail": detail }))).into_response(),
            Said::Fields(problems) => (self.status, Json(problems)).into_response(),
            Said::AsDocumented => {
                let message = "Does Not Exist\nGroup matching query does not exist.\n";
                (self.status, Json(json!({ "System Error Message": message }))).into_response()
            }
        };
        if let Some(edge) = &self.edge {
            edge.complete(&mut response);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// How the edge's errors are said here.
pub(super) fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}
