//! Telling a service manager that we are ready: systemd's `Type=notify` (`sd_notify(3)`), a datagram to a socket that it names.

use std::os::unix::net::UnixDatagram;

/// Names the socket; not set without a service manager that wants to know.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Says that requests are answered from now on.
pub(super) fn ready() {
    tell("READY=1");
}

/// Says that we are ending, and that it is no failure.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

/// That nobody could be told is no reason not to serve.
fn tell(what: &str) {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    let told = UnixDatagram::unbound().and_then(|datagram| datagram.send_to(what.as_bytes(), &socket));
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager cannot be told `{what}`");
    }
}
