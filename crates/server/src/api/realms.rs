//! `/api/v1/realms`: realms made, listed and deleted, by who administers the realm `system`.

use axum::Json;
use grantd_node::realm::api_key::CreateApiKey;
use grantd_node::realm::caller::{Actor, Authorities, Authority};
use grantd_node::realm::realms::SYSTEM;
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::{Caller, Micros, Refusal};
use grantd_node::{LoadError, Realm, RealmChange, Request, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::{Api, Call, read};
use crate::face::{CallError, Face as _};
use crate::time::rfc3339;

/// A realm to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewRealm {
    /// 1 to 64 of `a-z`, `0-9` and `-`, not starting with `-`.
    #[schema(example = "acme")]
    name: String,
    /// Makes a first API key in it, with `admin`, and shows it this one time. System keys work on every realm without.
    #[serde(default)]
    admin_key: bool,
}

/// A realm just made.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CreatedRealm {
    name: String,
    /// Its ledger's id: another one than that of any realm of this name before.
    ledger_id: Uuid,
    /// Its first API key, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<AdminKey>,
}

/// The first API key of a realm.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AdminKey {
    id: Uuid,
    /// The secret, shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// A realm as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ListedRealm {
    name: String,
    created_at: String,
}

/// A realm and its size.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RealmDetails {
    name: String,
    created_at: Option<String>,
    ledger_id: Uuid,
    /// How many entries its ledger has.
    revision: u64,
    relationships: u64,
    users: u64,
}

/// That a realm is to go.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct DeleteRealmQuery {
    /// The realm's name once more.
    confirm: Option<String>,
}

/// The caller as the realm `system` knows them, if they hold one of these authorities there.
fn on_system(call: &Call, any_of: &[Authority]) -> Result<Caller, Error> {
    let caller = match &call.caller.actor {
        Actor::SystemKey(id) => Caller::local(Actor::ApiKey(*id)),
        _ if call.realm.name() == SYSTEM => call.caller.clone(),
        _ => return Err(Refusal::NotAllowed(Authority::Admin).into()),
    };
    let (system, now) = (call.app.system.published(), call.now());
    if any_of.iter().any(|authority| caller.holds(*authority, &system.state, now)) {
        Ok(caller)
    } else {
        Err(Refusal::NotAllowed(any_of.first().copied().unwrap_or(Authority::Admin)).into())
    }
}

fn change(call: &Call, name: &str) -> Result<RealmChange, Error> {
    let on_system = on_system(call, &[Authority::Admin])?;
    let on_realm = match &on_system.actor {
        Actor::ApiKey(id) => Caller { actor: Actor::SystemKey(*id), conferred: Some(Authorities::all()) },
        _ => return Err(invalid("authorization", "needs an API key of the realm `system`")),
    };
    let (reason, idempotency) = (call.reason()?, call.idempotency()?);
    Ok(RealmChange { name: name.into(), on_system, on_realm, via: Api::VIA, reason, idempotency })
}

/// Makes a realm, with nothing in it. Needs `admin` on the realm `system`.
#[utoipa::path(
    post, path = "/api/v1/realms", tag = "realms", request_body = NewRealm,
    responses((status = 201, body = CreatedRealm), (status = 400), (status = 401), (status = 403), (status = 409))
)]
pub(super) async fn create_realm(call: Call) -> Result<(http::StatusCode, Json<CreatedRealm>), Error> {
    on_system(&call, &[Authority::Admin])?;
    let request: NewRealm = read(&call)?;
    let change = change(&call, &request.name)?;
    let realm = call.app.node.create_realm(&change).await.map_err(CallError::from)?;
    let admin_key = if request.admin_key { Some(first_key(&realm, &change).await?) } else { None };
    let ledger_id = realm.published().head.ledger_id.0;
    Ok((http::StatusCode::CREATED, Json(CreatedRealm { name: request.name, ledger_id, admin_key })))
}

/// The first key; a repeated request finds the one that it made.
async fn first_key(realm: &Realm, change: &RealmChange) -> Result<AdminKey, Error> {
    if let Some(key) = realm.published().state.api_keys().iter_after(None).next() {
        return Ok(AdminKey { id: key.id, key: None });
    }
    let command =
        CreateApiKey { name: "first".into(), expires: None, grants: vec![Authority::Admin], secret: None };
    let (caller, reason) = (change.on_realm.clone(), change.reason.clone());
    let request = Request { command, caller, via: Api::VIA, reason, idempotency: None };
    let made = realm.submit(request).await.map_err(CallError::from)?.answer;
    Ok(AdminKey { id: made.id, key: made.secret.map(|secret| secret.0) })
}

/// Lists the realms.
#[utoipa::path(
    get, path = "/api/v1/realms", tag = "realms", params(Paging),
    responses((status = 200, body = Page<ListedRealm>), (status = 401), (status = 403))
)]
pub(super) async fn list_realms(call: Call) -> Result<Json<Page<ListedRealm>>, Error> {
    on_system(&call, &[Authority::Admin, Authority::Auditor])?;
    call.app.system.catch_up().await.map_err(CallError::from)?;
    let system = call.app.system.published();
    let paging: Paging = call.query()?;
    let wanted = paging.wanted_of(&call, call.app.system.clone(), system, "realms")?;
    let realms = wanted.published.state.realms();
    let listed = realms.iter_after(wanted.after.as_deref()).take(wanted.sought());
    let items = listed.map(|(name, at)| ListedRealm { name: name.into(), created_at: rfc3339(at) }).collect();
    Ok(Json(wanted.page(&call, items, |realm: &ListedRealm| realm.name.clone())))
}

/// Tells about one realm.
#[utoipa::path(
    get, path = "/api/v1/realms/{name}", tag = "realms", params(("name" = String, Path)),
    responses((status = 200, body = RealmDetails), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_realm(call: Call) -> Result<Json<RealmDetails>, Error> {
    on_system(&call, &[Authority::Admin, Authority::Auditor])?;
    let name = call.param("name");
    let not_found = || Refusal::not_found(Noun::Realm, name);
    let realm = match call.app.node.realm(name).await {
        Ok(realm) => realm,
        Err(LoadError::Store(StoreError::NoLedger(_))) => return Err(not_found().into()),
        Err(error) => return Err(CallError::from(error).into()),
    };
    let published = realm.published();
    let listed: Option<Micros> = call.app.system.published().state.realms().listed_at(name);
    if published.state.name().is_empty() {
        return Err(not_found().into());
    }
    Ok(Json(RealmDetails {
        name: name.into(),
        created_at: listed.map(rfc3339),
        ledger_id: published.head.ledger_id.0,
        revision: published.head.revision,
        relationships: published.state.graph().len(),
        users: published.state.users().iter_after(None).count() as u64,
    }))
}

/// Deletes a realm: nothing of it is served any more. Its ledger stays in the store; the same name made again begins with
/// nothing, under a new ledger id. Needs `admin` on the realm `system`.
#[utoipa::path(
    delete, path = "/api/v1/realms/{name}", tag = "realms", params(("name" = String, Path), DeleteRealmQuery),
    responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_realm(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let change = change(&call, call.param("name"))?;
    let query: DeleteRealmQuery = call.query()?;
    if query.confirm.as_deref() != Some(change.name.as_str()) {
        return Err(invalid("confirm", "must be the realm's name: what is deleted does not come back"));
    }
    call.app.node.delete_realm(&change).await.map_err(CallError::from)?;
    Ok(Json(serde_json::json!({})))
}
