//! Permissions in v2.

use axum::response::Response;
use grantd_node::realm::scope::{DEFAULT_LANGUAGE, Scope};

use super::bearer::{asking, token};
use super::errors::{Error, Problem};
use super::wire::{Embedded, LinksV2, ListV2, PermissionV2};
use super::{Call, V2};

/// `GET /v2/permissions/{permission}`.
pub(super) async fn get_permission(call: Call<V2>) -> Result<Response, Error<V2>> {
    let token = token(&call).await?;
    let asking = asking(&call, &token);
    let id = call.param("permission");
    let scope = asking.published().state.scopes().get(id).filter(|scope| scope.in_v2);
    let scope = scope.ok_or_else(|| Problem::NoPermission(id.into()))?;
    let own = call.link(&format!("/v2/permissions/{}", scope.id));
    let links = LinksV2::documented(own, call.documentation("/reference/v2/permissions-api/get-permission"));
    Ok(call.answer(&permission(scope, asking.granted(&scope.id), links)))
}

/// `GET /v2/permissions`: all of them, by id.
pub(super) async fn list_permissions(call: Call<V2>) -> Result<Response, Error<V2>> {
    let token = token(&call).await?;
    let asking = asking(&call, &token);
    let list = call.link("/v2/permissions");
    let shown = asking
        .scopes()
        .into_iter()
        .filter(|(scope, _)| scope.in_v2)
        .map(|(scope, granted)| permission(scope, granted, LinksV2::own(format!("{list}/{}", scope.id))));
    let permissions: Vec<_> = shown.collect();
    let links = LinksV2::documented(
        list.clone(),
        call.documentation("/reference/v2/permissions-api/list-permissions"),
    );
    Ok(call.answer(&ListV2 { count: permissions.len(), embedded: Embedded { permissions }, links }))
}

fn permission(scope: &Scope, granted: bool, links: LinksV2) -> PermissionV2<'_> {
    let description = scope.text(DEFAULT_LANGUAGE).map_or("", |text| &text.description);
    PermissionV2 { resource: "permission", id: &scope.id, description, granted, links }
}
