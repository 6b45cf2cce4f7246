//! The pages: sign-in, one's own account, the inbox, the consent to what an app asks for,
//! and what the apps may do.
//!
//! HTML forms that work without a script, under a policy that allows none but the inbox's own. A handler that shows something takes a
//! [`visit::Visit`]; one that changes something takes a [`visit::Submitted`], which cannot be had without the proof that a
//! page of ours sent it. `docs/sessions.md` says what a session is.

mod account;
mod agent;
mod apps;
mod assets;
mod consent;
mod errors;
mod frame;
mod inbox;
mod routes;
mod sign_in;
mod sign_in_oidc;
mod sign_out;
mod times;
mod visit;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};

pub(crate) use errors::render;
pub(crate) use routes::{inbox_routes, routes, streaming_routes};

/// The name of this face in the ledger and the metrics.
const VIA: &str = "pages";

/// Nothing but our own style sheet and icon is loaded, no script runs, nobody frames a page, and a form goes nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The headers of every page.
pub(crate) fn headers() -> Arc<[(HeaderName, HeaderValue)]> {
    let same_origin = HeaderValue::from_static("same-origin");
    Arc::new([
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // With `no-referrer` browsers would send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, same_origin.clone()),
        (HeaderName::from_static("cross-origin-opener-policy"), same_origin.clone()),
        (HeaderName::from_static("cross-origin-resource-policy"), same_origin),
    ])
}
