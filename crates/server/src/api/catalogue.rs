//! `/api/v1/catalogue`: the permissions as records, by content type.

use axum::Json;
use grantd_node::realm::Refusal;
use grantd_node::realm::State;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::catalogue::{
    ContentType as Kind, PermissionDraft, PermissionView, SyncCatalogue, SyncReport, TypeDraft,
};
use grantd_node::realm::reserved::keeps_catalogue;
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::{Call, read};
use crate::call::aside;

/// The whole catalogue.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Catalogue {
    /// By app label and model.
    content_types: Vec<ContentType>,
}

/// A content type with its permissions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ContentType {
    /// Never used again.
    id: u64,
    #[schema(example = "auth")]
    app_label: String,
    #[schema(example = "user")]
    model: String,
    /// By codename.
    permissions: Vec<CataloguePermission>,
}

/// A permission of the catalogue.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CataloguePermission {
    /// Never used again; in relationships it is `tdp_permission:<id>`.
    id: u64,
    #[schema(example = "change_user")]
    codename: String,
    name: String,
}

impl ContentType {
    fn of(state: &State, kind: &Kind) -> Self {
        let permissions = state.catalogue().permissions_of(kind.number).map(PermissionView::from);
        let shown = permissions.map(|PermissionView { number, codename, name, .. }| CataloguePermission {
            id: number,
            codename,
            name,
        });
        Self {
            id: kind.number,
            app_label: kind.app_label.to_string(),
            model: kind.model.to_string(),
            permissions: shown.collect(),
        }
    }
}

/// What the catalogue is to hold.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct WantedCatalogue {
    /// Content types that are not named stay as they are.
    content_types: Vec<WantedType>,
    /// Delete what is not named: permissions of the content types that are, and content types of the same apps.
    #[serde(default)]
    prune: bool,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// A content type as it is to be.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct WantedType {
    /// 1 to 100 of `a-z`, `0-9` and `_`.
    app_label: String,
    /// 1 to 100 of `a-z`, `0-9` and `_`.
    model: String,
    /// What it may still be called: it keeps its number and its permissions.
    renamed_from: Option<NaturalKey>,
    #[serde(default)]
    permissions: Vec<WantedPermission>,
}

/// What a content type is called.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NaturalKey {
    app_label: String,
    model: String,
}

/// A permission as it is to be.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct WantedPermission {
    /// 1 to 100 characters.
    codename: String,
    /// 1 to 255 characters.
    name: String,
    /// The codename that it may still have: it keeps its number and its holders.
    renamed_from: Option<String>,
}

impl From<WantedType> for TypeDraft {
    fn from(wanted: WantedType) -> Self {
        let permission = |one: WantedPermission| PermissionDraft {
            codename: one.codename.trim().into(),
            name: one.name.trim().into(),
            renamed_from: one.renamed_from,
        };
        Self {
            app_label: wanted.app_label,
            model: wanted.model,
            renamed_from: wanted.renamed_from.map(|key| (key.app_label, key.model)),
            permissions: wanted.permissions.into_iter().map(permission).collect(),
        }
    }
}

/// What came of it, by natural keys: `app_label.model` and `app_label.model.codename`.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CatalogueSynced {
    /// The revision at which it holds.
    revision: u64,
    created: Vec<String>,
    /// What has another name than before.
    changed: Vec<String>,
    deleted: Vec<String>,
    /// How many permissions were just so.
    unchanged: u64,
}

/// Reads the permissions, by content type.
#[utoipa::path(
    get, path = "/api/v1/catalogue", tag = "catalogue",
    responses((status = 200, body = Catalogue), (status = 401), (status = 403))
)]
pub(super) async fn get_catalogue(call: Call) -> Result<Json<Catalogue>, Error> {
    let readers = [Authority::Auditor, Authority::Checker, Authority::Operator];
    let (published, now) = (call.published(), call.now());
    let holds = |authority| call.caller.holds(authority, &published.state, now);
    if !readers.into_iter().any(holds) && !keeps_catalogue(&published.state, &call.caller, now) {
        return Err(Refusal::NotAllowed(Authority::Auditor).into());
    }
    let content_types = aside(move || {
        let state = &published.state;
        state.catalogue().content_types().map(|kind| ContentType::of(state, kind)).collect()
    });
    Ok(Json(Catalogue { content_types: content_types.await? }))
}

/// Brings the catalogue into line with what an application says of its own, by natural key: app label, model and codename. The
/// same again changes nothing. Nothing is deleted unless `prune` says so; what is renamed keeps its number and its holders.
#[utoipa::path(
    put, path = "/api/v1/catalogue", tag = "catalogue", request_body = WantedCatalogue,
    responses(
        (status = 200, body = CatalogueSynced), (status = 400), (status = 401), (status = 403), (status = 409),
        (status = 429)
    )
)]
pub(super) async fn sync_catalogue(call: Call) -> Result<Json<CatalogueSynced>, Error> {
    let WantedCatalogue { content_types, prune, dry_run } = read(&call)?;
    let types = content_types.into_iter().map(Into::into).collect();
    let done = call.submit(SyncCatalogue { types, prune, dry_run }).await?;
    let SyncReport { created, changed, deleted, unchanged } = done.answer;
    Ok(Json(CatalogueSynced { revision: done.revision, created, changed, deleted, unchanged }))
}
