//! Where a browser is sent back to, and with what (RFC 6749 sections 3.1.2, 4.1.2 and 4.1.2.1, RFC 9207).

use grantd_node::realm::app::App;
use http::Uri;

/// The address of the app's that an answer goes to: the one that is wanted if it is registered, letter for letter; without any,
/// the only one that is registered.
///
/// A public app on somebody's machine takes whatever port is free: where it registered a loopback address without one
/// (RFC 8252 section 7.3), any is taken.
pub(super) fn allowed(app: &App, wanted: Option<&str>) -> Option<String> {
    let registered = &app.settings.redirect_uris;
    let Some(wanted) = wanted else {
        return registered.first().filter(|_| registered.len() == 1).cloned();
    };
    let is_free = |known: &String| app.settings.public && is_on_another_port(known, wanted);
    (app.redirects_to(wanted) || registered.iter().any(is_free)).then(|| wanted.to_owned())
}

/// Whether an address is a registered loopback address but for the port that the registered one leaves open.
fn is_on_another_port(registered: &str, wanted: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]"].into_iter().any(|host| {
        let rest = |uri| str::strip_prefix::<&str>(uri, host);
        let (Some(registered), Some(wanted)) = (rest(registered), rest(wanted)) else { return false };
        let Some(wanted) = wanted.strip_prefix(':') else { return false };
        let digits = wanted.bytes().take_while(u8::is_ascii_digit).count();
        let Some((port, rest)) = wanted.split_at_checked(digits) else { return false };
        port.parse::<u16>().is_ok_and(|port| port != 0) && registered.starts_with('/') && rest == registered
    })
}

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
            Self::RequestUriNotSupported => "send the parameters themselves, not the address of a request object",
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

/// Scheme, host and port of an app's address, for the policy of the page that leads there; nothing for a scheme of an app's own.
pub(crate) fn origin(redirect_uri: &str) -> Option<String> {
    let uri: Uri = redirect_uri.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    ["http", "https"].contains(&scheme).then(|| format!("{scheme}://{authority}"))
}
