//! `/api/v1/scopes`: what apps can ask organizations for.

use std::collections::BTreeMap;

use axum::Json;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::scope::{DefineScope, DeleteScope, Scope as Record, ScopeText as Text};
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::page::{Page, Paging};
use super::{Call, read};

/// Who reads the catalogue: everybody who asks or administers anything.
const READERS: [Authority; 4] =
    [Authority::Checker, Authority::Auditor, Authority::Operator, Authority::Requester];

/// What a scope means, in one language.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
pub(super) struct ScopeText {
    /// What an app can do by it; 1 to 500 bytes.
    #[schema(example = "View your payments")]
    description: String,
    /// What should be thought of before agreeing to it; at most 500 bytes.
    warning: Option<String>,
}

/// A scope as it is from now on.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ScopeDefinition {
    /// By language (`en`, `nl`); one of them must be `en`.
    texts: BTreeMap<String, ScopeText>,
    /// Whether version 1 of the permissions API lists it; false without it.
    #[serde(default)]
    in_v1: bool,
    /// Whether version 2 does; true without it.
    #[serde(default = "yes")]
    in_v2: bool,
    /// Apps should ask for it no more.
    #[serde(default)]
    deprecated: bool,
}

fn yes() -> bool {
    true
}

/// A permission that apps can ask for.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Scope {
    #[schema(example = "payments.read")]
    id: String,
    /// By language.
    texts: BTreeMap<String, ScopeText>,
    in_v1: bool,
    in_v2: bool,
    deprecated: bool,
    /// Whether it comes with grantd.
    builtin: bool,
}

impl From<&Record> for Scope {
    fn from(scope: &Record) -> Self {
        let text = |text: &Text| {
            let warning = text.warning.as_deref().map(Into::into);
            (text.language.to_string(), ScopeText { description: text.description.to_string(), warning })
        };
        Self {
            id: scope.id.to_string(),
            texts: scope.texts.iter().map(text).collect(),
            in_v1: scope.in_v1,
            in_v2: scope.in_v2,
            deprecated: scope.deprecated,
            builtin: scope.is_builtin(),
        }
    }
}

/// Lists the scopes, by id.
#[utoipa::path(
    get, path = "/api/v1/scopes", tag = "apps", params(Paging),
    responses((status = 200, body = Page<Scope>), (status = 401), (status = 403))
)]
pub(super) async fn list_scopes(call: Call) -> Result<Json<Page<Scope>>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "scopes")?;
    let scopes = wanted.published.state.scopes().iter_after(wanted.after.as_deref()).take(wanted.sought());
    let items = scopes.map(|scope| Scope::from(&**scope)).collect();
    Ok(Json(wanted.page(&call, items, |scope: &Scope| scope.id.clone())))
}

/// Reads one scope.
#[utoipa::path(
    get, path = "/api/v1/scopes/{id}", tag = "apps", params(("id" = String, Path)),
    responses((status = 200, body = Scope), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_scope(call: Call) -> Result<Json<Scope>, Error> {
    let published = call.published_for(&READERS)?;
    Ok(Json(Scope::from(&**Record::find(&published.state, call.param("id"))?)))
}

/// Defines a scope, or says anew what one means.
#[utoipa::path(
    put, path = "/api/v1/scopes/{id}", tag = "apps", request_body = ScopeDefinition, params(("id" = String, Path)),
    responses((status = 200, body = Scope), (status = 400), (status = 401), (status = 403), (status = 429))
)]
pub(super) async fn define_scope(call: Call) -> Result<Json<Scope>, Error> {
    let ScopeDefinition { texts, in_v1, in_v2, deprecated } = read(&call)?;
    let text = |(language, text): (String, ScopeText)| Text {
        language: language.into(),
        description: text.description.into(),
        warning: text.warning.map(Into::into),
    };
    let texts = texts.into_iter().map(text).collect();
    let scope = Record { id: call.param("id").into(), texts, in_v1, in_v2, deprecated };
    let defined = Scope::from(&scope);
    call.submit(DefineScope { scope }).await?;
    Ok(Json(defined))
}

/// Deletes a scope of the realm's own, whose id is never used again; one that comes with grantd reads again as it came.
#[utoipa::path(
    delete, path = "/api/v1/scopes/{id}", tag = "apps", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_scope(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(DeleteScope { id: call.param("id").to_owned() }).await?;
    Ok(Json(serde_json::json!({})))
}
