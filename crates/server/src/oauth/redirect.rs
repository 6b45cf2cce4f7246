//! Where a browser is sent back to, and with what (RFC 6749 sections 3.1.2, 4.1.2 and 4.1.2.1, RFC 9207).

/// Why an app gets no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    InvalidRequest(&'static str),
    InvalidScope(&'static str),
    UnsupportedResponseType,
    RequestNotSupported,
    RequestUriNotSupported,
    AccessDenied,
}

impl Failure {
    fn error(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidScope(_) => "invalid_scope",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::AccessDenied => "access_denied",
        }
    }

    /// For the app's developer. Never anything that the request brought along.
    fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(text) | Self::InvalidScope(text) => text,
            Self::UnsupportedResponseType => "response_type must be code",
            Self::RequestNotSupported => "send the parameters themselves, not a request object",
            Self::RequestUriNotSupported => {
                "send the parameters themselves, not the address of a request object"
            }
            Self::AccessDenied => "the person did not agree",
        }
    }
}

/// The address that tells the app why there is no code.
pub(super) fn failed(redirect_uri: &str, failure: Failure, state: Option<&str>, issuer: &str) -> String {
    let answer = [("error", failure.error()), ("error_description", failure.description())];
    with(redirect_uri, &answer, state, issuer)
}

/// The address that hands the app its code.
pub(super) fn succeeded(redirect_uri: &str, code: &str, state: Option<&str>, issuer: &str) -> String {
    with(redirect_uri, &[("code", code)], state, issuer)
}

/// The address with the answer behind its own query, which is kept. Who answers is named in each: an app that speaks with several
/// servers would otherwise not notice that one of them answers for another.
fn with(redirect_uri: &str, answer: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let state = state.map(|state| ("state", state));
    let pairs: Vec<_> = answer.iter().copied().chain(state).chain([("iss", issuer)]).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let separator = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{separator}{query}")
}
