//! The route table of grantd's own API.

use axum::Router;
use axum::routing::{delete, get, post, put};

use super::{check, entities, keys, ledger, relationships, schema, users};
use crate::app::SharedApp;

/// The routes with ordinary limits.
pub fn routes() -> Router<SharedApp> {
    Router::new()
        .route("/api/v1/check", post(check::check))
        .route(
            "/api/v1/entities/{type}/{id}",
            get(entities::get_entity).put(entities::put_entity).delete(entities::delete_entity),
        )
        .route("/api/v1/users", post(users::create_user).get(users::list_users))
        .route(
            "/api/v1/users/{login}",
            get(users::get_user).patch(users::update_user).delete(users::delete_user),
        )
        .route("/api/v1/keys", post(keys::create_key).get(keys::list_keys))
        .route("/api/v1/keys/{id}", delete(keys::revoke_key))
}

/// The routes that take long bodies.
pub fn bulk_routes() -> Router<SharedApp> {
    let write = post(relationships::write_relationships).get(relationships::read_relationships);
    Router::new()
        .route("/api/v1/relationships", write)
        .route("/api/v1/schema", put(schema::put_schema).get(schema::get_schema))
}

/// The routes that may wait.
pub fn waiting_routes() -> Router<SharedApp> {
    Router::new().route("/api/v1/ledger", get(ledger::read_ledger))
}
