//! Bodies that tell the [`Watch`] when they end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use super::Watch;
use super::watch::InFlight;

/// The body of a request as the router takes it.
pub(super) fn request_body(incoming: Incoming, watch: &Arc<Watch>) -> Body {
    if incoming.is_end_stream() {
        return Body::empty();
    }
    Body::new(RequestBody { incoming, watch: Arc::clone(watch), ended: false })
}

struct RequestBody {
    incoming: Incoming,
    watch: Arc<Watch>,
    ended: bool,
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.incoming).poll_frame(cx);
        self.ended |= matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.incoming.is_end_stream() {
            self.watch.left_unread();
        }
    }
}

/// The body of an answer; its request is in flight until it is dropped.
pub(super) struct AnswerBody {
    inner: Body,
    _in_flight: InFlight,
}

impl AnswerBody {
    pub(super) fn new(inner: Body, in_flight: InFlight) -> Self {
        Self { inner, _in_flight: in_flight }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
