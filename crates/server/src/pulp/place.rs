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
    let routed =
        place.resource.as_ref().map_or(Cow::Borrowed("/"), |uri| Cow::Owned(uri.as_str().to_owned()));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use axum::body::Body;

    use super::*;

    /// What the router sees, and what was noted.
    fn settled(path: &str, own: &str) -> (String, Place) {
        let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let routed = settle(&mut request, own).into_owned();
        (routed, request.extensions().get::<Place>().cloned().unwrap())
    }

    #[test]
    fn what_is_routed_is_what_is_authorized() {
        for own in ["/v2/users/a@b/", "/v2/users/a%40b", "/v2/%75sers/a%40b/"] {
            let (routed, place) = settled(&format!("/r/x/pulp/api{own}?q=1"), own);
            assert_eq!(routed, "/v2/users/a%40b/");
            assert_eq!(place.resource.clone().unwrap().as_str(), routed);
            assert_eq!((place.mount.as_str(), place.query()), ("/r/x/pulp/api", "q=1"));
            assert_eq!(place.href, format!("/r/x/pulp/api{own}?q=1"));
        }
        let (routed, place) = settled("/v2/users/", "/v2/users/");
        assert_eq!((routed.as_str(), place.mount.as_str(), place.query()), ("/v2/users/", "", ""));
    }

    #[test]
    fn what_is_no_path_is_routed_nowhere() {
        for own in
            ["/v2/users/../roles/", "/v2//users/", "/v2/users%2Fa/", "/v2/users/%2e%2e/", "/v2/users//"]
        {
            let (routed, place) = settled(own, own);
            assert_eq!(routed, "/", "{own}");
            assert!(place.resource.is_err(), "{own}");
        }
        let (routed, place) = settled("/pulp/api/pulp/api/v2/users/", "/pulp/api/v2/users/");
        assert_eq!((routed.as_str(), place.resource), ("/", Ok(PulpUri::root())));
    }
}
