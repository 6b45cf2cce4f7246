//! Why nothing arrived, in words that say nothing of what the other side said.

use crate::outbound::ConnectError;

/// Why there is no answer. Shown to administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("the address of the webhook was erased, or cannot be used any more")]
    Target,
    #[error("the name leads to no public address; `--webhook-allow-private` allows private ones")]
    NotPublic,
    #[error("{0}")]
    Connect(ConnectError),
    #[error("the receiver does not speak HTTP/1.1, or hung up")]
    Protocol,
    #[error("no answer in time")]
    Timeout,
    #[error("the signing secret is not there")]
    Secret,
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::NotAdmitted => Self::NotPublic,
            other => Self::Connect(other),
        }
    }
}
