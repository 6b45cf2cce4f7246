//! Lists: `{"items": [...], "next": "<cursor>" | null}`, with `limit` and `cursor`.
//!
//! A cursor is bound to the caller, the query and the ledger, is authenticated, and lives 5 minutes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantd_node::realm::Micros;
use serde::{Deserialize, Serialize};

use super::Call;
use super::errors::{Error, invalid};

/// Without a limit, and at most.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// How long a cursor lives, in microseconds.
const LIFE: Micros = 5 * 60 * 1_000_000;

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Page<T> {
    /// What was asked for.
    pub(super) items: Vec<T>,
    /// Give this as `cursor` for the next page; null at the end.
    pub(super) next: Option<String>,
}

/// What a query says about paging.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(super) struct Paging {
    /// At most so many items, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl Paging {
    pub(super) fn limit(&self) -> Result<usize, Error> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            0 => Err(invalid("limit", "must be 1 to 1000")),
            limit => Ok(limit.min(MAX_LIMIT)),
        }
    }

    /// The key of the last item of the page before.
    pub(super) fn after(&self, call: &Call, query: &str) -> Result<Option<String>, Error> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bad = || invalid("cursor", "is not valid here or has expired; start the list again without it");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        let (tag, content) = bytes.split_first_chunk::<32>().ok_or_else(bad)?;
        // BLAKE3's own equality is constant-time.
        if seal(call, query, content) != *tag {
            return Err(bad());
        }
        let (expires, key) = content.split_at_checked(8).ok_or_else(bad)?;
        let expires = Micros::from_le_bytes(expires.try_into().map_err(|_| bad())?);
        if call.now() >= expires {
            return Err(bad());
        }
        String::from_utf8(key.to_vec()).map(Some).map_err(|_| bad())
    }
}

/// The page, and the cursor behind its last item if there may be more.
pub(super) fn page<T>(
    call: &Call,
    query: &str,
    mut items: Vec<T>,
    limit: usize,
    key: impl Fn(&T) -> String,
) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = match items.last().filter(|_| more) {
        None => None,
        Some(last) => {
            let mut content = (call.now() + LIFE).to_le_bytes().to_vec();
            content.extend_from_slice(key(last).as_bytes());
            let mut cursor = seal(call, query, &content).as_bytes().to_vec();
            cursor.extend_from_slice(&content);
            Some(URL_SAFE_NO_PAD.encode(cursor))
        }
    };
    Page { items, next }
}

/// The tag over everything that a cursor is bound to.
fn seal(call: &Call, query: &str, content: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&call.app.cursor_key);
    let published = call.realm.published();
    let caller = call.caller.actor.to_string();
    for part in [published.head.ledger_id.0.as_bytes(), caller.as_bytes(), query.as_bytes(), content] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize()
}
