//! The route table of the face.

use axum::Router;
use axum::routing::{get, post};

use super::{evaluation, evaluations, metadata, search_action, search_resource, search_subject};
use crate::app::SharedApp;

/// The routes with ordinary limits.
pub fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/access/v1/evaluation", post(evaluation::evaluation))
        .route("/access/v1/search/subject", post(search_subject::search_subject))
        .route("/access/v1/search/resource", post(search_resource::search_resource))
        .route("/access/v1/search/action", post(search_action::search_action))
        .route("/.well-known/authzen-configuration", get(metadata::metadata))
}

/// The routes that take long bodies.
pub fn bulk_routes() -> Router<SharedApp> {
    Router::new().route("/access/v1/evaluations", post(evaluations::evaluations))
}
