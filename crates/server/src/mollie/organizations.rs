//! The organization behind a token.

use axum::response::Response;

use super::bearer::{asking, token};
use super::errors::{Error, Problem};
use super::wire::{LinksV2, OrganizationV2};
use super::{Call, V2};

/// The permission to see it.
const READ: &str = "organizations.read";

/// `GET /v2/organizations/me`.
pub(super) async fn get_current_organization(call: Call<V2>) -> Result<Response, Error<V2>> {
    let token = token(&call).await?;
    let asking = asking(&call, &token);
    if !asking.granted(READ) {
        return Err(Problem::Lacks(READ).into());
    }
    let id = token.organization();
    let organization = asking.published().state.organizations().get(id);
    let name = organization.and_then(|organization| organization.name.text()).unwrap_or_default();
    let own = call.link("/v2/organizations/me");
    let documentation = call.documentation("/reference/v2/organizations-api/current-organization");
    let links = LinksV2::documented(own, documentation);
    Ok(call.answer(&OrganizationV2 { resource: "organization", id, name, email: "", locale: None, links }))
}
