//! Taking back: one permission, or all of an app's.

use axum::response::Response;
use grantd_node::realm::authorization::{EndAuthorization, WithdrawScope, may_end};
use serde::Deserialize;
use uuid::Uuid;

use crate::edge::EdgeError;
use crate::face::CallError;
use crate::pages::errors::PageError;
use crate::pages::frame::see_other;
use crate::pages::visit::{Submitted, Visit};

/// Which permission.
#[derive(Deserialize)]
pub(in crate::pages) struct Withdrawal {
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
pub(in crate::pages) struct Nothing {}

/// `POST /apps/{authorization}/withdraw`.
pub(in crate::pages) async fn withdraw(submitted: Submitted<Withdrawal>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let (login, authorization, organization) = theirs(&visit).await?;
    visit.submit(&login, WithdrawScope { authorization, scope: form.scope }).await?;
    Ok(back(&visit, &organization, "withdrawn"))
}

/// `POST /apps/{authorization}/disconnect`.
pub(in crate::pages) async fn disconnect(submitted: Submitted<Nothing>) -> Result<Response, PageError> {
    let visit = submitted.visit;
    let (login, authorization, organization) = theirs(&visit).await?;
    visit.submit(&login, EndAuthorization { authorization }).await?;
    Ok(back(&visit, &organization, "disconnected"))
}

/// Whose it is to take back. To others it is not there.
async fn theirs(visit: &Visit) -> Result<(String, Uuid, String), PageError> {
    let login = visit.signed_in()?.login.clone();
    let unknown = || CallError::from(EdgeError::NotFound);
    let id = Uuid::try_parse(visit.param("authorization")).map_err(|_| unknown())?;
    visit.realm.catch_up().await.map_err(CallError::from)?;
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let found = published.state.authorizations().get(id);
    let found = found.filter(|found| may_end(&published.state, &login, found, now)).ok_or_else(unknown)?;
    Ok((login, id, found.organization.to_string()))
}

fn back(visit: &Visit, organization: &str, done: &str) -> Response {
    see_other(&format!("{}/apps?organization={organization}&done={done}", visit.base()), None)
}
