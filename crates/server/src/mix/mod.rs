//! The approvals dialect: Mix's permission requests, the stream that shows them, and sessions as their scopes.
//!
//! A translation and nothing else; the rules are in `realm`. Creating, reading and waiting have no words of Mix's own, where a
//! request is born inside the agent: they are grantd's, in the same style.

mod cors;
mod errors;
mod event;
mod health;
mod input;
mod open;
mod permissions;
mod routes;
mod sessions;
mod stream;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use grantd_node::realm::Caller;
use http::Method;

use crate::app::{App, SharedApp};
use crate::edge::layers::{LayerSettings, stack, stack_part};
use crate::face::{Face, Shown};
use crate::telemetry::Metrics;
pub use cors::{Cors, NoOrigin};

/// The face.
pub struct Mix;

impl Face for Mix {
    const VIA: &'static str = "mix";
    type Error = errors::Error;

    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        true
    }

    fn nobody(app: &App, shown: &Shown<'_>) -> Option<Caller> {
        open::nobody(app, shown)
    }
}

/// A request to this face.
type Call = crate::call::Call<Mix>;

/// The longest wait for a decision, and a moment more to answer it.
const WAITING_TIMEOUT: Duration = Duration::from_secs(permissions::MAX_WAIT + 10);

/// Every route, with the layers around it.
pub(crate) fn face(metrics: &Arc<Metrics>, cors: Cors) -> Router<SharedApp> {
    let layers = LayerSettings::new("mix").renderer(errors::render);
    let waiting = LayerSettings { timeout: Some(WAITING_TIMEOUT), ..layers.clone() };
    // A stream has no end of its own, but no body either.
    let streaming = LayerSettings { timeout: None, ..layers.clone() };
    stack(routes::routes(), layers, metrics.clone())
        .merge(stack_part(routes::waiting_routes(), waiting, metrics.clone()))
        .merge(stack_part(routes::streaming_routes(), streaming, metrics.clone()))
        .layer(from_fn(move |request, next| cors::cors(cors.clone(), request, next)))
}
