//! Where a list goes on: what its next page needs to know, sealed so that only the same caller can give it back, for the
//! same query, on the same ledger, within five minutes.
//!
//! A later page is answered by the state of the first one and at its time. That state is pinned in this process; when it
//! has been crowded out, or another node is asked, the list has to start again.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantd_node::realm::Micros;
use grantd_node::{Published, Realm};

use crate::call::Call;
use crate::face::Face;

/// How long a cursor lives, in microseconds.
const LIFE: Micros = 5 * 60 * 1_000_000;

/// What the next page starts from.
pub(crate) struct Cursor {
    /// The state of the first page.
    pub(crate) state: Arc<Published>,
    /// The time of the first page.
    pub(crate) time: Micros,
    /// How long the pages are.
    pub(crate) limit: usize,
    /// What the page before ended with.
    pub(crate) last: String,
}

/// Why a cursor is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCursor {
    /// Forged, of another query, caller or ledger, or too old.
    #[error("is not valid here or has expired; start the list again without it")]
    Invalid,
    /// The state is gone.
    #[error("has expired: its revision is no longer kept; start the list again without it")]
    Gone,
}

impl Cursor {
    /// As the caller gets it. `realm` is whose state it is, `query` everything that must be the same in the next request.
    pub(crate) fn seal<F: Face>(&self, call: &Call<F>, realm: &Realm, query: &[u8]) -> String {
        let expires = call.now() + LIFE;
        realm.pin(self.state.clone(), expires);
        let (revision, limit) = (self.state.head.revision, self.limit as u64);
        let content = Content { expires, revision, time: self.time, limit, last: self.last.clone() };
        seal(&content.to_bytes(), |content| tag(call, realm, query, content))
    }

    /// What [`Self::seal`] gave, for the same realm and query.
    pub(crate) fn open<F: Face>(
        call: &Call<F>,
        realm: &Realm,
        query: &[u8],
        text: &str,
    ) -> Result<Self, BadCursor> {
        let content = open(text, |content| tag(call, realm, query, content)).ok_or(BadCursor::Invalid)?;
        if call.now() >= content.expires {
            return Err(BadCursor::Invalid);
        }
        let limit = usize::try_from(content.limit).map_err(|_| BadCursor::Invalid)?;
        let state = realm.at(content.revision).ok_or(BadCursor::Gone)?;
        Ok(Self { state, time: content.time, limit, last: content.last })
    }
}

/// What a cursor says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    expires: Micros,
    revision: u64,
    time: Micros,
    limit: u64,
    last: String,
}

impl Content {
    /// Four numbers, then the text.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + self.last.len());
        bytes.extend_from_slice(&self.expires.to_le_bytes());
        bytes.extend_from_slice(&self.revision.to_le_bytes());
        bytes.extend_from_slice(&self.time.to_le_bytes());
        bytes.extend_from_slice(&self.limit.to_le_bytes());
        bytes.extend_from_slice(self.last.as_bytes());
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (expires, bytes) = bytes.split_first_chunk::<8>()?;
        let (revision, bytes) = bytes.split_first_chunk::<8>()?;
        let (time, bytes) = bytes.split_first_chunk::<8>()?;
        let (limit, last) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            expires: Micros::from_le_bytes(*expires),
            revision: u64::from_le_bytes(*revision),
            time: Micros::from_le_bytes(*time),
            limit: u64::from_le_bytes(*limit),
            last: std::str::from_utf8(last).ok()?.to_owned(),
        })
    }
}

/// Content behind its tag, as text.
pub(crate) fn seal(content: &[u8], tag: impl FnOnce(&[u8]) -> blake3::Hash) -> String {
    let mut sealed = tag(content).as_bytes().to_vec();
    sealed.extend_from_slice(content);
    URL_SAFE_NO_PAD.encode(sealed)
}

/// What [`seal`] was given, if it was given it with the same tag. Any text may come.
pub(crate) fn open(text: &str, tag: impl FnOnce(&[u8]) -> blake3::Hash) -> Option<Content> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (sent, content) = sealed.split_first_chunk::<32>()?;
    // BLAKE3's own equality is constant-time.
    if tag(content) != *sent {
        return None;
    }
    Content::of_bytes(content)
}

/// The tag over everything that a cursor is bound to.
fn tag<F: Face>(call: &Call<F>, realm: &Realm, query: &[u8], content: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&call.app.cursor_key);
    let published = realm.published();
    let caller = call.caller.actor.to_string();
    let parts = [F::VIA.as_bytes(), published.head.ledger_id.0.as_bytes(), caller.as_bytes(), query, content];
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize()
}
