//! What a git client is told when it gets nothing: plain text, which git shows as `remote: ...`.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::app::App;
use crate::edge::{EdgeError, RequestId, Source};
use crate::face::{CallError, Unauthorized};

/// A status and a sentence.
#[derive(Debug, Clone)]
pub(super) struct Error {
    status: StatusCode,
    text: String,
    edge: Option<EdgeError>,
}

impl Error {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), edge: None }
    }

    /// The first answer to a git client that has a credential: it shows none before it is asked to.
    pub(super) fn sign_in() -> Self {
        let text = "sign in: any user name, and a token of an identity as the password";
        Self::new(StatusCode::UNAUTHORIZED, text)
    }

    /// Counts what was shown as wrong.
    pub(super) fn sign_in_failed(app: &App, source: Source) -> Self {
        match app.failures.failed(source) {
            Ok(()) => Unauthorized::Unknown.into(),
            Err(limited) => EdgeError::from(limited).into(),
        }
    }

    /// There is no such repository, or none for this caller: which of the two is not told.
    pub(super) fn no_repository() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such repository, or you have no access to it")
    }

    /// A push by who may read.
    pub(super) fn read_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "you may read this repository, not push to it")
    }

    /// The right to it ended while it was under way.
    pub(super) fn ended() -> Self {
        Self::no_repository()
    }

    /// As many transfers are under way as may be.
    pub(super) fn busy() -> Self {
        let text = "too many transfers are under way; try again in a moment";
        Self { text: text.into(), ..EdgeError::Unavailable { retry_after_secs: 5 }.into() }
    }

    /// There is no git here.
    pub(super) fn no_git() -> Self {
        let text = "this server cannot serve repositories: git is not installed there";
        Self { text: text.into(), ..EdgeError::Unavailable { retry_after_secs: 60 }.into() }
    }

    /// Git did not answer; the log knows more.
    pub(super) fn git_failed() -> Self {
        Self { text: "git failed on this server; its log says how".into(), ..EdgeError::Internal.into() }
    }

    /// Nothing came any more.
    pub(super) fn stalled() -> Self {
        EdgeError::RequestTimeout.into()
    }
}

impl From<Unauthorized> for Error {
    fn from(error: Unauthorized) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error.to_string())
    }
}

impl From<EdgeError> for Error {
    fn from(edge: EdgeError) -> Self {
        Self { edge: Some(edge.clone()), ..Self::new(edge.status(), edge.to_string()) }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unauthorized(error) => error.into(),
            CallError::Edge(edge) => edge.into(),
            // What else can come of finding a realm and a caller is a store that does not answer.
            _ => EdgeError::Unavailable { retry_after_secs: 1 }.into(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
        let mut response = (self.status, content_type, format!("{}\n", self.text)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"grantd\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(edge) = &self.edge {
            edge.complete(&mut response);
        }
        response
    }
}

/// How the edge's errors are said here.
pub(super) fn render(error: &EdgeError, _: &RequestId) -> Response {
    Error::from(error.clone()).into_response()
}
