//! health_check.

use axum::Json;
use axum::extract::State;
use grantd_node::realm::Micros;
use serde::Serialize;

use crate::app::SharedApp;
use crate::time::rfc3339;

/// The answer of GET `/health`.
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    timestamp: String,
    version: &'static str,
}

/// The process runs; needs no credential. Whether requests can be answered is what `/readyz` says.
pub(super) async fn health_check(State(app): State<SharedApp>) -> Json<Health> {
    let now: Micros = app.node.now();
    Json(Health { status: "ok", timestamp: rfc3339(now), version: env!("CARGO_PKG_VERSION") })
}
