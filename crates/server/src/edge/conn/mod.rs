//! One connection, from its first byte to its close.

mod bodies;
mod cutter;
mod io;
mod registry;
mod watch;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{Service, ServiceExt};

use super::{EdgeSettings, Peer};
use io::{Reset, WatchedIo};

pub use cutter::Cutter;
pub(super) use registry::Connections;
use watch::Due;
pub(super) use watch::Watch;

/// What a connection is served by: a router, or whatever looks like one.
pub trait App:
    Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> App for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// How a connection ended, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By either side, in the order of the protocol.
    Closed,
    /// By us, before it had asked anything.
    TooSlow,
    /// By us, in the middle of an answer.
    Cut,
}

/// hyper's side of the settings. The timeouts are not among them: hyper has one timer for the wait for a head and for
/// the head itself, makes it anew for each request, and knows nothing of a first byte or a stalled answer.
pub(super) fn builder(settings: &EdgeSettings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(settings.max_head_bytes.max(8_192)).max_headers(settings.max_headers);
    let head_bytes = u32::try_from(settings.max_head_bytes).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(head_bytes)
        .max_concurrent_streams(settings.max_streams);
    builder
}

/// Serves requests until the connection ends or its patience does.
pub(super) async fn serve<I, S>(
    io: I,
    app: S,
    peer: Peer,
    watch: Arc<Watch>,
    builder: &Builder<TokioExecutor>,
) -> End
where
    I: AsyncRead + AsyncWrite + Reset + Unpin + Send + 'static,
    S: App,
{
    let service = {
        let watch = Arc::clone(&watch);
        service_fn(move |request| answer(app.clone(), peer.clone(), Arc::clone(&watch), request))
    };
    let io = TokioIo::new(WatchedIo::new(io, Arc::clone(&watch)));
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut timer = pin!(sleep_until(watch.opened()));
    let mut patience = Patience { watch: &watch, closing: None };

    poll_fn(|cx| {
        watch.waker.register(cx.waker());
        loop {
            if connection.as_mut().poll(cx).is_ready() {
                // An error here is the other side's doing: it went away, or it does not speak HTTP.
                return Poll::Ready(End::Closed);
            }
            match patience.poll(timer.as_mut(), cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Due::Cut(end)) => return Poll::Ready(end),
                Poll::Ready(Due::Close) => connection.as_mut().graceful_shutdown(),
            }
        }
    })
    .await
}

async fn answer<S: App>(
    app: S,
    peer: Peer,
    watch: Arc<Watch>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<bodies::AnswerBody>, Infallible> {
    let in_flight = watch.begin();
    let mut request = request.map(|body| bodies::request_body(body, &watch));
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(Cutter(watch));
    let answer = app.oneshot(request).await?;
    Ok(answer.map(|body: Body| bodies::AnswerBody::new(body, in_flight)))
}

/// When to lose patience. The timer is moved only when the next deadline is nearer than the one it waits for, which
/// while requests come and go is nearly never.
struct Patience<'a> {
    watch: &'a Watch,
    closing: Option<Instant>,
}

impl Patience<'_> {
    fn poll(&mut self, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<Due> {
        loop {
            let Some((at, due)) = self.watch.due(self.closing) else {
                return Poll::Pending;
            };
            let now = Instant::now();
            if at <= now {
                if due == Due::Close {
                    self.closing = Some(now);
                }
                return Poll::Ready(due);
            }
            if timer.is_elapsed() || timer.deadline() > at {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
