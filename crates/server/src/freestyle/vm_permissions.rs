//! list, describe, grant, update and revoke of VM permissions.

use axum::Json;
use grantd_node::Published;
use grantd_node::realm::identity::Identity;
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::vm_grant::{GrantVm, RevokeVm, UpdateVmGrant, VmGrantView, describe, list};
use grantd_node::realm::{Refusal, State};
use std::sync::Arc;

use super::errors::Error;
use super::wire::{Empty, GrantVmRequest, Paging, UpdateAllowedUsers, VmPermission, VmPermissions};
use super::{Call, READERS, id, read};

pub(super) async fn list_vm_permissions(call: Call) -> Result<Json<VmPermissions>, Error> {
    let (published, grants) = grants(&call)?;
    let page = call.query::<Paging>()?.page()?;
    let total = grants.len() as u64;
    let shown = page.of(grants.into_iter());
    let permissions = shown.map(|grant| VmPermission::new(grant, published.state.account())).collect();
    Ok(Json(VmPermissions { permissions, offset: page.offset, total }))
}

pub(super) async fn describe_vm_permission(call: Call) -> Result<Json<VmPermission>, Error> {
    let published = call.published_for(&READERS)?;
    let grant = grant(&call, &published.state)?;
    Ok(Json(VmPermission::new(grant, published.state.account())))
}

pub(super) async fn grant_vm_permission(call: Call) -> Result<Json<VmPermission>, Error> {
    let identity = id(&call, "identity")?;
    let request: GrantVmRequest = read(&call)?;
    let vm = call.param("vm_id").to_owned();
    let done = call.submit(GrantVm { identity, vm, allowed_users: request.allowed_users }).await?;
    Ok(Json(VmPermission::new(done.answer, call.published().state.account())))
}

pub(super) async fn update_allowed_users(call: Call) -> Result<Json<VmPermission>, Error> {
    let request: UpdateAllowedUsers = read(&call)?;
    let allowed_users = request.allowed_users.ok_or_else(|| missing("allowedUsers"))?;
    let done = update(&call, allowed_users).await?;
    Ok(Json(VmPermission::new(done, call.published().state.account())))
}

/// Who forgot the field would open everything.
pub(super) fn missing(field: &str) -> Error {
    Error::invalid(format!("`{field}` is missing: send a list, or null for every Linux user"))
}

pub(super) async fn update(call: &Call, allowed_users: Option<Vec<String>>) -> Result<VmGrantView, Error> {
    let identity = id(call, "identity")?;
    let vm = call.param("vm_id").to_owned();
    Ok(call.submit(UpdateVmGrant { identity, vm, allowed_users }).await?.answer)
}

pub(super) async fn revoke_vm_permission(call: Call) -> Result<Json<Empty>, Error> {
    let identity = id(&call, "identity")?;
    let vm = call.param("vm_id").to_owned();
    call.submit(RevokeVm { identity, vm }).await?;
    Ok(Json(Empty {}))
}

/// All grants of the identity that the path names.
pub(super) fn grants(call: &Call) -> Result<(Arc<Published>, Vec<VmGrantView>), Error> {
    let published = call.published_for(&READERS)?;
    let grants = list(&published.state, Identity::find(&published.state, id(call, "identity")?)?);
    Ok((published, grants))
}

/// The grant that the path names.
pub(super) fn grant(call: &Call, state: &State) -> Result<VmGrantView, Error> {
    let identity = Identity::find(state, id(call, "identity")?)?;
    let vm = call.param("vm_id");
    Ok(describe(state, identity, vm).ok_or_else(|| Refusal::not_found(Noun::VmGrant, vm))?)
}
