//! create_identity, list_identities, delete_identity.

use axum::Json;
use grantd_node::realm::identity::{CreateIdentity, DeleteIdentity};

use super::errors::{Error, on_delete};
use super::wire::{Empty, Identities, Identity, Paging};
use super::{Call, READERS, id};

pub(super) async fn create_identity(call: Call) -> Result<Json<Identity>, Error> {
    let made = call.submit(CreateIdentity { managed: false }).await?.answer;
    Ok(Json(Identity { id: made.id, managed: made.managed }))
}

pub(super) async fn list_identities(call: Call) -> Result<Json<Identities>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let (page, managed) = (paging.page()?, paging.include_managed()?);
    let shown = || published.state.identities().iter().filter(|identity| managed || !identity.managed);
    let identities = page.of(shown()).map(|one| Identity { id: one.id, managed: one.managed }).collect();
    Ok(Json(Identities { identities, offset: page.offset, total: shown().count() as u64 }))
}

pub(super) async fn delete_identity(call: Call) -> Result<Json<Empty>, Error> {
    call.submit(DeleteIdentity { id: id(&call, "identity")? }).await.map_err(on_delete)?;
    Ok(Json(Empty {}))
}
