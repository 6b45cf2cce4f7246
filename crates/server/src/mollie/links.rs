//! Where the addresses in answers begin.

use axum::extract::Request;

use crate::edge::Peer;

/// What stands before the dialect's own paths, as the world reaches it: `/mollie`, the same behind `/r/<realm>`, or nothing. In the
/// request's extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mount(pub(crate) String);

/// Notes how a request came here; `own` is the part of its path that belongs to the dialect.
pub(crate) fn settle(request: &mut Request, own: &str) {
    let path = request.uri().path().trim_end_matches('/');
    let before = path.strip_suffix(own.trim_end_matches('/')).unwrap_or_default();
    let alone = request.extensions().get::<Peer>().is_some_and(|peer| &*peer.listener == "mollie");
    // An address that serves this dialect alone is not the one that the world knows.
    let realm = before.strip_suffix("/mollie").unwrap_or(before);
    let mount = if alone { format!("{realm}/mollie") } else { before.to_owned() };
    request.extensions_mut().insert(Mount(mount));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use axum::body::Body;

    use super::*;

    #[test]
    fn links_begin_where_the_request_came_in() {
        for (path, own, mount) in [
            ("/mollie/v2/permissions", "/v2/permissions", "/mollie"),
            ("/mollie/v2/permissions/", "/v2/permissions", "/mollie"),
            ("/v2/permissions", "/v2/permissions", ""),
            ("/r/acme/v1/permissions/payments.read", "/v1/permissions/payments.read", "/r/acme"),
            ("/r/acme/mollie/v1/permissions", "/v1/permissions", "/r/acme/mollie"),
            ("/mollie", "/", "/mollie"),
        ] {
            let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
            settle(&mut request, own);
            assert_eq!(request.extensions().get::<Mount>().unwrap().0, mount, "{path}");
        }
    }
}
