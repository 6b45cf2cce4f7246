//! A request body that is counted and must keep coming.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::edge::EdgeError;

/// Why a body was cut by the edge; inside the error that reading it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It went on after this many bytes.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// No byte of it came for too long.
    #[error("the body stopped coming")]
    Stalled,
}

impl BodyFault {
    /// Looks for a fault in an error and whatever it wraps.
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref() {
                return Some(*fault);
            }
            next = error.source();
        }
        None
    }
}

impl From<BodyFault> for EdgeError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge { limit } => Self::PayloadTooLarge { limit },
            BodyFault::Stalled => Self::RequestTimeout,
        }
    }
}

/// How far the body of one request is; seen by the layer that waits for the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

const COMING: u8 = 0;
const COMPLETE: u8 = 1;
const TOO_LARGE: u8 = 2;
const STALLED: u8 = 3;

impl Progress {
    /// Whether there may be more to come.
    pub(super) fn is_coming(&self) -> bool {
        self.0.load(Ordering::Relaxed) == COMING
    }

    /// Whether all of it was read.
    pub(super) fn is_complete(&self) -> bool {
        self.0.load(Ordering::Relaxed) == COMPLETE
    }

    /// The fault it was cut for.
    pub(super) fn fault(&self, limit: Option<u64>) -> Option<BodyFault> {
        match self.0.load(Ordering::Relaxed) {
            TOO_LARGE => Some(BodyFault::TooLarge { limit: limit.unwrap_or(u64::MAX) }),
            STALLED => Some(BodyFault::Stalled),
            _ => None,
        }
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

/// See the module. The timer exists only once the handler has had to wait, and runs only while it does: the time in which a
/// handler takes nothing is not the client's.
pub(super) struct WatchedBody {
    inner: Body,
    progress: Progress,
    limit: Option<u64>,
    read: u64,
    stall: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    waits: bool,
}

impl WatchedBody {
    pub(super) fn wrap(inner: Body, limit: Option<u64>, stall: Duration) -> (Body, Progress) {
        let progress = Progress::default();
        let watched =
            Self { inner, progress: progress.clone(), limit, read: 0, stall, timer: None, waits: false };
        (Body::new(watched), progress)
    }

    fn waiting(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.stall)));
        if !std::mem::replace(&mut self.waits, true) {
            timer.as_mut().reset(Instant::now() + self.stall);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.cut(STALLED, BodyFault::Stalled)
    }

    fn cut(&self, state: u8, fault: BodyFault) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.progress.set(state);
        Poll::Ready(Some(Err(axum::Error::new(fault))))
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            return this.waiting(cx);
        };
        this.waits = false;
        let got = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
        this.read = this.read.saturating_add(got.map_or(0, |data| data.remaining() as u64));
        match this.limit {
            Some(limit) if this.read > limit => return this.cut(TOO_LARGE, BodyFault::TooLarge { limit }),
            _ => {}
        }
        if frame.is_none() || this.inner.is_end_stream() {
            this.progress.set(COMPLETE);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
