//! The route table of the dialect.

use axum::Router;
use axum::routing::{get, post};

use super::{health, permissions, sessions, stream};
use crate::app::SharedApp;

/// The routes with ordinary limits, at their documented paths.
pub(super) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/permissions", post(permissions::create_permission).get(permissions::list_permissions))
        .route("/api/permissions/{id}/grant", post(permissions::grant_permission))
        .route("/api/permissions/{id}/deny", post(permissions::deny_permission))
        .route("/api/permissions/{id}/cancel", post(permissions::cancel_permission))
        .route("/api/permissions//grant", post(permissions::without_id))
        .route("/api/permissions//deny", post(permissions::without_id))
        .route("/api/sessions", post(sessions::create_session).get(sessions::list_sessions))
        .route("/api/sessions/{id}", get(sessions::get_session).delete(sessions::delete_session))
        .route("/api/sessions/{id}/cancel", post(sessions::cancel_session_processing))
        .route("/health", get(health::health_check))
}

/// The routes that may wait.
pub(super) fn waiting_routes() -> Router<SharedApp> {
    Router::new().route("/api/permissions/{id}", get(permissions::get_permission))
}

/// The routes whose answers go on.
pub(super) fn streaming_routes() -> Router<SharedApp> {
    Router::new().route("/stream", get(stream::stream_events))
}
