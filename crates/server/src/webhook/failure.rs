//! Why nothing arrived, in words that say nothing of what the other side said.

use std::io;

/// Why there is no answer. Shown to administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("the address of the webhook was erased, or cannot be used any more")]
    Target,
    #[error("the name cannot be resolved")]
    Resolve,
    #[error("the name leads to no public address; `--webhook-allow-private` allows private ones")]
    NotPublic,
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    #[error("the receiver's certificate is not valid for this name, or it speaks no TLS 1.2 or 1.3")]
    Tls,
    #[error("the receiver does not speak HTTP/1.1, or hung up")]
    Protocol,
    #[error("no answer in time")]
    Timeout,
    #[error("the signing secret is not there")]
    Secret,
}
