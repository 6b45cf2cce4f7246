//! How patient the edge is, and with how many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::tls::Tls;

/// One address to listen on.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where; port 0 takes a free one (see [`super::Server::local_addrs`]).
    pub addr: SocketAddr,
    /// What requests that come in here carry in [`super::Peer::listener`]: a dialect's name, or `main`.
    pub tag: Arc<str>,
    /// `None` is plain text.
    pub tls: Option<Tls>,
}

/// Limits of connections; those of requests are in [`super::layers::LayerSettings`].
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// From accept (or the end of the TLS handshake) to the first byte.
    pub first_byte: Duration,
    /// From accept to the end of the TLS handshake.
    pub tls_handshake: Duration,
    /// From the first byte of an HTTP/1 head to its last.
    pub header_read: Duration,
    /// How long a connection may stay open with no request on it.
    pub keep_alive: Duration,
    /// How long the peer may take no byte of an answer that is ready for it.
    pub write_stall: Duration,
    /// After an answer to a request whose body was not read to its end, how long to go on discarding that body, so that
    /// the peer reads the answer instead of a reset.
    pub linger: Duration,
    /// Connections open at once, over all listeners.
    pub max_connections: usize,
    /// How long a connection above the limit waits for a place before it is closed.
    pub over_limit_wait: Duration,
    /// Bytes of a request head; at least 8,192.
    pub max_head_bytes: usize,
    /// Header fields of a request.
    pub max_headers: usize,
    /// HTTP/2 streams open at once on one connection.
    pub max_streams: u32,
    /// How long a drain waits for requests in flight before it cuts them.
    pub drain_deadline: Duration,
    /// In a drain, how long an idle connection stays open for a request that may be on its way.
    pub drain_idle_grace: Duration,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            tls_handshake: Duration::from_secs(10),
            header_read: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            write_stall: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            max_connections: 10_000,
            over_limit_wait: Duration::from_millis(250),
            max_head_bytes: 64 * 1024,
            max_headers: 100,
            max_streams: 256,
            drain_deadline: Duration::from_secs(30),
            drain_idle_grace: Duration::from_millis(200),
        }
    }
}
