//! `/api/v1/organizations/{id}/members`: who belongs to an organization.

use axum::Json;
use grantd_node::realm::organization::{Seat, SeatMember, UnseatMember, members};
use grantd_node::realm::role::Member as Named;
use serde::{Deserialize, Serialize};

use super::errors::{Error, invalid};
use super::organizations::seen;
use super::page::{Page, Paging};
use super::{Call, read};

/// Which seat.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewSeat {
    /// `admin` or `member`.
    #[schema(example = "member")]
    seat: String,
}

/// Somebody with a seat in an organization.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OrganizationMember {
    /// `user:<login>`, or `role:<key>#member`: everybody who is in that role.
    #[schema(example = "user:alice")]
    member: String,
    /// `admin` or `member`.
    #[schema(value_type = String)]
    seat: &'static str,
}

/// Lists who belongs to it: by member.
#[utoipa::path(
    get, path = "/api/v1/organizations/{id}/members", tag = "apps", params(("id" = String, Path), Paging),
    responses((status = 200, body = Page<OrganizationMember>), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn list_seats(call: Call) -> Result<Json<Page<OrganizationMember>>, Error> {
    let (published, organization) = seen(&call)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, format!("members of {}", organization.id))?;
    let all = members(&wanted.published.state, &organization.id, wanted.time);
    let mut all: Vec<_> = all.into_iter().map(|(member, seat)| (member.to_string(), seat.name())).collect();
    all.sort_unstable();
    let behind = |member: &str| wanted.after.as_deref().is_none_or(|after| member > after);
    let items = all.into_iter().filter(|(member, _)| behind(member)).take(wanted.sought());
    let items = items.map(|(member, seat)| OrganizationMember { member, seat }).collect();
    Ok(Json(wanted.page(&call, items, |one: &OrganizationMember| one.member.clone())))
}

/// Gives somebody a seat, in place of the other one: `user:<login>`, or `role:<key>#member`. For an admin of the organization,
/// or who runs the realm.
#[utoipa::path(
    put, path = "/api/v1/organizations/{id}/members/{member}", tag = "apps", request_body = NewSeat,
    params(("id" = String, Path), ("member" = String, Path)),
    responses((status = 200, body = OrganizationMember), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn seat_member(call: Call) -> Result<Json<OrganizationMember>, Error> {
    let NewSeat { seat } = read(&call)?;
    let seat = Seat::of_name(&seat).ok_or_else(|| invalid("seat", "must be `admin` or `member`"))?;
    let member: Named = call.param("member").parse()?;
    let answer = OrganizationMember { member: member.to_string(), seat: seat.name() };
    call.submit(SeatMember { organization: call.param("id").to_owned(), member, seat }).await?;
    Ok(Json(answer))
}

/// Takes somebody's seat. Who has none is no error.
#[utoipa::path(
    delete, path = "/api/v1/organizations/{id}/members/{member}", tag = "apps",
    params(("id" = String, Path), ("member" = String, Path)),
    responses((status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn unseat_member(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let member: Named = call.param("member").parse()?;
    call.submit(UnseatMember { organization: call.param("id").to_owned(), member }).await?;
    Ok(Json(serde_json::json!({})))
}
