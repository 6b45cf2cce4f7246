//! The route table of the dialect.

use axum::Router;
use axum::routing::{delete, get, post};

use super::{actions, permissions, role_users, roles, search, users};
use crate::app::SharedApp;

/// Every route, at its documented path. Paths come here normalised, with a slash at the end.
pub(super) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/v2/permissions/", get(permissions::list_permissions))
        .route("/v2/permissions/actions/grant_to_user/", post(permissions::grant_to_user))
        .route("/v2/permissions/actions/revoke_from_user/", post(permissions::revoke_from_user))
        .route("/v2/permissions/actions/grant_to_role/", post(permissions::grant_to_role))
        .route("/v2/permissions/actions/revoke_from_role/", post(permissions::revoke_from_role))
        .route("/v2/users/", get(users::list_users).post(users::create_user))
        .route("/v2/users/search/", get(search::search_users_by_query).post(search::search_users))
        .route("/v2/users/{login}/", get(users::get_user).put(users::update_user).delete(users::delete_user))
        .route("/v2/roles/", get(roles::list_roles).post(roles::create_role))
        .route("/v2/roles/{role}/", get(roles::get_role).put(roles::update_role).delete(roles::delete_role))
        .route("/v2/roles/{role}/users/", get(role_users::list_role_users).post(role_users::add_role_user))
        .route("/v2/roles/{role}/users/{login}/", delete(role_users::remove_role_user))
        .route("/v2/actions/login/", post(actions::login))
}
