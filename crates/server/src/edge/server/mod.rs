//! Listeners, and what happens to a connection before it speaks HTTP.

mod accept;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::conn::{self, App, Connections};
use super::{Drain, EdgeSettings, Listen};
use crate::telemetry::Metrics;
use accept::{Acceptor, Shared};

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 1024;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}")]
pub struct BindError {
    /// The address as it was asked for.
    pub addr: SocketAddr,
    /// The system's reason.
    pub source: io::Error,
}

/// Bound, and not serving yet.
pub struct Server {
    listeners: Vec<(TcpListener, Listen)>,
    settings: EdgeSettings,
    metrics: Arc<Metrics>,
    begin_drain: watch::Sender<bool>,
    drain: Drain,
}

impl Server {
    /// Binds every address, or none.
    ///
    /// # Errors
    /// The first address that cannot be listened on.
    #[expect(clippy::unused_async, reason = "sockets are bound in the runtime that will poll them")]
    pub async fn bind(listen: Vec<Listen>, settings: EdgeSettings) -> Result<Self, BindError> {
        let listeners = listen
            .into_iter()
            .map(|listen| match bind(listen.addr) {
                Ok(listener) => Ok((listener, listen)),
                Err(source) => Err(BindError { addr: listen.addr, source }),
            })
            .collect::<Result<_, _>>()?;
        let (begin_drain, drain) = Drain::new();
        Ok(Self { listeners, settings, metrics: Metrics::new(), begin_drain, drain })
    }

    /// Counts connections here, and not in metrics of its own that nobody sees.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// The addresses in the order they were given, with the ports that were free.
    #[must_use]
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        let bound = |(listener, listen): &(TcpListener, Listen)| listener.local_addr().unwrap_or(listen.addr);
        self.listeners.iter().map(bound).collect()
    }

    /// For answers that last: tells them when to end.
    #[must_use]
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// Serves until `shutdown`, then drains: takes no more connections, answers what is in flight, closes what is idle,
    /// and after the deadline cuts the rest. Returns the number of connections it cut.
    pub async fn serve<S: App>(self, app: S, shutdown: impl Future<Output = ()>) -> usize {
        let connections = Arc::new(Connections::default());
        let shared = Arc::new(Shared {
            app,
            builder: conn::builder(&self.settings),
            places: Arc::new(Semaphore::new(self.settings.max_connections)),
            waiting: Semaphore::new(accept::MAX_WAITING),
            connections: Arc::clone(&connections),
            metrics: self.metrics,
            drain: self.drain,
            settings: Arc::new(self.settings),
        });
        let mut loops = JoinSet::new();
        for (listener, listen) in self.listeners {
            loops.spawn(Acceptor::new(Arc::clone(&shared), listen).run(listener));
        }

        shutdown.await;
        let deadline = shared.settings.drain_deadline;
        self.begin_drain.send_replace(true);
        connections.drain();
        let drained = timeout(deadline, async {
            while loops.join_next().await.is_some() {}
            connections.none_open().await;
        });
        if drained.await.is_ok() {
            return 0;
        }
        loops.abort_all();
        let cut = connections.kill();
        tracing::warn!(connections = cut, "the drain's deadline has passed: connections are cut");
        // Each only has to be polled once more; a handler that blocks its thread is not waited for.
        let _late = timeout(Duration::from_secs(1), connections.none_open()).await;
        cut
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On Unix: a restart does not wait for the last connections of the run before to be forgotten.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}
