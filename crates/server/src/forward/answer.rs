//! What a proxy is told.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::asker::Asker;
use super::place::Place;
use crate::edge::{EdgeError, RequestId};
use crate::face::CallError;

/// The login of a person; empty for everybody else. It is always there, so that a proxy which copies it overwrites the client's.
const USER: HeaderName = HeaderName::from_static("remote-user");

/// Who it is, as `type:id`; `visitor:*` if nobody knows.
const SUBJECT: HeaderName = HeaderName::from_static("remote-subject");

/// It may go on.
pub(super) fn allowed(asker: &Asker) -> Response {
    let subject = match asker.caller().object() {
        Some((kind, id)) if asker.is_known() => format!("{kind}:{id}"),
        _ => "visitor:*".to_owned(),
    };
    let mut response = StatusCode::OK.into_response();
    response.headers_mut().insert(USER, text(asker.login().unwrap_or_default()));
    response.headers_mut().insert(SUBJECT, text(&subject));
    response
}

/// As UTF-8. What no header may hold is left out; no login has it.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Why it may not.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Refused {
    /// Nobody showed a credential, and it is not open to everybody.
    #[error("sign in, or send a credential: Basic, or Bearer with a key or token")]
    NobodyKnown,
    /// Somebody who may not.
    #[error("denied: you have no `{action}` on `url:{}`", place.id())]
    NotGranted {
        /// The action.
        action: &'static str,
        /// The resource.
        place: Place,
    },
    /// A path that can be read in more than one way.
    #[error("denied: the address cannot be judged: {0}")]
    NoPath(&'static str),
    /// Two headers disagree.
    #[error("denied: the request says its {0} twice, and not the same")]
    Contradiction(&'static str),
    /// The proxy is not set up to say it.
    #[error(
        "the proxy does not say the request's {0}: it must set `X-Original-Method`, `X-Original-URI` and `X-Forwarded-Host`, or the \
         `X-Forwarded-*` of the same meaning"
    )]
    NotSaid(&'static str),
    /// Something else went wrong.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::NobodyKnown | Self::Call(CallError::Unauthorized(_)) => StatusCode::UNAUTHORIZED,
            Self::NotGranted { .. } | Self::NoPath(_) | Self::Contradiction(_) => StatusCode::FORBIDDEN,
            Self::NotSaid(_) => StatusCode::BAD_REQUEST,
            Self::Call(CallError::UnknownRealm) => StatusCode::NOT_FOUND,
            Self::Call(CallError::Edge(edge)) => edge.status(),
            Self::Call(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{self}\n")).into_response();
        match &self {
            Self::NobodyKnown | Self::Call(CallError::Unauthorized(_)) => {
                let challenge = HeaderValue::from_static("Basic realm=\"grantd\", charset=\"UTF-8\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::Call(CallError::Edge(edge)) => edge.complete(&mut response),
            Self::Call(_) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// How the edge's errors are said here.
pub(super) fn render(error: &EdgeError, _: &RequestId) -> Response {
    Refused::Call(error.clone().into()).into_response()
}
