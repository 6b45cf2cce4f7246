//! What every request of a face passes between the router and its handler, as **one** layer: each layer of its own would
//! cost one more boxed future on the way of every check.

mod body;
mod exchange;
mod service;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderName, HeaderValue, header};

use super::error::render_problem;
use super::{EdgeError, Renderer, RequestIds};
use crate::telemetry::Metrics;

pub use body::BodyFault;

/// 1 MiB: the body of an ordinary request.
pub const ORDINARY_BODY: u64 = 1 << 20;
/// 16 MiB: the body of a batch, a relationship call or a schema.
pub const BULK_BODY: u64 = 16 << 20;

/// How long an ordinary request may take.
pub const ORDINARY_TIMEOUT: Duration = Duration::from_secs(10);

/// How the layer around a face behaves.
#[derive(Clone, Debug)]
pub struct LayerSettings {
    /// The face's name, for metrics and the access log.
    pub face: &'static str,
    /// How the face says the edge's errors.
    pub renderer: Renderer,
    /// Bytes of a request body; `None` for streams that count for themselves.
    pub body_limit: Option<u64>,
    /// From the head of the request to the head of the answer; `None` for waits and streams.
    pub timeout: Option<Duration>,
    /// How long the client may send no byte of a body that is waited for.
    pub body_stall: Duration,
    /// Whether an error answer in plain text or without a body is said again by the renderer. Such answers come from
    /// axum's own extractors and routing; a face whose handlers write plain text on purpose turns it off.
    pub say_plain_errors_again: bool,
    /// Headers that each answer gets unless it has them.
    pub answer_headers: Arc<[(HeaderName, HeaderValue)]>,
    /// Who names the requests.
    pub request_ids: RequestIds,
}

impl LayerSettings {
    /// The design's limits, problem+json, and the headers of an API.
    #[must_use]
    pub fn new(face: &'static str) -> Self {
        Self {
            face,
            renderer: render_problem,
            body_limit: Some(ORDINARY_BODY),
            timeout: Some(ORDINARY_TIMEOUT),
            body_stall: Duration::from_secs(30),
            say_plain_errors_again: true,
            answer_headers: api_headers(),
            request_ids: RequestIds::default(),
        }
    }

    /// The same with another form of errors.
    #[must_use]
    pub fn renderer(mut self, renderer: Renderer) -> Self {
        self.renderer = renderer;
        self
    }

    /// The same with longer bodies; see [`BULK_BODY`].
    #[must_use]
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = Some(bytes);
        self
    }

    /// The same with no limit of time or size: for streams and imports, which have their own.
    #[must_use]
    pub fn streaming(mut self) -> Self {
        self.body_limit = None;
        self.timeout = None;
        self
    }
}

/// No sniffing, no framing, no caching: answers of an API are about permissions and hold secrets at times.
fn api_headers() -> Arc<[(HeaderName, HeaderValue)]> {
    Arc::new([
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ])
}

/// Puts the layer around every route of a face, and gives it a fallback that says 404 in the face's form: a nested router
/// without one of its own would answer with the outer router's.
///
/// Routes with other limits are a router of their own, merged in by [`stack_part`]:
/// `stack(ordinary, settings.clone(), m).merge(stack_part(bulk, settings.body_limit(BULK_BODY), m))`.
pub fn stack<S>(router: Router<S>, settings: LayerSettings, metrics: Arc<Metrics>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    stack_part(router.fallback(|| async { EdgeError::NotFound }), settings, metrics)
}

/// Puts the layer around every route of a router, and leaves its fallback as it is. Two routers with fallbacks cannot be
/// merged: use this for all parts of a face but one.
pub fn stack_part<S>(router: Router<S>, settings: LayerSettings, metrics: Arc<Metrics>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(service::EdgeLayer::new(settings, metrics))
}
