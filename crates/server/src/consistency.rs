//! The consistency headers: which revision an answer is of, and which one it must at least be of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantd_node::{Head, Node, Published, Realm, SubmitError};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::app::App;
use crate::face::CallError;

/// On every answer: `<ledger id>.<revision>`.
pub const REVISION: HeaderName = HeaderName::from_static("grantd-revision");
/// On a request: answer at this revision or a newer one.
pub const AT_LEAST: HeaderName = HeaderName::from_static("grantd-at-least");
/// On a request: `full` asks the store's head first.
pub const CONSISTENCY: HeaderName = HeaderName::from_static("grantd-consistency");

/// On an answer: for so many seconds the state that it is from has not been known to be the newest. Only where other nodes
/// write to the store, and only after `--stale-after`.
pub const STALE: HeaderName = HeaderName::from_static("grantd-stale");

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

    /// Whether a ledger with this head has it; `None` if it is of another one.
    fn is_reached(self, head: Head) -> Option<bool> {
        (self.ledger_id == head.ledger_id.0).then_some(self.revision <= head.revision)
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

/// What the headers of an answer say about the state that it is from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted {
    pub(crate) token: RevisionToken,
    /// For how many seconds it has not been known to be the newest, if that is too long.
    pub(crate) stale: Option<u64>,
}

impl Noted {
    /// The newest state of a realm; gives that as well.
    pub(crate) fn newest(node: &Node, realm: &Realm) -> (Self, Arc<Published>) {
        // In this order: the state is no older than what is said of it.
        let (stale, published) = (node.stale_for(realm), realm.published());
        (Self { token: published.head.into(), stale }, published)
    }
}

impl From<RevisionToken> for Noted {
    /// A revision that was just written, or asked for.
    fn from(token: RevisionToken) -> Self {
        Self { token, stale: None }
    }
}

/// Where a call notes what its answer is from, for the headers.
#[derive(Clone, Default)]
pub(crate) struct RevisionNote(Arc<Mutex<Option<Noted>>>);

impl RevisionNote {
    pub(crate) fn set(&self, noted: impl Into<Noted>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(noted.into());
    }

    /// Notes the newest state of a realm, and gives it.
    pub(crate) fn set_newest(&self, node: &Node, realm: &Realm) -> Arc<Published> {
        let (noted, published) = Noted::newest(node, realm);
        self.set(noted);
        published
    }

    /// Writes the headers; `otherwise` is the realm's head, for an answer that was given before the realm was asked.
    pub(crate) fn write(&self, headers: &mut HeaderMap, otherwise: impl FnOnce() -> Option<Noted>) {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(noted) = noted.or_else(otherwise) else { return };
        if let Ok(value) = HeaderValue::from_str(&noted.token.to_string()) {
            headers.insert(REVISION, value);
        }
        if let Some(seconds) = noted.stale {
            headers.insert(STALE, HeaderValue::from(seconds));
        }
    }
}

/// Makes the realm's published state as new as the request asks. Tells whether another node had to be waited for.
pub(crate) async fn settle(app: &App, realm: &Realm, headers: &HeaderMap) -> Result<bool, CallError> {
    let heads = || (realm.published().head, app.system.published().head);
    let before = heads();
    settle_states(app, realm, headers).await?;
    Ok(realm.is_shared() && heads() != before)
}

/// Makes a realm, and the one that holds the system keys, as new as the store: one question for both.
pub(crate) async fn at_head(app: &App, realm: &Realm) -> Result<(), CallError> {
    tokio::try_join!(realm.catch_up(), app.system.catch_up())?;
    Ok(())
}

async fn settle_states(app: &App, realm: &Realm, headers: &HeaderMap) -> Result<(), CallError> {
    if let Some(value) = headers.get(CONSISTENCY) {
        if value != "full" {
            return Err(CallError::BadConsistency("Grantd-Consistency"));
        }
        at_head(app, realm).await?;
    }
    let Some(value) = headers.get(AT_LEAST) else { return Ok(()) };
    let token = value.to_str().ok().and_then(RevisionToken::parse);
    let token = token.ok_or(CallError::BadConsistency("Grantd-At-Least"))?;
    let reached = || token.is_reached(realm.published().head);
    if reached() == Some(true) {
        return Ok(());
    }
    // Another node has written it, or has made the realm again.
    let caught_up = realm.catch_up().await;
    match (reached(), caught_up) {
        (Some(true), _) => Ok(()),
        (_, Err(error @ SubmitError::Contradicted)) | (None, Err(error)) => Err(error.into()),
        (None, Ok(())) => Err(CallError::OtherLedger),
        (Some(false), _) => match realm.wait_for(token.revision, PATIENCE).await {
            true => Ok(()),
            false => Err(CallError::NotYet),
        },
    }
}
