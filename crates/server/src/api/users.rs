//! `/api/v1/users`: people.

use axum::Json;
use grantd_node::realm::Basis;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::user::{CreateUser, DeleteUser, UpdateUser, User as Record, UserView};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::errors::Error;
use super::page::{Page, Paging};
use super::{Call, read};
use crate::password;
use crate::time::rfc3339;

/// A user to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewUser {
    /// Immutable and case-sensitive: 1 to 150 of letters, digits and `.@+_-`.
    login: String,
    /// What people call them.
    name: Option<String>,
    /// 8 to 1024 bytes; without one they cannot sign in by password.
    password: Option<String>,
    /// Keys of roles that they are a member of from the start.
    #[serde(default)]
    roles: Vec<String>,
}

/// A change of a user; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ChangedUser {
    /// Null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    password: Option<String>,
    active: Option<bool>,
    /// Keys of the roles that they are a member of from now on, in place of those before.
    roles: Option<Vec<String>>,
}

/// A member that is there, if only as null.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A user.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct User {
    login: String,
    uuid: Uuid,
    number: u64,
    name: Option<String>,
    has_password: bool,
    active: bool,
    created_at: String,
    /// Keys of the roles that they are in themselves.
    roles: Vec<String>,
}

impl From<UserView> for User {
    fn from(user: UserView) -> Self {
        Self {
            login: user.login,
            uuid: user.uuid,
            number: user.number,
            name: user.name,
            has_password: user.has_password,
            active: user.active,
            created_at: rfc3339(user.created_at),
            roles: user.roles,
        }
    }
}

/// Who may look at people and roles.
pub(super) const READERS: [Authority; 2] = [Authority::Auditor, Authority::Operator];

/// Makes a user.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses(
        (status = 201, body = User), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409)
    )
)]
pub(super) async fn create_user(call: Call) -> Result<(http::StatusCode, Json<User>), Error> {
    let NewUser { login, name, password, roles } = read(&call)?;
    let password = hashed(&call, password).await?;
    let command = CreateUser { login, name, password, roles, basis: Basis::Grantd };
    let done = call.submit(command).await?;
    Ok((http::StatusCode::CREATED, Json(done.answer.into())))
}

/// Hashing is costly, so it is done only for callers who may set a password at all.
async fn hashed(
    call: &Call,
    password: Option<String>,
) -> Result<Option<grantd_node::realm::command::Secret>, Error> {
    let Some(password) = password else { return Ok(None) };
    call.published_for(&[Authority::Operator])?;
    Ok(Some(password::hash(password).await?))
}

/// Lists the users, by login.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", params(Paging),
    responses((status = 200, body = Page<User>), (status = 401), (status = 403))
)]
pub(super) async fn list_users(call: Call) -> Result<Json<Page<User>>, Error> {
    let published = call.published_for(&READERS)?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "users")?;
    let users = wanted.published.state.users().iter_after(wanted.after.as_deref()).take(wanted.sought());
    let state = &wanted.published.state;
    let items = users.map(|user| UserView::of(state, user, wanted.time).into()).collect();
    Ok(Json(wanted.page(&call, items, |user: &User| user.login.clone())))
}

/// Reads one user.
#[utoipa::path(
    get, path = "/api/v1/users/{login}", tag = "users", params(("login" = String, Path)),
    responses((status = 200, body = User), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_user(call: Call) -> Result<Json<User>, Error> {
    let published = call.published_for(&READERS)?;
    let user = Record::find(&published.state, call.param("login"))?;
    Ok(Json(UserView::of(&published.state, user, call.now()).into()))
}

/// Changes a user.
#[utoipa::path(
    patch, path = "/api/v1/users/{login}", tag = "users", request_body = ChangedUser,
    params(("login" = String, Path)),
    responses(
        (status = 200, body = User), (status = 400), (status = 401), (status = 403), (status = 404), (status = 409)
    )
)]
pub(super) async fn update_user(call: Call) -> Result<Json<User>, Error> {
    let ChangedUser { name, password, active, roles } = read(&call)?;
    let password = hashed(&call, password).await?;
    let login = call.param("login").to_owned();
    let basis = Basis::Grantd;
    let done = call.submit(UpdateUser { login, name, password, active, roles, basis }).await?;
    Ok(Json(done.answer.into()))
}

/// Deletes a user with everything that names them. A login made again starts with nothing.
#[utoipa::path(
    delete, path = "/api/v1/users/{login}", tag = "users", params(("login" = String, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404), (status = 409))
)]
pub(super) async fn delete_user(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(DeleteUser { login: call.param("login").to_owned(), basis: Basis::Grantd }).await?;
    Ok(Json(serde_json::json!({})))
}
