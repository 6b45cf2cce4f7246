//! `/api/v1/vms`: machines behind the SSH gateway.

use axum::Json;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::vm::{GatewayKey, PutVm, RemoveVm, RotateVmKey, Vm as Record};
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::page::{Page, Paging};
use super::users::READERS;
use super::{Call, read};
use crate::face::CallError;
use crate::ssh::pair;
use crate::time::rfc3339;

/// How a VM is reached, and known.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct GivenVm {
    /// Host and port; 22 without one. An IPv6 address stands in brackets.
    #[schema(example = "10.0.0.7:22")]
    address: String,
    /// What it must show to the gateway: a line of its `/etc/ssh/ssh_host_*_key.pub`.
    #[schema(example = "ssh-ed25519 AAAA...")]
    host_key: String,
}

/// A VM.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Vm {
    id: String,
    /// Host and port.
    address: String,
    /// What it must show.
    host_key: String,
    /// What it is to trust: a line for `authorized_keys`.
    gateway_key: String,
    /// The one before, by which the gateway still signs in for a while where the VM does not know the new one.
    previous_gateway_key: Option<String>,
    previous_gateway_key_until: Option<String>,
    created_at: String,
}

impl Vm {
    fn new(vm: &Record, now: i64) -> Self {
        let line = |key: &GatewayKey| format!("{} grantd-gateway", key.public);
        let previous = vm.previous.as_ref().filter(|previous| now < previous.until);
        Self {
            id: vm.form.id.to_string(),
            address: vm.form.address.to_string(),
            host_key: vm.form.host_key.to_string(),
            gateway_key: line(&vm.gateway_key),
            previous_gateway_key: previous.map(|previous| line(&previous.key)),
            previous_gateway_key_until: previous.map(|previous| rfc3339(previous.until)),
            created_at: rfc3339(vm.created_at),
        }
    }
}

/// What went with a VM.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RemovedVm {
    /// How many grants on it were revoked.
    grants: u64,
}

/// The VM as it is now.
fn found(call: &Call) -> Result<Json<Vm>, Error> {
    let published = call.realm.published();
    let id = call.param("id");
    let vm = published.state.vms().get(id).ok_or_else(|| Refusal::not_found(Noun::Vm, id))?;
    Ok(Json(Vm::new(vm, call.now())))
}

/// Lists the VMs, by id.
#[utoipa::path(
    get, path = "/api/v1/vms", tag = "vms", params(Paging),
    responses((status = 200, body = Page<Vm>), (status = 401), (status = 403))
)]
pub(super) async fn list_vms(call: Call) -> Result<Json<Page<Vm>>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "vms")?;
    let now = wanted.time;
    let vms = wanted.published.state.vms().iter_after(wanted.after.as_deref()).take(wanted.sought());
    let items = vms.map(|vm| Vm::new(vm, now)).collect();
    Ok(Json(wanted.page(&call, items, |vm: &Vm| vm.id.clone())))
}

/// Reads a VM.
#[utoipa::path(
    get, path = "/api/v1/vms/{id}", tag = "vms", params(("id" = String, Path)),
    responses((status = 200, body = Vm), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_vm(call: Call) -> Result<Json<Vm>, Error> {
    call.published_for(&READERS)?;
    found(&call)
}

/// Registers a VM, or says how it is reached and known from now on. A new one gets a gateway key, which stays.
#[utoipa::path(
    put, path = "/api/v1/vms/{id}", tag = "vms", params(("id" = String, Path)), request_body = GivenVm,
    responses(
        (status = 200, body = Vm), (status = 201, body = Vm), (status = 400), (status = 401), (status = 403)
    )
)]
pub(super) async fn put_vm(call: Call) -> Result<(http::StatusCode, Json<Vm>), Error> {
    let GivenVm { address, host_key } = read(&call)?;
    let gateway_key = pair::make().map_err(CallError::from)?;
    let id = call.param("id").to_owned();
    let is_new = call.submit(PutVm { id, address, host_key, gateway_key }).await?.answer;
    let status = if is_new { http::StatusCode::CREATED } else { http::StatusCode::OK };
    Ok((status, found(&call)?))
}

/// Gives the gateway another key to a VM. By the one before it signs in for 24 hours more; by one from before that no more.
#[utoipa::path(
    post, path = "/api/v1/vms/{id}/gateway-key", tag = "vms", params(("id" = String, Path)),
    responses((status = 200, body = Vm), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn rotate_vm_key(call: Call) -> Result<Json<Vm>, Error> {
    let gateway_key = pair::make().map_err(CallError::from)?;
    call.submit(RotateVmKey { id: call.param("id").to_owned(), gateway_key }).await?;
    found(&call)
}

/// Removes a VM with every grant on it.
#[utoipa::path(
    delete, path = "/api/v1/vms/{id}", tag = "vms", params(("id" = String, Path)),
    responses((status = 200, body = RemovedVm), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn remove_vm(call: Call) -> Result<Json<RemovedVm>, Error> {
    let removed = call.submit(RemoveVm { id: call.param("id").to_owned() }).await?;
    Ok(Json(RemovedVm { grants: removed.answer }))
}
