//! Who is at the other end of the socket.

use std::net::SocketAddr;
use std::sync::Arc;

/// The other end of the connection a request came in on; in the request's extensions.
///
/// Behind a proxy `addr` is the proxy: see [`super::client_address`].
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address of the socket's other end.
    pub addr: SocketAddr,
    /// The tag of the listener, as in [`super::Listen::tag`].
    pub listener: Arc<str>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The client's certificate (DER), whose key it has proved to hold. Whose it is, and who signed it, nobody has looked at.
    pub certificate: Option<Arc<[u8]>>,
}
