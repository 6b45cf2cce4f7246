//! `/api/v1/organizations/{id}/approvals`: what an organization's admins let its members agree to.

use axum::Json;
use grantd_node::realm::organization::{Approval as Record, ApproveApp, Organization, WithdrawApproval};
use serde::{Deserialize, Serialize};

use super::errors::Error;
use super::organizations::published_for_seated;
use super::page::{Page, Paging};
use super::{Call, read};
use crate::time::rfc3339;

/// What to approve for an app.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewApproval {
    /// These and no others.
    #[schema(example = json!(["payments.read"]))]
    scopes: Vec<String>,
}

/// What members may agree to for an app.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Approval {
    /// Its client id.
    app: String,
    scopes: Vec<String>,
    /// Who approved it.
    approved_by: String,
    approved_at: String,
}

impl Approval {
    fn new(app: &str, approval: &Record) -> Self {
        Self {
            app: app.into(),
            scopes: approval.scopes.iter().map(ToString::to_string).collect(),
            approved_by: approval.by.to_string(),
            approved_at: rfc3339(approval.at),
        }
    }
}

/// Lists what is approved, by client id; also for its members.
#[utoipa::path(
    get, path = "/api/v1/organizations/{id}/approvals", tag = "apps", params(("id" = String, Path), Paging),
    responses((status = 200, body = Page<Approval>), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn list_approvals(call: Call) -> Result<Json<Page<Approval>>, Error> {
    let id = call.param("id");
    let published = published_for_seated(&call, id)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, format!("approvals of {id}"))?;
    let organization = Organization::find(&wanted.published.state, id)?;
    let behind = |app: &str| wanted.after.as_deref().is_none_or(|after| app > after);
    let found = organization.approvals().filter(|(app, _)| behind(app)).take(wanted.sought());
    let items = found.map(|(app, approval)| Approval::new(app, approval)).collect();
    Ok(Json(wanted.page(&call, items, |approval: &Approval| approval.app.clone())))
}

/// Approves exactly these scopes for an app, in place of what was approved before. For an admin of the organization, or who runs
/// the realm.
#[utoipa::path(
    put, path = "/api/v1/organizations/{id}/approvals/{app}", tag = "apps", request_body = NewApproval,
    params(("id" = String, Path), ("app" = String, Path)),
    responses((status = 200, body = Approval), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn approve_app(call: Call) -> Result<Json<Approval>, Error> {
    let NewApproval { scopes } = read(&call)?;
    let (organization, app) = (call.param("id").to_owned(), call.param("app").to_owned());
    call.submit(ApproveApp { organization: organization.clone(), app: app.clone(), scopes }).await?;
    let published = call.realm.published();
    let approval = Organization::find(&published.state, &organization)?.approval(&app);
    let gone = || grantd_node::realm::Refusal::not_found(grantd_node::realm::refusal::Noun::Approval, &app);
    Ok(Json(Approval::new(&app, approval.ok_or_else(gone)?)))
}

/// Takes an approval back. What was agreed on by it stays agreed on.
#[utoipa::path(
    delete, path = "/api/v1/organizations/{id}/approvals/{app}", tag = "apps",
    params(("id" = String, Path), ("app" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn withdraw_approval(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let (organization, app) = (call.param("id").to_owned(), call.param("app").to_owned());
    call.submit(WithdrawApproval { organization, app }).await?;
    Ok(Json(serde_json::json!({})))
}
