//! grantd's own API, under `/api/v1`: JSON in snake_case, problem+json errors, cursors.

mod approval_sessions;
mod apps;
mod authorizations;
mod batch;
mod bench;
mod catalogue;
mod check;
mod entities;
mod errors;
mod export;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod import;
mod keys;
mod ledger;
mod linked_accounts;
mod names;
mod openapi;
mod organization_approvals;
mod organization_members;
mod organization_tokens;
mod organizations;
mod page;
mod realms;
mod relationship_lines;
mod relationships;
mod requests;
mod roles;
mod routes;
mod rules;
mod schema;
mod scopes;
mod search;
mod session;
mod ssh;
mod ssh_keys;
mod user_permissions;
mod users;
mod vm_certificates;
mod vms;
mod webhook_deliveries;
mod webhooks;

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::edge::{ContentTypeRule, JsonRules};
use crate::face::{Credential, Face, Shown, bearer};

pub(crate) use bench::constant;
pub use openapi::document;
pub(crate) use requests::status_name;
pub use routes::{bulk_routes, routes, streaming_routes, waiting_routes};

/// The face.
pub struct Api;

impl Face for Api {
    const VIA: &'static str = "api";
    type Error = errors::Error;

    fn begins_at_head(method: &Method, path: &str) -> bool {
        let is_question = path.starts_with("/api/v1/check") || path.starts_with("/api/v1/search/");
        // A write of relationships looks at nothing beforehand.
        let is_write = path == "/api/v1/relationships";
        method != Method::POST || !(is_question || is_write)
    }

    /// A bearer key, or else the session of who is signed in to the pages.
    fn credential<'a>(shown: &Shown<'a>) -> Credential<'a> {
        match bearer(shown.headers) {
            Credential::None => shown.session().map_or(Credential::None, Credential::Session),
            shown => shown,
        }
    }
}

/// A request to this face.
type Call = crate::call::Call<Api>;

/// How bodies are read.
fn rules() -> JsonRules {
    JsonRules { content_type: ContentTypeRule::Required, ..JsonRules::default() }
}

/// The body, which must be a JSON object.
fn read<T: DeserializeOwned>(call: &Call) -> Result<T, errors::Error> {
    read_with(call)
}

/// The same, with texts borrowed from the body.
fn read_with<'b, T: Deserialize<'b>>(call: &'b Call) -> Result<T, errors::Error> {
    Ok(call.json(rules())?)
}
