//! What tells one face from another: how a caller shows who they are, and how an error is said.

use axum::response::IntoResponse;
use grantd_node::realm::Refusal;
use grantd_node::{LoadError, RealmError, SubmitError};
use http::HeaderMap;

use crate::edge::EdgeError;

/// A face: one dialect, or grantd's own API.
pub trait Face: Send + Sync + 'static {
    /// Its name in the ledger and the metrics.
    const VIA: &'static str;

    /// Whether reads ask the store's head first where other nodes append: for clients that know nothing of the consistency
    /// headers and expect to read what they wrote.
    const READS_AT_HEAD: bool = false;

    /// How it says what went wrong.
    type Error: From<CallError> + IntoResponse + Send;

    /// The credential of a request. By default that of `Authorization: Bearer` (RFC 6750).
    fn credential(headers: &HeaderMap) -> Credential<'_> {
        bearer(headers)
    }
}

/// What a caller shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// Nothing.
    None,
    /// A bearer secret.
    Bearer(&'a str),
    /// Something that is no credential here.
    Malformed,
}

/// The credential of `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Credential<'_> {
    let Some(value) = headers.get(http::header::AUTHORIZATION) else { return Credential::None };
    let Some((scheme, secret)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return Credential::Malformed;
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        Credential::Bearer(secret.trim())
    } else {
        Credential::Malformed
    }
}

/// Why a call has no answer, before a face says it in its own words.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No credential, or a wrong one.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// There is no such realm.
    #[error("there is no realm of that name")]
    UnknownRealm,
    /// A consistency header that cannot be read.
    #[error("`{0}` must be a token as given in `Grantd-Revision`, or `full`")]
    BadConsistency(&'static str),
    /// A revision token of another life of this ledger.
    #[error("the revision is of another ledger: this one was restored, copied or made again since")]
    OtherLedger,
    /// This node has not seen the revision yet.
    #[error("this node has not reached the revision yet; try again")]
    NotYet,
    /// A command was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A command was not carried out.
    #[error(transparent)]
    Submit(SubmitError),
    /// Raised at the edge.
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

impl From<SubmitError> for CallError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Submit(other),
        }
    }
}

impl From<RealmError> for CallError {
    fn from(error: RealmError) -> Self {
        match error {
            RealmError::Submit(error) => error.into(),
            RealmError::Load(error) => error.into(),
        }
    }
}

impl From<LoadError> for CallError {
    fn from(error: LoadError) -> Self {
        tracing::error!(%error, "a realm cannot be loaded");
        Self::Edge(EdgeError::Unavailable { retry_after_secs: 1 })
    }
}
