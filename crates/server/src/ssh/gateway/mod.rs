//! The SSH gateway: a door to machines, for identities with a token.
//!
//! A client signs in with a token and names a machine and a Linux user (`user_name.rs`). If a grant allows that (`access.rs`), the
//! gateway signs in there itself, with a key of its own (`machine.rs`), and carries what both say (`channel.rs`), for as long as the
//! grant lasts. The protocol is spoken by the crate `russh`, on both sides.

mod access;
mod algorithms;
mod channel;
mod client;
mod connection;
mod host_key;
mod inflow;
mod line;
mod machine;
mod places;
mod user_name;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::{MethodKind, MethodSet, SshId, server};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::app::SharedApp;
use crate::edge::Drain;
use crate::telemetry::SshMetrics;
use places::Places;

pub use host_key::HostKeyError;

/// What the gateway calls itself to both sides.
const NAME: &str = "SSH-2.0-grantd";

/// The largest piece of data in a packet.
const PACKET: u32 = 32 << 10;

/// Sessions that may be open on one connection.
const CHANNELS: usize = 10;

/// After how long without a word the other side is asked whether it is there, and how often a client before it counts as gone.
const ALIVE: Duration = Duration::from_secs(30);
const ALIVE_MAX: usize = 10;

/// Attempts to sign in on one connection, with the first question what is possible.
const ATTEMPTS: usize = 7;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 1024;

/// After an accept error that will not go away by itself, like too many open files.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What can be chosen about the gateway.
#[derive(Debug, Clone)]
pub struct SshSettings {
    /// The file of its host key, which is made if it is not there.
    pub host_key: PathBuf,
    /// Connections that may be open at a time.
    pub connections: usize,
    /// The same, from one source.
    pub connections_per_source: usize,
    /// How long a client may take to sign in.
    pub sign_in: Duration,
    /// How long nothing may move in a session; `None`: for ever.
    pub idle: Option<Duration>,
}

impl Default for SshSettings {
    fn default() -> Self {
        Self {
            host_key: "ssh_host_ed25519_key".into(),
            connections: 1_000,
            connections_per_source: 100,
            sign_in: Duration::from_secs(60),
            idle: Some(Duration::from_secs(12 * 3_600)),
        }
    }
}

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// An address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address as it was asked for.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// It has no key to be known by.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
}

/// A gateway, bound and perhaps serving. Clones are the same one.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    settings: SshSettings,
    config: Arc<server::Config>,
    places: Arc<Places>,
    /// Until they are served.
    listeners: Mutex<Vec<TcpListener>>,
    addrs: Vec<SocketAddr>,
    /// Whether nobody is served any more.
    ended: watch::Sender<bool>,
}

/// What serving needs.
#[derive(Clone)]
struct Running {
    app: SharedApp,
    metrics: SshMetrics,
    drain: Drain,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("addrs", &self.0.addrs).field("settings", &self.0.settings).finish()
    }
}

impl Gateway {
    /// Reads or makes the host key and binds every address, or none.
    ///
    /// # Errors
    /// No host key, or the first address that cannot be listened on.
    #[expect(clippy::unused_async, reason = "sockets are bound in the runtime that will poll them")]
    pub async fn bind(addrs: &[SocketAddr], settings: SshSettings) -> Result<Self, SshError> {
        let key = host_key::read_or_make(&settings.host_key)?;
        let fingerprint = host_key::fingerprint(&key);
        let listeners = addrs
            .iter()
            .map(|addr| bind(*addr).map_err(|source| SshError::Bind { addr: *addr, source }))
            .collect::<Result<Vec<_>, _>>()?;
        let addrs = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        tracing::info!(?addrs, host_key = fingerprint, "ssh: listening");
        Ok(Self(Arc::new(Inner {
            config: Arc::new(config(key)),
            places: Places::new(settings.connections, settings.connections_per_source),
            settings,
            listeners: Mutex::new(listeners),
            addrs,
            ended: watch::Sender::new(false),
        })))
    }

    /// Serves until the drain begins, then lets sessions come to their end for a while.
    pub(crate) fn start(&self, app: SharedApp, metrics: SshMetrics, drain: Drain) {
        let listeners = std::mem::take(&mut *self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner));
        let (gateway, running) = (self.clone(), Running { app, metrics, drain });
        tokio::spawn(async move {
            let mut loops = JoinSet::new();
            for listener in listeners {
                loops.spawn(gateway.clone().accept(running.clone(), listener));
            }
            while loops.join_next().await.is_some() {}
            gateway.0.ended.send_replace(true);
        });
    }

    /// Returns once nobody is served any more, which is some seconds after the drain began at the latest.
    pub async fn ended(&self) {
        let mut ended = self.0.ended.subscribe();
        let _it_has = ended.wait_for(|ended| *ended).await.is_ok();
    }

    async fn accept(self, running: Running, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut stopping = std::pin::pin!(running.drain.wait());
        loop {
            tokio::select! {
                biased;
                () = &mut stopping => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, addr)) => self.take(&running, &mut connections, stream, addr),
                    Err(error) if concerns_one_connection(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "ssh: cannot accept connections");
                        sleep(BACK_OFF).await;
                    }
                },
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    fn take(&self, running: &Running, connections: &mut JoinSet<()>, stream: TcpStream, addr: SocketAddr) {
        connections.spawn(connection::serve(self.clone(), running.clone(), stream, addr));
    }
}

fn config(key: PrivateKey) -> server::Config {
    server::Config {
        server_id: SshId::Standard(NAME.into()),
        methods: MethodSet::from([MethodKind::Password, MethodKind::KeyboardInteractive].as_slice()),
        // A no takes its time, but not the answer to the question what is possible.
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: None,
        preferred: algorithms::preferred(key.algorithm()),
        keys: vec![key],
        window_size: inflow::WINDOW,
        maximum_packet_size: PACKET,
        max_auth_attempts: ATTEMPTS,
        // Counted by us: the library takes an answered question whether somebody is there for activity.
        inactivity_timeout: None,
        keepalive_interval: Some(ALIVE),
        keepalive_max: ALIVE_MAX,
        ..server::Config::default()
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart does not wait for the last connections of the run before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
