//! `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use grantd_node::Unready;
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

/// Requests can be answered: the realm that most of them mean is loaded, and what is answered is new enough. If not, the
/// body says why.
async fn readyz(State(app): State<SharedApp>) -> Response {
    let reasons = app.node.unready(DEFAULT).await;
    if reasons.is_empty() {
        return Json(json!({ "status": "ready" })).into_response();
    }
    let reason = |reason: &Unready| json!({ "code": reason.code(), "detail": reason.to_string() });
    let reasons: Vec<_> = reasons.iter().map(reason).collect();
    let body = json!({ "status": "not ready", "reasons": reasons });
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], Json(body)).into_response()
}

async fn render(State(app): State<SharedApp>, Extension(metrics): Extension<Arc<Metrics>>) -> Response {
    metrics.store.stands(app.node.lag(), app.node.clock_is_ahead());
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], metrics.render()).into_response()
}
