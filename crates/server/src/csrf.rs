//! Whether a request that changes something was made by a page of this server: a browser sends the session cookie with
//! requests of anybody's pages.
//!
//! Both must hold: where the browser says that the request comes from, and a token that only our own pages can read.

use http::{HeaderMap, HeaderName, Uri, header};

use crate::app::App;

/// The token, on a call of the native API with a session.
pub(crate) const CSRF: HeaderName = HeaderName::from_static("grantd-csrf");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The token that belongs to a cookie's value.
pub(crate) fn token(app: &App, cookie: &str) -> String {
    blake3::keyed_hash(&app.csrf_key, cookie.as_bytes()).to_string()
}

/// Whether a token belongs to a cookie's value.
pub(crate) fn fits(app: &App, cookie: &str, token: &str) -> bool {
    // Hashes are compared in constant time.
    blake3::Hash::from_hex(token)
        .is_ok_and(|given| given == blake3::keyed_hash(&app.csrf_key, cookie.as_bytes()))
}

/// Whether a request comes from a page of the same origin, as far as the browser says.
///
/// `Sec-Fetch-Site` is the browser's own judgement, and no page can set it. Without it, `Origin` must be the origin that the
/// world knows this server by, or the one that the request itself was sent to. A client that sends neither is no browser of
/// these years; it is stopped by the token.
pub(crate) fn is_same_origin(app: &App, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    origin == app.public_origin() || host.is_some_and(|host| authority(origin) == Some(host))
}

/// Host and port of an origin.
fn authority(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority).filter(|authority| !authority.is_empty())
}

/// Scheme, host and port of a URL.
pub(crate) fn origin_of(url: &str) -> String {
    let uri: Uri = url.parse().unwrap_or_default();
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => String::new(),
    }
}
