//! From the ledger to a state: a snapshot if there is a good one, and the entries after it.

use grantd_ledger::entry::Hash;
use grantd_ledger::store::{Head, SnapshotMeta, Store, StoreError};
use grantd_realm::State;
use grantd_realm::snapshot::FORMAT;

use crate::entry::{FoldError, fold};
use crate::running::Published;

/// How many entries are read at a time.
const PAGE: usize = 1_000;

/// Why a realm cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The entries do not continue what was folded.
    #[error("the ledger does not continue at revision {0}: it was rewritten, or the store is damaged")]
    Broken(u64),
}

/// A realm as it was loaded.
pub(crate) struct Loaded {
    pub(crate) published: Published,
    /// The revision of the snapshot that it began with; 0 without one.
    pub(crate) snapshot: u64,
}

/// Loads a realm, on a clone of an empty state: what is made of the built-in schema is made once for all realms.
pub(crate) async fn load(store: &dyn Store, realm: &str, empty: &State) -> Result<Loaded, LoadError> {
    let head = store.head(realm).await?;
    let (mut state, from) = match from_snapshot(store, realm, empty).await? {
        Some((state, at)) => (state, Head { ledger_id: head.ledger_id, ..at }),
        None => (empty.clone(), Head::empty(head.ledger_id)),
    };
    let reached = fold_from(store, realm, &mut state, from).await?;
    Ok(Loaded { published: Published { state, head: reached }, snapshot: from.revision })
}

/// Folds everything after a head; gives the head that was reached.
pub(crate) async fn fold_from(
    store: &dyn Store,
    realm: &str,
    state: &mut State,
    from: Head,
) -> Result<Head, LoadError> {
    let mut head = from;
    loop {
        let page = store.entries(realm, head.revision, PAGE).await?;
        let full = page.len() == PAGE;
        for disclosed in page {
            let entry = &disclosed.entry;
            if entry.revision != head.revision + 1 || entry.prev != head.hash {
                return Err(LoadError::Broken(entry.revision));
            }
            fold(state, &disclosed)?;
            head = Head::of(entry);
        }
        state.tidy();
        if !full {
            return Ok(head);
        }
    }
}

/// The state of the newest snapshot, if it is whole, readable and belongs to this very ledger.
async fn from_snapshot(
    store: &dyn Store,
    realm: &str,
    empty: &State,
) -> Result<Option<(State, Head)>, LoadError> {
    let Some((meta, bytes)) = store.snapshot(realm).await? else { return Ok(None) };
    let thrown_away = |why: &str| {
        tracing::warn!(realm, revision = meta.revision, why, "a state snapshot is not used");
        Ok(None)
    };
    if meta.format != FORMAT {
        return thrown_away("it has another form");
    }
    let there = store.entries(realm, meta.revision.saturating_sub(1), 1).await?;
    let Some(entry) = there.first().map(|disclosed| &disclosed.entry) else {
        return thrown_away("its entry is not there");
    };
    if entry.revision != meta.revision || entry.hash != meta.head_hash {
        return thrown_away("it is of another ledger");
    }
    let Ok(state) = State::from_snapshot_on(empty.clone(), &bytes) else {
        return thrown_away("it cannot be read");
    };
    if state.hash() != meta.state_hash.0 {
        return thrown_away("its state hash is another one");
    }
    Ok(Some((state, Head::of(entry))))
}

/// Stores the state, so that the next start need not fold what led to it.
pub(crate) async fn save_snapshot(
    store: &dyn Store,
    realm: &str,
    state: &State,
    head: Head,
) -> Result<(), StoreError> {
    let forked = state.clone();
    let made = tokio::task::spawn_blocking(move || (forked.to_snapshot(), forked.hash())).await;
    let (bytes, hash) = made.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let meta = SnapshotMeta {
        format: FORMAT,
        revision: head.revision,
        head_hash: head.hash,
        state_hash: Hash(hash),
        length: bytes.len() as u64,
    };
    store.put_snapshot(realm, &meta, &bytes).await
}
