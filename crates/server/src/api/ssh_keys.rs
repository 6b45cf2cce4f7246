//! `/api/v1/ssh-keys`: by which keys identities are known to a VM's own sshd.

use axum::Json;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::ssh_key::{AddSshKey, RemoveSshKey, SshKey as Record};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::{Call, read};
use crate::time::rfc3339;

/// Who reads them.
const READERS: [Authority; 3] = [Authority::Auditor, Authority::Operator, Authority::Writer];

/// A key to be added.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewSshKey {
    /// Whose.
    identity: Uuid,
    /// The line of a `.pub` file; its comment is not kept.
    #[schema(example = "ssh-ed25519 AAAA...")]
    public_key: String,
    /// What people call it.
    name: Option<String>,
}

/// A key of an identity.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SshKey {
    id: Uuid,
    number: u64,
    identity: Uuid,
    public_key: String,
    /// As `ssh-keygen -l` shows it.
    fingerprint: String,
    /// Null if there is none, or it was erased.
    name: Option<String>,
    created_at: String,
}

impl SshKey {
    fn new(key: &Record) -> Self {
        let form = &key.form;
        Self {
            id: form.id,
            number: form.number,
            identity: form.identity,
            public_key: form.key.to_string(),
            fingerprint: form.key.fingerprint(),
            name: form.name.as_ref().and_then(Personal::text).map(Into::into),
            created_at: rfc3339(key.created_at),
        }
    }
}

/// Which keys to list.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct Which {
    /// Those of this identity.
    identity: Option<Uuid>,
    /// At most so many items, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Gives an identity a key. Each key belongs to one identity of the realm.
#[utoipa::path(
    post, path = "/api/v1/ssh-keys", tag = "ssh", request_body = NewSshKey,
    responses(
        (status = 201, body = SshKey), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409)
    )
)]
pub(super) async fn add_ssh_key(call: Call) -> Result<(http::StatusCode, Json<SshKey>), Error> {
    let NewSshKey { identity, public_key, name } = read(&call)?;
    let id = call.submit(AddSshKey { identity, public_key, name }).await?.answer;
    let published = call.realm.published();
    let key = published.state.ssh_keys().get(id).ok_or_else(|| Refusal::not_found(Noun::SshKey, id))?;
    Ok((http::StatusCode::CREATED, Json(SshKey::new(key))))
}

/// Lists the keys, oldest first: all, or those of one identity.
#[utoipa::path(
    get, path = "/api/v1/ssh-keys", tag = "ssh", params(Which),
    responses((status = 200, body = Page<SshKey>), (status = 401), (status = 403))
)]
pub(super) async fn list_ssh_keys(call: Call) -> Result<Json<Page<SshKey>>, Error> {
    let published = call.published_for(&READERS)?;
    let Which { identity, limit, cursor } = call.query()?;
    let query = identity.map_or_else(|| "ssh-keys".to_owned(), |id| format!("ssh-keys {id}"));
    let wanted = Paging::new(limit, cursor).wanted(&call, published, query)?;
    let after = wanted.after.as_ref().and_then(|number| number.parse().ok());
    let keys = wanted.published.state.ssh_keys();
    let items = match identity {
        Some(identity) => {
            keys.of(identity, after).take(wanted.sought()).map(|key| SshKey::new(key)).collect()
        }
        None => keys.iter_after(after).take(wanted.sought()).map(|key| SshKey::new(key)).collect(),
    };
    Ok(Json(wanted.page(&call, items, |key: &SshKey| key.number.to_string())))
}

/// Takes a key away from its identity.
#[utoipa::path(
    delete, path = "/api/v1/ssh-keys/{id}", tag = "ssh", params(("id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn remove_ssh_key(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let id = Uuid::parse_str(call.param("id")).map_err(|_| invalid("id", "must be a UUID"))?;
    call.submit(RemoveSshKey { id }).await?;
    Ok(Json(serde_json::json!({})))
}
