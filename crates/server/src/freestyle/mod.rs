//! The identities dialect: Freestyle's identity, token, git and VM permission API.
//!
//! A translation and nothing else; the rules are in `realm`.

mod errors;
mod git_permissions;
mod identities;
mod repositories;
mod routes;
mod tokens;
mod triggers;
mod v5;
mod vm_permissions;
mod whoami;
mod wire;

use grantd_node::realm::caller::Authority;
use grantd_node::realm::token::TOKEN_PREFIX;
use http::Method;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::edge::{ContentTypeRule, JsonRules};
use crate::face::{Credential, Face, Shown, bearer};

pub use errors::render;
pub use routes::routes;

/// The face.
pub struct Freestyle;

/// An identity's token comes in a header of its own, instead of `Authorization`.
const IDENTITY_TOKEN: &str = "x-freestyle-identity-access-token";

impl Face for Freestyle {
    const VIA: &'static str = "freestyle";
    type Error = errors::Error;

    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        true
    }

    fn credential<'a>(shown: &Shown<'a>) -> Credential<'a> {
        let headers = shown.headers;
        // Each header has its own kind of secret: a key in the token's place, or a token in the key's, is a mistake.
        let is_token = |secret: &str| secret.starts_with(TOKEN_PREFIX);
        match (headers.get(IDENTITY_TOKEN).map(|token| token.to_str()), bearer(headers)) {
            (Some(Ok(token)), _) if is_token(token) => Credential::Bearer(token),
            (Some(_), _) => Credential::Malformed,
            (None, Credential::Bearer(token)) if is_token(token) => Credential::Malformed,
            (None, other) => other,
        }
    }
}

/// A request to this face.
type Call = crate::call::Call<Freestyle>;

/// Who may read the account's records.
const READERS: [Authority; 2] = [Authority::Writer, Authority::Auditor];

/// An id in the path: a UUID in its usual form.
fn id(call: &Call, name: &'static str) -> Result<Uuid, errors::Error> {
    let text = call.param(name);
    let usual = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    usual.ok_or_else(|| errors::Error::invalid(format!("`{name}` in the path must be a UUID")))
}

/// The body, which must be a JSON object.
fn read<T: DeserializeOwned>(call: &Call) -> Result<T, errors::Error> {
    Ok(call.json(JsonRules { content_type: ContentTypeRule::Required, ..JsonRules::default() })?)
}

/// The body, where none at all means `{}`.
fn read_or_empty<T: DeserializeOwned>(call: &Call) -> Result<T, errors::Error> {
    if call.body().is_empty() {
        return serde_json::from_str("{}").map_err(|_| errors::Error::invalid("the body is missing"));
    }
    read(call)
}
