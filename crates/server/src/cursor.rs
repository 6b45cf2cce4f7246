//! Where a list goes on: what its next page needs to know, sealed so that only the same caller can give it back, for the
//! same query, on the same ledger, within five minutes.
//!
//! A later page is answered by the state of the first one and at its time. That state is pinned in this process; when it
//! has been crowded out, or another node is asked, the list has to start again.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantd_node::Published;
use grantd_node::realm::Micros;

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
    /// As the caller gets it. `query` is everything that must be the same in the next request.
    pub(crate) fn seal<F: Face>(&self, call: &Call<F>, query: &[u8]) -> String {
        let expires = call.now() + LIFE;
        call.realm.pin(self.state.clone(), expires);
        let mut content = Vec::with_capacity(32 + self.last.len());
        content.extend_from_slice(&expires.to_le_bytes());
        content.extend_from_slice(&self.state.head.revision.to_le_bytes());
        content.extend_from_slice(&self.time.to_le_bytes());
        content.extend_from_slice(&(self.limit as u64).to_le_bytes());
        content.extend_from_slice(self.last.as_bytes());
        let mut sealed = tag(call, query, &content).as_bytes().to_vec();
        sealed.extend_from_slice(&content);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// What [`Self::seal`] gave, for the same query.
    pub(crate) fn open<F: Face>(call: &Call<F>, query: &[u8], text: &str) -> Result<Self, BadCursor> {
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor::Invalid)?;
        let (sent, content) = sealed.split_first_chunk::<32>().ok_or(BadCursor::Invalid)?;
        // BLAKE3's own equality is constant-time.
        if tag(call, query, content) != *sent {
            return Err(BadCursor::Invalid);
        }
        let (expires, content) = number(content)?;
        let (revision, content) = number(content)?;
        let (time, content) = number(content)?;
        let (limit, last) = number(content)?;
        if call.now() >= Micros::from_le_bytes(expires) {
            return Err(BadCursor::Invalid);
        }
        let limit = usize::try_from(u64::from_le_bytes(limit)).map_err(|_| BadCursor::Invalid)?;
        let last = std::str::from_utf8(last).map_err(|_| BadCursor::Invalid)?.to_owned();
        let state = call.realm.at(u64::from_le_bytes(revision)).ok_or(BadCursor::Gone)?;
        Ok(Self { state, time: Micros::from_le_bytes(time), limit, last })
    }
}

fn number(content: &[u8]) -> Result<([u8; 8], &[u8]), BadCursor> {
    content.split_first_chunk::<8>().map(|(number, rest)| (*number, rest)).ok_or(BadCursor::Invalid)
}

/// The tag over everything that a cursor is bound to.
fn tag<F: Face>(call: &Call<F>, query: &[u8], content: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&call.app.cursor_key);
    let published = call.realm.published();
    let caller = call.caller.actor.to_string();
    let parts = [F::VIA.as_bytes(), published.head.ledger_id.0.as_bytes(), caller.as_bytes(), query, content];
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize()
}
