//! The accept loop of one listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::edge::conn::{self, App, Connections, End};
use crate::edge::{Drain, EdgeSettings, Listen, Peer};
use crate::telemetry::{Metrics, RefusalReason};

/// Connections above the limit that may wait for a place at the same time; the next one is closed at once.
pub(super) const MAX_WAITING: usize = 256;

/// After an accept error that will not go away by itself, like too many open files.
const BACK_OFF: Duration = Duration::from_millis(100);

/// At shutdown, how long to take up connections that were made before it.
const LAST_CALL: Duration = Duration::from_millis(100);

/// What the listeners of a server have in common.
pub(super) struct Shared<S> {
    pub(super) app: S,
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) places: Arc<Semaphore>,
    pub(super) waiting: Semaphore,
    pub(super) connections: Arc<Connections>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) drain: Drain,
    pub(super) settings: Arc<EdgeSettings>,
}

/// One listener's side of a connection's start. Cheap to clone: each connection has one.
#[derive(Clone)]
pub(super) struct Acceptor<S> {
    shared: Arc<Shared<S>>,
    tag: Arc<str>,
    tls: Option<TlsAcceptor>,
    open: Gauge,
}

impl<S: App> Acceptor<S> {
    pub(super) fn new(shared: Arc<Shared<S>>, listen: Listen) -> Self {
        let open = shared.metrics.http.connections_of(&listen.tag);
        Self { shared, tag: listen.tag, tls: listen.tls.map(|tls| TlsAcceptor::from(tls.config)), open }
    }

    /// Accepts until the drain begins, and then whoever had connected before.
    pub(super) async fn run(self, listener: TcpListener) {
        let drain = self.shared.drain.clone();
        let mut begun = std::pin::pin!(drain.wait());
        loop {
            tokio::select! {
                biased;
                () = &mut begun => break,
                accepted = listener.accept() => self.take(accepted).await,
            }
        }
        let end = Instant::now() + LAST_CALL;
        let brief = LAST_CALL / 10;
        while let Ok(accepted) = timeout_at(end.min(Instant::now() + brief), listener.accept()).await {
            self.take(accepted).await;
        }
    }

    async fn take(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, addr)) => {
                let connection = self.clone();
                tokio::spawn(async move { connection.run_connection(stream, addr).await });
            }
            // That one connection is gone already; the next may be fine.
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(listener = &*self.tag, %error, "cannot accept connections");
                sleep(BACK_OFF).await;
            }
        }
    }

    async fn run_connection(self, stream: TcpStream, addr: SocketAddr) {
        let Some(_place) = self.place().await else {
            self.shared.metrics.http.refused(RefusalReason::Limit);
            return;
        };
        let connection = self.shared.connections.open(&self.shared.settings);
        let _counted = Counted::new(&self.open);
        // Without it the end of an answer may wait for the other side's delayed acknowledgement.
        let _kept = stream.set_nodelay(true);
        let mut peer = Peer { addr, listener: Arc::clone(&self.tag), tls: false, certificate: None };
        let (app, builder) = (self.shared.app.clone(), &self.shared.builder);
        let watch = Arc::clone(&connection.watch);
        let end = match &self.tls {
            None => conn::serve(stream, app, peer, watch, builder).await,
            Some(tls) => {
                let Ok(Ok(stream)) = timeout(self.shared.settings.tls_handshake, tls.accept(stream)).await
                else {
                    self.shared.metrics.http.refused(RefusalReason::Handshake);
                    return;
                };
                watch.handshaken();
                peer.tls = true;
                peer.certificate = client_certificate(&stream);
                conn::serve(stream, app, peer, watch, builder).await
            }
        };
        if end == End::TooSlow {
            self.shared.metrics.http.refused(RefusalReason::Slow);
        }
    }

    /// A place among the open connections, at once or after a short wait.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let places = Arc::clone(&self.shared.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Some(place);
        }
        let _waiting = self.shared.waiting.try_acquire().ok()?;
        timeout(self.shared.settings.over_limit_wait, places.acquire_owned()).await.ok()?.ok()
    }
}

fn client_certificate(stream: &TlsStream<TcpStream>) -> Option<Arc<[u8]>> {
    let (_, session) = stream.get_ref();
    session.peer_certificates()?.first().map(|certificate| Arc::from(&**certificate))
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One more on a gauge, until it is dropped.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
