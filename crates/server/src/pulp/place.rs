//! Where a request goes: one normalised path, by which it is both routed and authorized.

use std::borrow::Cow;

use axum::extract::Request;
use grantd_node::realm::pulp::{BadUri, PulpUri};

/// What the address of a request says; in its extensions.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What stands before the dialect's own paths: `/pulp/api`, the same behind `/r/<realm>`, or nothing.
    pub(super) mount: String,
    /// Path and query as they came, for `_href` of an error.
    pub(super) href: String,
    /// The path as the resource that the caller needs an operation on.
    pub(super) resource: Result<PulpUri, BadUri>,
}

impl Place {
    /// The query, without its `?`; empty if there is none.
    pub(super) fn query(&self) -> &str {
        self.href.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Notes where a request goes, and gives the path that the router is to see: the normalised one, so that it cannot be read
/// otherwise than by the engine. `own` is the part of the path that belongs to the dialect.
pub(crate) fn settle<'a>(request: &mut Request, own: &'a str) -> Cow<'a, str> {
    let uri = request.uri();
    let path = uri.path();
    let place = Place {
        mount: path.strip_suffix(own).unwrap_or(path).trim_end_matches('/').to_owned(),
        href: uri.path_and_query().map_or_else(String::new, ToString::to_string),
        resource: resource(own),
    };
    // At `/` there is nothing: the router's fallback says what is wrong.
    let routed = place.resource.as_ref().map_or(Cow::Borrowed("/"), |uri| Cow::Owned(uri.as_str().to_owned()));
    request.extensions_mut().insert(place);
    routed
}

/// The mount's own name means nothing behind the mount, where a resource may have it in front.
fn resource(own: &str) -> Result<PulpUri, BadUri> {
    match own.strip_prefix("/pulp/api") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(PulpUri::root()),
        _ => PulpUri::normalise(own),
    }
}
