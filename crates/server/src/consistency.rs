//! The consistency headers: which revision an answer is of, and which one it must at least be of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantd_node::{Head, Realm};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::face::CallError;

/// On every answer: `<ledger id>.<revision>`.
pub const REVISION: HeaderName = HeaderName::from_static("grantd-revision");
/// On a request: answer at this revision or a newer one.
pub const AT_LEAST: HeaderName = HeaderName::from_static("grantd-at-least");
/// On a request: `full` asks the store's head first.
pub const CONSISTENCY: HeaderName = HeaderName::from_static("grantd-consistency");

/// How long a request waits for the revision that it asks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A position in one life of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisionToken {
    /// Which life.
    pub ledger_id: Uuid,
    /// Which entry.
    pub revision: u64,
}

impl RevisionToken {
    fn parse(text: &str) -> Option<Self> {
        let (ledger_id, revision) = text.split_once('.')?;
        Some(Self { ledger_id: Uuid::parse_str(ledger_id).ok()?, revision: revision.parse().ok()? })
    }
}

impl From<Head> for RevisionToken {
    fn from(head: Head) -> Self {
        Self { ledger_id: head.ledger_id.0, revision: head.revision }
    }
}

impl std::fmt::Display for RevisionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.ledger_id, self.revision)
    }
}

/// Where a call notes the revision of its answer, for the header.
#[derive(Clone, Default)]
pub(crate) struct RevisionNote(Arc<Mutex<Option<RevisionToken>>>);

impl RevisionNote {
    pub(crate) fn set(&self, token: RevisionToken) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// Writes the header; `otherwise` is the realm's head, for an answer that was given before the realm was asked.
    pub(crate) fn write(&self, headers: &mut HeaderMap, otherwise: impl FnOnce() -> Option<RevisionToken>) {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) =
            noted.or_else(otherwise).and_then(|token| HeaderValue::from_str(&token.to_string()).ok())
        {
            headers.insert(REVISION, value);
        }
    }
}

/// Makes the realm's published state as new as the request asks.
pub(crate) async fn settle(realm: &Realm, headers: &HeaderMap) -> Result<(), CallError> {
    if let Some(value) = headers.get(CONSISTENCY) {
        if value != "full" {
            return Err(CallError::BadConsistency("Grantd-Consistency"));
        }
        realm.catch_up().await?;
    }
    let Some(value) = headers.get(AT_LEAST) else { return Ok(()) };
    let token = value.to_str().ok().and_then(RevisionToken::parse);
    let token = token.ok_or(CallError::BadConsistency("Grantd-At-Least"))?;
    if token.ledger_id != realm.published().head.ledger_id.0 {
        return Err(CallError::OtherLedger);
    }
    if realm.published().head.revision < token.revision && !realm.wait_for(token.revision, PATIENCE).await {
        return Err(CallError::NotYet);
    }
    Ok(())
}
