//! `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use grantd_node::realm::realms::DEFAULT;
use http::{StatusCode, header};
use serde_json::json;

use crate::app::SharedApp;
use crate::telemetry::{METRICS_CONTENT_TYPE, Metrics};

/// Every route.
pub(crate) fn routes(metrics: Arc<Metrics>) -> Router<SharedApp> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render))
        .layer(Extension(metrics))
}

/// The process runs.
async fn healthz() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// Requests can be answered: the realm that most of them mean is loaded, and the store answers.
async fn readyz(State(app): State<SharedApp>) -> Response {
    let ready = match app.node.realm(DEFAULT).await {
        // Catching up fails on an entry that this program cannot read.
        Ok(realm) => realm.catch_up().await.is_ok() && realm.entries(u64::MAX, 1).await.is_ok(),
        Err(_) => false,
    };
    if ready {
        return Json(json!({ "status": "ready" })).into_response();
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    (status, [(header::RETRY_AFTER, "1")], Json(json!({ "status": "not ready" }))).into_response()
}

async fn render(Extension(metrics): Extension<Arc<Metrics>>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], metrics.render()).into_response()
}
