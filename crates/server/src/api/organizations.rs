//! `/api/v1/organizations`: who agrees to what apps ask for.

use std::sync::Arc;

use axum::Json;
use grantd_node::Published;
use grantd_node::realm::caller::{Actor, Authority};
use grantd_node::realm::organization::{
    CreateOrganization, DeleteOrganization, Organization as Record, Policy, RenameOrganization,
    SetAuthorizationPolicy, seat_of,
};
use grantd_node::realm::refusal::Refusal;
use grantd_node::realm::{Caller, Micros, State};
use serde::{Deserialize, Serialize};

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::users::{READERS, present};
use super::{Call, read};
use crate::time::rfc3339;

/// An organization to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewOrganization {
    /// What people call it; 1 to 255 bytes.
    name: String,
}

/// On what terms its members agree to anything.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
pub(super) struct AuthorizationPolicy {
    /// What is agreed on ends after so many seconds, at least 60; null: it has no end.
    longest_life_seconds: Option<u64>,
    /// Members agree only to what an admin has approved for the app.
    #[serde(default)]
    approval: bool,
}

impl From<Policy> for AuthorizationPolicy {
    fn from(policy: Policy) -> Self {
        let longest_life_seconds = policy.longest_life.map(|life| life.unsigned_abs() / 1_000_000);
        Self { longest_life_seconds, approval: policy.approval }
    }
}

impl From<AuthorizationPolicy> for Policy {
    fn from(policy: AuthorizationPolicy) -> Self {
        let micros = |seconds| Micros::try_from(seconds).unwrap_or(Micros::MAX).saturating_mul(1_000_000);
        Self { longest_life: policy.longest_life_seconds.map(micros), approval: policy.approval }
    }
}

/// A change of an organization; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ChangedOrganization {
    /// What people call it; 1 to 255 bytes.
    name: Option<String>,
    /// For what is agreed on from now on. Null: no terms.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<AuthorizationPolicy>)]
    policy: Option<Option<AuthorizationPolicy>>,
}

/// An organization.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Organization {
    #[schema(example = "org_12345678")]
    id: String,
    /// In the order of their making.
    number: u64,
    /// Null if it was erased.
    name: Option<String>,
    policy: AuthorizationPolicy,
    created_at: String,
}

impl From<&Record> for Organization {
    fn from(organization: &Record) -> Self {
        Self {
            id: organization.id.to_string(),
            number: organization.number,
            name: organization.name.text().map(Into::into),
            policy: organization.policy.into(),
            created_at: rfc3339(organization.created_at),
        }
    }
}

/// Whether a caller has a seat there.
fn has_seat(caller: &Caller, state: &State, organization: &str, now: Micros) -> bool {
    match (&caller.actor, caller.conferred) {
        (Actor::User(login), None) => seat_of(state, organization, login, now).is_some(),
        _ => false,
    }
}

/// The state, for who reads all of the realm, or has a seat in the organization of the call's path.
pub(super) fn published_for_seated(call: &Call, organization: &str) -> Result<Arc<Published>, Error> {
    let published = call.published();
    if has_seat(&call.caller, &published.state, organization, call.now()) {
        return Ok(published);
    }
    Ok(call.published_for(&READERS)?)
}

/// The same, with the organization.
pub(super) fn seen(call: &Call) -> Result<(Arc<Published>, Arc<Record>), Error> {
    let id = call.param("id");
    let published = published_for_seated(call, id)?;
    let organization = Record::find(&published.state, id)?.clone();
    Ok((published, organization))
}

fn found(call: &Call, id: &str) -> Result<Organization, Error> {
    Ok(Organization::from(&**Record::find(&call.realm.published().state, id)?))
}

/// Makes an organization, without members.
#[utoipa::path(
    post, path = "/api/v1/organizations", tag = "apps", request_body = NewOrganization,
    responses((status = 201, body = Organization), (status = 400), (status = 401), (status = 403), (status = 429))
)]
pub(super) async fn create_organization(call: Call) -> Result<(http::StatusCode, Json<Organization>), Error> {
    let NewOrganization { name } = read(&call)?;
    let done = call.submit(CreateOrganization { name }).await?;
    Ok((http::StatusCode::CREATED, Json(found(&call, &done.answer.id)?)))
}

/// Lists the organizations, in the order of their making.
#[utoipa::path(
    get, path = "/api/v1/organizations", tag = "apps", params(Paging),
    responses((status = 200, body = Page<Organization>), (status = 401), (status = 403))
)]
pub(super) async fn list_organizations(call: Call) -> Result<Json<Page<Organization>>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "organizations")?;
    let after = wanted.after.as_ref().and_then(|number| number.parse().ok()).unwrap_or(0);
    let all = wanted.published.state.organizations().iter_after(after).take(wanted.sought());
    let items = all.map(|organization| Organization::from(&**organization)).collect();
    Ok(Json(wanted.page(&call, items, |organization: &Organization| organization.number.to_string())))
}

/// Reads one organization; also for its members.
#[utoipa::path(
    get, path = "/api/v1/organizations/{id}", tag = "apps", params(("id" = String, Path)),
    responses((status = 200, body = Organization), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_organization(call: Call) -> Result<Json<Organization>, Error> {
    let (_, organization) = seen(&call)?;
    Ok(Json(Organization::from(&*organization)))
}

/// Changes what people call it, or its terms. An admin of it sets the terms, too.
#[utoipa::path(
    patch, path = "/api/v1/organizations/{id}", tag = "apps", request_body = ChangedOrganization,
    params(("id" = String, Path)),
    responses((status = 200, body = Organization), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn update_organization(call: Call) -> Result<Json<Organization>, Error> {
    let ChangedOrganization { name, policy } = read(&call)?;
    let id = call.param("id").to_owned();
    match (name, policy) {
        (Some(_), Some(_)) => {
            return Err(invalid("policy", "cannot be changed together with the name: send two requests"));
        }
        (Some(name), None) => {
            call.submit(RenameOrganization { id: id.clone(), name }).await?;
        }
        (None, Some(policy)) => {
            let policy = policy.map(Policy::from).unwrap_or_default();
            call.submit(SetAuthorizationPolicy { organization: id.clone(), policy }).await?;
        }
        (None, None) => return Err(invalid("name", "is missing, and so is `policy`: name what to change")),
    }
    Ok(Json(found(&call, &id)?))
}

/// Deletes an organization, with its tokens and everything that it let apps do.
#[utoipa::path(
    delete, path = "/api/v1/organizations/{id}", tag = "apps", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_organization(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(DeleteOrganization { id: call.param("id").to_owned() }).await?;
    Ok(Json(serde_json::json!({})))
}

/// An authority that runs the realm, or an admin's seat: who reads what is an admin's business.
pub(super) fn for_admin(call: &Call, organization: &str) -> Result<Arc<Published>, Error> {
    use grantd_node::realm::organization::Seat;
    let published = call.published();
    if let (Actor::User(login), None) = (&call.caller.actor, call.caller.conferred)
        && seat_of(&published.state, organization, login, call.now()) == Some(Seat::Admin)
    {
        return Ok(published);
    }
    let readers = [Authority::Operator, Authority::Auditor];
    Ok(call.published_for(&readers).map_err(|_| Refusal::NotAllowed(Authority::Operator))?)
}
