//! The newest surface, `/v5/identities`, over the same records. It knows VMs only, and writes `allowedLinuxUsers`.

use axum::Json;
use grantd_node::realm::identity::{CreateIdentity, Identity};
use grantd_node::realm::vm_grant::{GrantVm, VmGrantView};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::Error;
use super::vm_permissions::{grant, grants, missing, update};
use super::wire::{self, Paging, TokenInfo, present, time};
use super::{Call, READERS, id, read, read_or_empty, tokens};

#[derive(Deserialize)]
struct NewIdentity {
    managed: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct Identities {
    identities: Vec<wire::Identity>,
    total: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribedIdentity {
    id: Uuid,
    account_id: Uuid,
    managed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewVmPermission {
    vm_id: String,
    allowed_linux_users: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangedVmPermission {
    #[serde(default, deserialize_with = "present")]
    allowed_linux_users: Option<Option<Vec<String>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VmPermission {
    id: Uuid,
    vm_id: String,
    identity_id: Uuid,
    allowed_linux_users: Option<Vec<String>>,
    granted_at: String,
    granted_by: Uuid,
}

impl VmPermission {
    fn new(grant: VmGrantView, account: Uuid) -> Self {
        Self {
            id: grant.id,
            vm_id: grant.vm,
            identity_id: grant.identity,
            allowed_linux_users: grant.allowed_users,
            granted_at: time(grant.granted_at),
            granted_by: account,
        }
    }
}

pub(super) async fn create_identity(call: Call) -> Result<Json<wire::Identity>, Error> {
    let managed = read_or_empty::<NewIdentity>(&call)?.managed.unwrap_or(false);
    let made = call.submit(CreateIdentity { managed }).await?.answer;
    Ok(Json(wire::Identity { id: made.id, managed: made.managed }))
}

pub(super) async fn list_identities(call: Call) -> Result<Json<Identities>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let (page, managed) = (paging.page()?, paging.include_managed()?);
    let shown = || published.state.identities().iter().filter(|one| managed || !one.managed);
    let identities =
        page.of(shown()).map(|one| wire::Identity { id: one.id, managed: one.managed }).collect();
    Ok(Json(Identities { identities, total: shown().count() as u64 }))
}

pub(super) async fn get_identity(call: Call) -> Result<Json<DescribedIdentity>, Error> {
    let published = call.published_for(&READERS)?;
    let identity = Identity::find(&published.state, id(&call, "identity")?)?;
    let account_id = published.state.account();
    Ok(Json(DescribedIdentity { id: identity.id, account_id, managed: identity.managed }))
}

pub(super) async fn list_tokens(call: Call) -> Result<Json<Vec<TokenInfo>>, Error> {
    tokens::tokens(&call).map(Json)
}

pub(super) async fn grant_vm_permission(call: Call) -> Result<Json<VmPermission>, Error> {
    let identity = id(&call, "identity")?;
    let request: NewVmPermission = read(&call)?;
    let command = GrantVm { identity, vm: request.vm_id, allowed_users: request.allowed_linux_users };
    let granted = call.submit(command).await?.answer;
    Ok(Json(VmPermission::new(granted, call.published().state.account())))
}

pub(super) async fn list_vm_permissions(call: Call) -> Result<Json<Vec<VmPermission>>, Error> {
    let (published, grants) = grants(&call)?;
    let account = published.state.account();
    Ok(Json(grants.into_iter().map(|grant| VmPermission::new(grant, account)).collect()))
}

pub(super) async fn describe_vm_permission(call: Call) -> Result<Json<VmPermission>, Error> {
    let published = call.published_for(&READERS)?;
    let grant = grant(&call, &published.state)?;
    Ok(Json(VmPermission::new(grant, published.state.account())))
}

pub(super) async fn update_vm_permission(call: Call) -> Result<Json<VmPermission>, Error> {
    let request: ChangedVmPermission = read(&call)?;
    let allowed_users = request.allowed_linux_users.ok_or_else(|| missing("allowedLinuxUsers"))?;
    let changed = update(&call, allowed_users).await?;
    Ok(Json(VmPermission::new(changed, call.published().state.account())))
}
