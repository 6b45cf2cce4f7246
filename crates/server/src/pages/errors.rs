//! What went wrong, as a page.

use askama::Template;
use axum::response::{IntoResponse, Response};
use grantd_node::SubmitError;
use http::{HeaderValue, StatusCode, header};

use super::frame::{Frame, page, see_other};
use crate::edge::{EdgeError, RequestId};
use crate::face::CallError;

/// Why a page is not shown.
pub(super) enum PageError {
    /// Somebody has to sign in first, at this address.
    SignIn(String),
    /// A call went wrong.
    Call(CallError),
}

impl From<CallError> for PageError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    heading: &'static str,
    text: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::SignIn(path) => return see_other(&path, None),
            Self::Call(error) => error,
        };
        let mut response = show(status(&error), &error.to_string());
        match &error {
            CallError::Edge(edge) => edge.complete(&mut response),
            CallError::Submit(_) | CallError::NotYet => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

fn status(error: &CallError) -> StatusCode {
    match error {
        CallError::Unauthorized(_) | CallError::Forgery => StatusCode::FORBIDDEN,
        CallError::UnknownRealm => StatusCode::NOT_FOUND,
        CallError::BadConsistency(_) => StatusCode::BAD_REQUEST,
        CallError::OtherLedger => StatusCode::CONFLICT,
        CallError::Refused(_) => StatusCode::FORBIDDEN,
        CallError::Submit(SubmitError::Broken(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        CallError::NotYet | CallError::Submit(_) => StatusCode::SERVICE_UNAVAILABLE,
        CallError::Edge(edge) => edge.status(),
    }
}

/// The edge's errors, said here.
pub(crate) fn render(error: &EdgeError, _: &RequestId) -> Response {
    show(error.status(), &error.to_string())
}

/// A page that says what went wrong in words of its own.
pub(super) fn say(frame: Frame, status: StatusCode, heading: &'static str, text: String) -> Response {
    page(status, &ProblemPage { frame, heading, text }, None)
}

fn show(status: StatusCode, text: &str) -> Response {
    let heading = match status {
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::FORBIDDEN => "This was not done",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        status if status.is_server_error() => "Something went wrong here",
        _ => "This cannot be done",
    };
    say(Frame::bare(heading), status, heading, sentence(status, text))
}

/// What to do next, for who reads it in a browser.
fn sentence(status: StatusCode, text: &str) -> String {
    match status {
        StatusCode::FORBIDDEN => {
            "The form was too old, or it did not come from this site. Nothing was changed. Open the page again \
             and repeat what you did."
                .into()
        }
        StatusCode::SERVICE_UNAVAILABLE => "The server cannot answer now. Try again in a moment.".into(),
        _ => format!("{}.", capitalised(text)),
    }
}

/// A text of ours as a sentence begins.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}
