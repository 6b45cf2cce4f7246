//! OpenID AuthZEN Authorization API 1.0, under `/access/v1`.
//!
//! A translation and nothing else. A subject or resource is `type:id` with the id raw, an action is a relation of the
//! resource's type. `docs/authzen.md` says how each thing of the standard maps.

mod answer;
mod errors;
mod evaluation;
mod evaluations;
mod metadata;
mod page;
mod routes;
mod search_action;
mod search_resource;
mod search_subject;
mod wire;

use serde::Deserialize;

use crate::edge::{ContentTypeRule, JsonRules};
use crate::face::Face;

pub use errors::render;
pub use routes::{bulk_routes, routes};

/// The face.
pub struct Authzen;

impl Face for Authzen {
    const VIA: &'static str = "authzen";
    type Error = errors::Error;
}

/// A request to this face.
type Call = crate::call::Call<Authzen>;

/// How bodies are read.
fn rules() -> JsonRules {
    JsonRules { content_type: ContentTypeRule::Required, ..JsonRules::default() }
}

/// The body, which must be a JSON object; its texts are borrowed.
fn read<'b, T: Deserialize<'b>>(call: &'b Call) -> Result<T, errors::Error> {
    Ok(call.json(rules())?)
}
