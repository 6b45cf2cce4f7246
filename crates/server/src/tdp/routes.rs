//! The route table of the dialect.

use axum::Router;
use axum::routing::{MethodRouter, get};

use super::{auth_check, call, content_types, login, login_oidc, logout, metadata, permissions, roles};
use crate::app::SharedApp;

/// Every route, at its documented path without the slash at its end.
pub(super) fn routes() -> Router<SharedApp> {
    Router::new()
        .route(
            "/v1/permissions",
            records(get(permissions::list_permissions).post(permissions::create_permission)),
        )
        .route(
            "/v1/permissions/{id}",
            records(
                get(permissions::get_permission)
                    .put(permissions::replace_permission)
                    .patch(permissions::update_permission)
                    .delete(permissions::delete_permission),
            ),
        )
        .route("/v1/roles", records(get(roles::list_roles).post(roles::create_role)))
        .route(
            "/v1/roles/{id}",
            records(
                get(roles::get_role)
                    .put(roles::replace_role)
                    .patch(roles::update_role)
                    .delete(roles::delete_role),
            ),
        )
        .route(
            "/v1/content_types",
            records(get(content_types::list_content_types).post(content_types::create_content_type)),
        )
        .route("/v1/auth_check", get(auth_check::auth_check).fallback(call::wrong_method_for_anyone))
        .route(
            "/v1/login",
            get(login_oidc::come_back).post(login::login).fallback(call::wrong_method_for_nobody),
        )
        .route("/v1/login/oidc", get(login_oidc::go_to_provider).fallback(call::wrong_method_for_nobody))
        .route("/v1/logout/oidc", get(logout::logout_oidc).fallback(call::wrong_method_for_nobody))
        .route("/v1/logout", get(logout::logout).post(logout::logout).fallback(call::wrong_method_for_anyone))
}

/// What records answer to any other method.
fn records(methods: MethodRouter<SharedApp>) -> MethodRouter<SharedApp> {
    methods.options(metadata::describe).fallback(call::wrong_method)
}
