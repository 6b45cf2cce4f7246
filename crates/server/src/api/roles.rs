//! `/api/v1/roles`: roles, and who is in them.

use axum::Json;
use grantd_node::realm::Basis;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::engine::{Filter, Key, NameError};
use grantd_node::realm::role::{
    AddMember, CreateRole, DeleteRole, Member as Named, RemoveMember, Role as Record, RoleView, UpdateRole,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::users::{READERS, present};
use super::{Call, read};
use crate::time::rfc3339;

/// A role to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewRole {
    /// Immutable and case-sensitive: 1 to 255 of letters, digits, `-` and `_`.
    key: String,
    /// What people call it, if not by its key; at most 255 bytes.
    display_name: Option<String>,
    /// What it is for; at most 4096 bytes.
    description: Option<String>,
}

/// A change of a role; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ChangedRole {
    /// Null: it is called by its key.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
    /// Null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
}

/// A role.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Role {
    key: String,
    uuid: Uuid,
    number: u64,
    display_name: Option<String>,
    description: Option<String>,
    created_at: String,
}

impl From<RoleView> for Role {
    fn from(role: RoleView) -> Self {
        let RoleView { uuid, number, key, display_name, description, created_at } = role;
        Self { key, uuid, number, display_name, description, created_at: rfc3339(created_at) }
    }
}

/// Somebody who is in a role.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Member {
    /// `user:<login>`, or `role:<key>#member`: everybody who is in that role.
    #[schema(example = "user:alice")]
    member: String,
    /// From then on no longer. RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// Makes a role, without members.
#[utoipa::path(
    post, path = "/api/v1/roles", tag = "roles", request_body = NewRole,
    responses((status = 201, body = Role), (status = 400), (status = 401), (status = 403), (status = 409))
)]
pub(super) async fn create_role(call: Call) -> Result<(http::StatusCode, Json<Role>), Error> {
    let NewRole { key, display_name, description } = read(&call)?;
    let done = call.submit(CreateRole { key, display_name, description, basis: Basis::Grantd }).await?;
    Ok((http::StatusCode::CREATED, Json(done.answer.into())))
}

/// Lists the roles, by key.
#[utoipa::path(
    get, path = "/api/v1/roles", tag = "roles", params(Paging),
    responses((status = 200, body = Page<Role>), (status = 401), (status = 403))
)]
pub(super) async fn list_roles(call: Call) -> Result<Json<Page<Role>>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "roles")?;
    let roles = wanted.published.state.roles().iter_after(wanted.after.as_deref()).take(wanted.sought());
    let items = roles.map(|role| RoleView::from(role).into()).collect();
    Ok(Json(wanted.page(&call, items, |role: &Role| role.key.clone())))
}

/// Reads one role.
#[utoipa::path(
    get, path = "/api/v1/roles/{key}", tag = "roles", params(("key" = String, Path)),
    responses((status = 200, body = Role), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_role(call: Call) -> Result<Json<Role>, Error> {
    let published = call.published_for(&READERS)?;
    let role = Record::find(&published.state, call.param("key"))?;
    Ok(Json(RoleView::from(role).into()))
}

/// Changes what a role is called.
#[utoipa::path(
    patch, path = "/api/v1/roles/{key}", tag = "roles", request_body = ChangedRole,
    params(("key" = String, Path)),
    responses((status = 200, body = Role), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn update_role(call: Call) -> Result<Json<Role>, Error> {
    let ChangedRole { display_name, description } = read(&call)?;
    let key = call.param("key").to_owned();
    let done = call.submit(UpdateRole { key, display_name, description, basis: Basis::Grantd }).await?;
    Ok(Json(done.answer.into()))
}

/// Deletes a role with everything that names it. One made again under the same key starts empty.
#[utoipa::path(
    delete, path = "/api/v1/roles/{key}", tag = "roles", params(("key" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404), (status = 409))
)]
pub(super) async fn delete_role(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(DeleteRole { key: call.param("key").to_owned(), basis: Basis::Grantd }).await?;
    Ok(Json(serde_json::json!({})))
}

/// Lists who is in a role: users, then other roles whose members are in it.
#[utoipa::path(
    get, path = "/api/v1/roles/{key}/members", tag = "roles", params(("key" = String, Path), Paging),
    responses((status = 200, body = Page<Member>), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn list_members(call: Call) -> Result<Json<Page<Member>>, Error> {
    let published = call.published_for(&READERS)?;
    let key = call.param("key");
    Record::find(&published.state, key)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, format!("members of {key}"))?;
    let unfit = |problem: NameError| invalid("key", problem.to_string());
    let after = match &wanted.after {
        None => None,
        Some(member) => Some(format!("role:{key}#member@{member}").parse::<Key>().map_err(unfit)?),
    };
    let filter = Filter {
        resource: Some(format!("role:{key}").parse().map_err(unfit)?),
        relation: Some("member".parse().map_err(unfit)?),
        ..Filter::default()
    };
    let state = &wanted.published.state;
    let found = state.relationships(&filter, after.as_ref(), wanted.sought(), wanted.time);
    let member = |one: grantd_node::realm::engine::Relationship| Member {
        member: one.key.subject.to_string(),
        until: one.until.map(rfc3339),
    };
    let items = found.into_iter().map(member).collect();
    Ok(Json(wanted.page(&call, items, |member: &Member| member.member.clone())))
}

/// Puts somebody into a role: `user:<login>`, or with `role:<key>#member` everybody who is in that role. Who is in it already
/// stays.
#[utoipa::path(
    put, path = "/api/v1/roles/{key}/members/{member}", tag = "roles",
    params(("key" = String, Path), ("member" = String, Path)),
    responses((status = 200, body = Member), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn add_member(call: Call) -> Result<Json<Member>, Error> {
    let (role, member) = named(&call)?;
    let text = member.to_string();
    call.submit(AddMember { role, member, basis: Basis::Grantd }).await?;
    Ok(Json(Member { member: text, until: None }))
}

/// Takes somebody out of a role. Who is not in it is no error.
#[utoipa::path(
    delete, path = "/api/v1/roles/{key}/members/{member}", tag = "roles",
    params(("key" = String, Path), ("member" = String, Path)),
    responses(
        (status = 200, body = Object), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409)
    )
)]
pub(super) async fn remove_member(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let (role, member) = named(&call)?;
    call.submit(RemoveMember { role, member, basis: Basis::Grantd }).await?;
    Ok(Json(serde_json::json!({})))
}

fn named(call: &Call) -> Result<(String, Named), Error> {
    call.published_for(&[Authority::Operator])?;
    Ok((call.param("key").to_owned(), call.param("member").parse()?))
}
