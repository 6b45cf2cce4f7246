//! whoami.

use axum::Json;
use grantd_node::realm::caller::Actor;

use super::Call;
use super::errors::Error;
use super::wire::Whoami;

pub(super) async fn whoami(call: Call) -> Result<Json<Whoami>, Error> {
    let identity_id = match call.caller.actor {
        Actor::Identity(id) => Some(id),
        _ => None,
    };
    Ok(Json(Whoami { account_id: call.published().state.account(), identity_id }))
}
