//! `/api/v1/organizations/{id}/tokens`: tokens of an organization's own.

use axum::Json;
use grantd_node::realm::organization::{
    IssueOrganizationToken, OrganizationToken as Record, RevokeOrganizationToken,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::organizations::for_admin;
use super::page::{Page, Paging};
use super::{Call, read};
use crate::time::rfc3339;

/// A token to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewOrganizationToken {
    /// What it is for.
    #[schema(example = json!(["payments.read"]))]
    scopes: Vec<String>,
    /// What people call it; 1 to 255 bytes.
    name: Option<String>,
}

/// A token at the moment of its making.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CreatedOrganizationToken {
    /// By which it is revoked.
    id: Uuid,
    /// The secret, shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// What it is for, separated by spaces.
    scope: String,
}

/// A token as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OrganizationToken {
    id: Uuid,
    /// Null if it was erased.
    name: Option<String>,
    scopes: Vec<String>,
    /// Who made it.
    created_by: String,
    created_at: String,
}

impl From<&Record> for OrganizationToken {
    fn from(token: &Record) -> Self {
        Self {
            id: token.id,
            name: token.name.text().map(Into::into),
            scopes: token.scopes.iter().map(ToString::to_string).collect(),
            created_by: token.by.to_string(),
            created_at: rfc3339(token.created_at),
        }
    }
}

/// Makes a token of the organization's own: no app, no end. For an admin of the organization, or who runs the realm.
#[utoipa::path(
    post, path = "/api/v1/organizations/{id}/tokens", tag = "apps", request_body = NewOrganizationToken,
    params(("id" = String, Path)),
    responses(
        (status = 201, body = CreatedOrganizationToken), (status = 400), (status = 401), (status = 403), (status = 404), (status = 429)
    )
)]
pub(super) async fn issue_token(
    call: Call,
) -> Result<(http::StatusCode, Json<CreatedOrganizationToken>), Error> {
    let NewOrganizationToken { scopes, name } = read(&call)?;
    let mut named = scopes.clone();
    named.sort_unstable();
    named.dedup();
    let (organization, name) = (call.param("id").to_owned(), name.unwrap_or_else(|| "token".into()));
    let done = call.submit(IssueOrganizationToken { organization, name, scopes }).await?;
    let access_token = done.answer.token.map(|token| token.0);
    let created = CreatedOrganizationToken { id: done.answer.id, access_token, scope: named.join(" ") };
    Ok((http::StatusCode::CREATED, Json(created)))
}

/// Lists its own tokens, without their secrets. For an admin of the organization, or who runs or audits the realm.
#[utoipa::path(
    get, path = "/api/v1/organizations/{id}/tokens", tag = "apps", params(("id" = String, Path), Paging),
    responses((status = 200, body = Page<OrganizationToken>), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn list_tokens(call: Call) -> Result<Json<Page<OrganizationToken>>, Error> {
    let id = call.param("id");
    let published = for_admin(&call, id)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, format!("tokens of {id}"))?;
    let organization = grantd_node::realm::organization::Organization::find(&wanted.published.state, id)?;
    let after = wanted.after.as_ref().and_then(|after| Uuid::parse_str(after).ok());
    let behind = organization.tokens().filter(|token| after.is_none_or(|after| token.id > after));
    let items = behind.take(wanted.sought()).map(OrganizationToken::from).collect();
    Ok(Json(wanted.page(&call, items, |token: &OrganizationToken| token.id.to_string())))
}

/// Revokes one of its own tokens.
#[utoipa::path(
    delete, path = "/api/v1/organizations/{id}/tokens/{token}", tag = "apps",
    params(("id" = String, Path), ("token" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn revoke_token(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let id = Uuid::parse_str(call.param("token")).map_err(|_| invalid("token", "must be a UUID"))?;
    call.submit(RevokeOrganizationToken { organization: call.param("id").to_owned(), id }).await?;
    Ok(Json(serde_json::json!({})))
}
