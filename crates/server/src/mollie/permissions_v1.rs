//! Permissions in v1.

use axum::response::Response;
use grantd_node::realm::scope::{DEFAULT_LANGUAGE, Scope};

use super::bearer::{asking, token};
use super::errors::{Error, Problem};
use super::paging::Paging;
use super::wire::{ListV1, PermissionV1};
use super::{Call, V1};

/// `GET /v1/permissions/{permission}`.
pub(super) async fn get_permission(call: Call<V1>) -> Result<Response, Error<V1>> {
    let token = token(&call).await?;
    let asking = asking(&call, &token);
    let id = call.param("permission");
    let scope = asking.published().state.scopes().get(id).filter(|scope| scope.in_v1);
    let scope = scope.ok_or_else(|| Problem::NoPermission(id.into()))?;
    Ok(call.answer(&permission(scope, asking.granted(&scope.id))))
}

/// `GET /v1/permissions`.
pub(super) async fn list_permissions(call: Call<V1>) -> Result<Response, Error<V1>> {
    let token = token(&call).await?;
    let asking = asking(&call, &token);
    let paging = Paging::of(call.query_text())?;
    let all: Vec<_> = asking.scopes().into_iter().filter(|(scope, _)| scope.in_v1).collect();
    let shown = all.iter().skip(paging.offset).take(paging.count);
    let data: Vec<_> = shown.map(|(scope, granted)| permission(scope, *granted)).collect();
    let links = paging.links(&call.link("/v1/permissions"), all.len());
    let (total_count, offset, count) = (all.len(), paging.offset, data.len());
    Ok(call.answer(&ListV1 { total_count, offset, count, data, links }))
}

fn permission(scope: &Scope, granted: bool) -> PermissionV1<'_> {
    let text = scope.text(DEFAULT_LANGUAGE);
    PermissionV1 {
        resource: "permission",
        id: &scope.id,
        description: text.map_or("", |text| &text.description),
        warning: text.and_then(|text| text.warning.as_deref()),
        granted,
    }
}
