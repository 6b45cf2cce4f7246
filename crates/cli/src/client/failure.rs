//! Why there was no answer at all, and what to do.

use std::io::ErrorKind;

use anyhow::anyhow;
use ureq::Error;

/// The error for a request that got no answer. Nothing of the request but its address is in it.
pub(super) fn unreachable(base: &str, error: &Error) -> anyhow::Error {
    match error {
        Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => refused(base),
        Error::ConnectionFailed => refused(base),
        Error::HostNotFound => anyhow!("{base}: there is no such host; look at --url (GRANTD_URL)"),
        Error::Timeout(_) => {
            anyhow!("{base} did not answer in time ({error}); is it busy, or another service?")
        }
        Error::Rustls(_) | Error::Tls(_) => untrusted(base, &error.to_string()),
        // rustls reports through the stream it works on.
        Error::Io(io) if io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() => {
            untrusted(base, &io.to_string())
        }
        Error::BadUri(_) | Error::Http(_) => {
            anyhow!("`{base}` is no address like http://127.0.0.1:7070; look at --url (GRANTD_URL)")
        }
        other => anyhow!("{base} cannot be asked: {other}; is it a grantd server, and http or https?"),
    }
}

fn refused(base: &str) -> anyhow::Error {
    anyhow!(
        "nobody listens at {base}: is the server running? start it with `grantd serve`, or name its address with --url"
    )
}

fn untrusted(base: &str, what: &str) -> anyhow::Error {
    anyhow!(
        "{base} cannot be trusted: {what}; if its certificate is self-signed, name it with --ca-file \
         (`tls-self-signed.crt` in its data directory)"
    )
}
