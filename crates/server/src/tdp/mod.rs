//! The catalogue dialect: the TANF Data Portal's permissions as records, its roles, and its sign-in by a browser session.
//!
//! A translation and nothing else; the rules are in `realm`. Its checks come in one order for every method: who calls, whether a page
//! of theirs made the call, whether they keep the catalogue, the method, the record, the body, its fields.

mod auth_check;
mod body;
mod call;
mod content_types;
mod cookies;
mod errors;
mod fields;
mod forgery;
mod headers;
mod json_error;
mod login;
mod login_oidc;
mod logout;
mod metadata;
mod permissions;
mod roles;
mod routes;
mod visitor;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use http::Method;

use crate::app::SharedApp;
use crate::dispatch::without_slash;
use crate::edge::layers::{LayerSettings, stack};
use crate::face::{Credential, Face, Shown, authorization};
use crate::telemetry::Metrics;

/// The face.
pub struct Tdp;

impl Face for Tdp {
    const VIA: &'static str = "tdp";
    type Error = errors::Error;

    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        true
    }

    /// An API key, as `Bearer` or as the portal's `Token`; else the dialect's own session cookie. Other schemes are ignored.
    fn credential<'a>(shown: &Shown<'a>) -> Credential<'a> {
        match authorization(shown.headers) {
            Some((scheme, key)) if ["bearer", "token"].iter().any(|one| scheme.eq_ignore_ascii_case(one)) => {
                Credential::Bearer(key)
            }
            _ => cookies::session(shown.headers, shown.realm)
                .map_or(Credential::None, Credential::CatalogueSession),
        }
    }
}

/// Every route, with the layers around it.
pub(crate) fn face(metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("tdp").renderer(errors::render);
    let layers = LayerSettings { answer_headers: headers::answer_headers(), ..layers };
    stack(routes::routes().layer(from_fn(headers::finish)), layers, metrics.clone())
}

/// A path as the routes know it: without a slash at its end, and without the suffix that asks for JSON.
pub(crate) fn plain(path: &str) -> &str {
    let path = without_slash(path);
    let has_records =
        ["/v1/permissions", "/v1/roles", "/v1/content_types"].iter().any(|prefix| path.starts_with(prefix));
    path.strip_suffix(".json").filter(|_| has_records).unwrap_or(path)
}
