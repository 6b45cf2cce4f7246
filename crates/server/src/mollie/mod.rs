//! The app-permissions dialect: Mollie's permissions API, v1 and v2, and the organization behind a token.
//!
//! A translation and nothing else. Who calls shows an access token; what it is worth is asked of the newest state at each call, so
//! that a permission that was withdrawn is gone with the next one. `docs/mollie.md` says where this differs from Mollie's own.

mod bearer;
mod errors;
mod links;
mod organizations;
mod paging;
mod permissions_v1;
mod permissions_v2;
mod routes;
mod wire;

use std::marker::PhantomData;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use http::{Method, header};
use tower::util::MapResponseLayer;

use crate::app::SharedApp;
use crate::edge::EdgeError;
use crate::edge::layers::{LayerSettings, stack, stack_part};
use crate::face::Face;
use crate::telemetry::Metrics;

pub(crate) use links::settle;

/// A version of the wire.
pub trait Version: Send + Sync + 'static {
    /// Whether it is v1, which says everything otherwise.
    const IS_V1: bool;
    /// The type of its bodies.
    const CONTENT_TYPE: &'static str;
}

/// The version of the seed: JSON, pages, errors under `error`.
pub(crate) struct V1;

impl Version for V1 {
    const IS_V1: bool = true;
    const CONTENT_TYPE: &'static str = wire::JSON;
}

/// The newer one: HAL.
pub(crate) struct V2;

impl Version for V2 {
    const IS_V1: bool = false;
    const CONTENT_TYPE: &'static str = wire::HAL;
}

/// The face, which speaks one version.
pub struct Mollie<V>(PhantomData<V>);

impl<V: Version> Face for Mollie<V> {
    const VIA: &'static str = "mollie";
    type Error = errors::Error<V>;

    fn begins_at_head(_method: &Method, _path: &str) -> bool {
        true
    }
}

/// A request to this face.
type Call<V> = crate::call::Call<Mollie<V>>;

/// Every route, with the layers around it. `docs` is where the documentation is that errors and links name.
pub(crate) fn face(docs: &str, metrics: &Arc<Metrics>) -> Router<SharedApp> {
    let layers = LayerSettings::new("mollie");
    let docs: Arc<str> = docs.into();
    stack(routes::v2(), layers.clone().renderer(errors::render::<V2>), metrics.clone())
        .merge(stack_part(routes::v1(), layers.renderer(errors::render::<V1>), metrics.clone()))
        .layer(MapResponseLayer::new(move |response: Response| errors::finish(response, &docs)))
}

impl<V: Version> Call<V> {
    /// A body of the version's type.
    fn answer(&self, body: &impl serde::Serialize) -> Response {
        match serde_json::to_vec(body) {
            Ok(body) => ([(header::CONTENT_TYPE, V::CONTENT_TYPE)], body).into_response(),
            Err(_) => errors::Error::<V>::from(errors::Problem::Edge(EdgeError::Internal)).into_response(),
        }
    }

    /// The address of a path of the dialect.
    fn link(&self, path: &str) -> String {
        let mount = self.noted::<links::Mount>().map_or("", |mount| mount.0.as_str());
        format!("{}{mount}{path}", self.app.public_url)
    }

    /// The address of a page of the documentation.
    fn documentation(&self, page: &str) -> String {
        format!("{}{page}", self.app.mollie_docs)
    }
}
