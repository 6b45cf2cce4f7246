//! The route table: git's smart HTTP protocol, and the keys that sign what a push is told by.

use axum::Router;
use axum::routing::{get, post};

use super::serve::{keys, serve};
use crate::app::SharedApp;
use crate::edge::EdgeError;

/// Every route; another method on one is as unknown as another path.
pub(super) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/{repository}/info/refs", get(serve))
        .route("/{repository}/git-upload-pack", post(serve))
        .route("/{repository}/git-receive-pack", post(serve))
        .route("/.well-known/jwks.json", get(keys))
        .method_not_allowed_fallback(|| async { EdgeError::NotFound })
}
