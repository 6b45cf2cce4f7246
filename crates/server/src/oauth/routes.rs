//! The route table of the authorization server. Its authorization endpoint is a page: `pages/routes.rs`.

use axum::Router;
use axum::routing::{get, post};

use super::{authorize, introspect, metadata, revoke, tokens};
use crate::app::SharedApp;

/// Every route.
pub(super) fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/oauth2/tokens", post(tokens::issue_tokens).delete(revoke::delete_token))
        .route("/oauth2/revoke", post(revoke::revoke_token))
        .route("/oauth2/introspect", post(introspect::introspect_token))
        .route("/mollie/oauth2/authorize", get(authorize::go_to_authorize))
        .route("/.well-known/oauth-authorization-server", get(metadata::show_metadata))
}
