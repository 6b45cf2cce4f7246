//! The combined layer: what is decided before the handler is asked.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http_body::Body as HttpBody;
use tower::{Layer, Service};

use super::LayerSettings;
use super::body::WatchedBody;
use super::exchange::{Answering, Exchange};
use crate::edge::EdgeError;
use crate::telemetry::Metrics;

/// Makes [`EdgeService`]s that share one set of settings.
#[derive(Clone)]
pub(super) struct EdgeLayer {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) settings: LayerSettings,
    pub(super) metrics: Arc<Metrics>,
}

impl EdgeLayer {
    pub(super) fn new(settings: LayerSettings, metrics: Arc<Metrics>) -> Self {
        Self { shared: Arc::new(Shared { settings, metrics }) }
    }
}

impl<S> Layer<S> for EdgeLayer {
    type Service = EdgeService<S>;

    fn layer(&self, inner: S) -> EdgeService<S> {
        EdgeService { inner, shared: Arc::clone(&self.shared) }
    }
}

/// One route with the layer around it.
#[derive(Clone)]
pub(super) struct EdgeService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request> for EdgeService<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    // True of axum's routes, whose futures are boxed already; it spares us one more box.
    S::Future: Unpin,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let settings = &self.shared.settings;
        let id = settings.request_ids.name(request.headers());
        let exchange = Exchange::begin(Arc::clone(&self.shared), &request, id.clone());
        if let Some(limit) = too_long(request.body(), settings.body_limit) {
            return Answering::refused(exchange, EdgeError::PayloadTooLarge { limit });
        }
        request.extensions_mut().insert(id);
        if request.body().is_end_stream() {
            return Answering::asked(exchange, self.inner.call(request), None);
        }
        let (parts, body) = request.into_parts();
        let (body, progress) = WatchedBody::wrap(body, settings.body_limit, settings.body_stall);
        Answering::asked(exchange, self.inner.call(Request::from_parts(parts, body)), Some(progress))
    }
}

/// A body that announces too many bytes is refused before one of them is read.
fn too_long(body: &Body, limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| body.size_hint().lower() > *limit)
}
