//! The route table of the dialect, at its documented paths.

use axum::Router;
use axum::routing::get;

use super::{organizations, permissions_v1, permissions_v2};
use crate::app::SharedApp;

/// What answers in the form of v1.
pub(super) fn v1() -> Router<SharedApp> {
    Router::new()
        .route("/v1/permissions", get(permissions_v1::list_permissions))
        .route("/v1/permissions/{permission}", get(permissions_v1::get_permission))
}

/// What answers in the form of v2.
pub(super) fn v2() -> Router<SharedApp> {
    Router::new()
        .route("/v2/permissions", get(permissions_v2::list_permissions))
        .route("/v2/permissions/{permission}", get(permissions_v2::get_permission))
        .route("/v2/organizations/me", get(organizations::get_current_organization))
}
