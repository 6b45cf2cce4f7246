//! The authorization server (OAuth 2.1 draft, RFC 6749, 7009, 7636, 7662, 8414, 9207), under `/oauth2`.
//!
//! A translation and nothing else: what a code, a token and an authorization are is in `realm`. The page on which a person
//! consents is in `pages/consent/`; it takes an [`AuthorizationRequest`] and hands the person's decision to [`answer`].

mod answer;
mod authorization_request;
mod authorize;
mod client_call;
mod errors;
mod introspect;
mod metadata;
mod parameters;
mod redirect;
mod revoke;
mod routes;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use grantd_node::realm::realms::DEFAULT;
use tower::util::MapResponseLayer;

use crate::app::{App, SharedApp};
use crate::edge::layers::{LayerSettings, stack};
use crate::telemetry::Metrics;

pub(crate) use answer::{Answerer, Consent, answer};
pub(crate) use authorization_request::{ApprovalPrompt, AuthorizationRequest, AuthorizeError, check};

/// The name of this face in the ledger and the metrics.
const VIA: &str = "oauth";

/// 16 KiB: the body of a form.
const FORM_BODY: u64 = 16 << 10;

/// Every route, with the layers around it. `docs` is where the documentation is that errors name.
pub(crate) fn face(docs: &str, metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("oauth").renderer(errors::render).body_limit(FORM_BODY);
    let docs: Arc<str> = docs.into();
    stack(routes::routes(), layers, metrics.clone())
        .layer(MapResponseLayer::new(move |response: Response| errors::finish(response, &docs)))
}

/// Who issues a realm's tokens: the `issuer` of its metadata (RFC 8414) and the `iss` of its answers (RFC 9207).
pub(crate) fn issuer(app: &App, realm: &str) -> String {
    match realm {
        DEFAULT => app.public_url.clone(),
        realm => format!("{}/r/{realm}", app.public_url),
    }
}
