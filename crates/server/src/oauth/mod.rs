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

use grantd_node::realm::realms::DEFAULT;

use crate::app::App;

pub(crate) use answer::{Answerer, Consent, answer};
pub(crate) use authorization_request::{ApprovalPrompt, AuthorizationRequest, AuthorizeError, check};
pub(crate) use errors::render;
pub(crate) use routes::routes;

/// The name of this face in the ledger and the metrics.
const VIA: &str = "oauth";

/// Who issues a realm's tokens: the `issuer` of its metadata (RFC 8414) and the `iss` of its answers (RFC 9207).
pub(crate) fn issuer(app: &App, realm: &str) -> String {
    match realm {
        DEFAULT => app.public_url.clone(),
        realm => format!("{}/r/{realm}", app.public_url),
    }
}
