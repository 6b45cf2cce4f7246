//! `/api/v1/keys`: API keys.

use axum::Json;
use grantd_node::realm::State;
use grantd_node::realm::api_key::{ApiKey, CreateApiKey, RevokeApiKey, grants};
use grantd_node::realm::caller::Authority;
use grantd_node::realm::personal::Personal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::{Call, read};
use crate::time::{parse_rfc3339, rfc3339};

/// A key to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewKey {
    /// What people call it.
    name: String,
    /// From then on it is refused. RFC 3339.
    expires: Option<String>,
    /// What it may do to grantd: relations of the type `grantd`. Without any: checker and requester.
    #[serde(default)]
    #[schema(example = json!(["writer"]))]
    grants: Vec<String>,
}

/// A key at the moment of its making.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CreatedKey {
    /// Its id.
    id: Uuid,
    /// The secret, shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// A key as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Key {
    id: Uuid,
    name: Option<String>,
    grants: Vec<&'static str>,
    created_at: String,
    expires: Option<String>,
}

impl Key {
    fn new(key: &ApiKey, state: &State) -> Self {
        Self {
            id: key.id,
            name: key.name.as_ref().and_then(Personal::text).map(Into::into),
            grants: grants(state, key.id).into_iter().map(Authority::name).collect(),
            created_at: rfc3339(key.created_at),
            expires: key.expires.map(rfc3339),
        }
    }
}

/// Makes an API key.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "keys", request_body = NewKey,
    responses((status = 201, body = CreatedKey), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn create_key(call: Call) -> Result<(http::StatusCode, Json<CreatedKey>), Error> {
    let request: NewKey = read(&call)?;
    let expires = match &request.expires {
        None => None,
        Some(text) => {
            Some(parse_rfc3339(text).ok_or_else(|| invalid("expires", "must be a time in RFC 3339"))?)
        }
    };
    let grant = |name: &String| {
        let known = Authority::ALL.map(Authority::name).join(", ");
        Authority::of_name(name).ok_or_else(|| invalid("grants", format!("each must be one of {known}")))
    };
    let grants = request.grants.iter().map(grant).collect::<Result<_, _>>()?;
    let done = call.submit(CreateApiKey { name: request.name, expires, grants, secret: None }).await?;
    let created = CreatedKey { id: done.answer.id, key: done.answer.secret.map(|secret| secret.0) };
    Ok((http::StatusCode::CREATED, Json(created)))
}

/// Lists the API keys of the realm.
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "keys", params(Paging),
    responses((status = 200, body = Page<Key>), (status = 401), (status = 403))
)]
pub(super) async fn list_keys(call: Call) -> Result<Json<Page<Key>>, Error> {
    let published = call.published_for(&[Authority::Auditor, Authority::Operator])?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "keys")?;
    let after = wanted.after.as_ref().and_then(|id| Uuid::parse_str(id).ok());
    let state = &wanted.published.state;
    let items = state.api_keys().iter_after(after).take(wanted.sought()).map(|key| Key::new(key, state));
    let items = items.collect();
    Ok(Json(wanted.page(&call, items, |key: &Key| key.id.to_string())))
}

/// Revokes an API key.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn revoke_key(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let id = Uuid::parse_str(call.param("id")).map_err(|_| invalid("id", "must be a UUID"))?;
    call.submit(RevokeApiKey { id }).await?;
    Ok(Json(serde_json::json!({})))
}
