//! From the ledger to a state: a snapshot if there is a good one, and the entries after it.

use std::sync::Arc;

use grantd_ledger::base::BaseState;
use grantd_ledger::entry::{Entry, Hash};
use grantd_ledger::source;
use grantd_ledger::store::{Head, SnapshotMeta, Store, StoreError};
use grantd_realm::State;
use grantd_realm::codec::KnownValues;
use grantd_realm::engine::Schema;
use grantd_realm::snapshot::{FORMAT, can_read};

use crate::contradiction::Contradiction;
use crate::entry::{FoldError, fold};
use crate::running::Published;
use crate::trust::Unverified;
use crate::upkeep::LastSnapshot;

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
    /// The ledger begins with a base, and the state there cannot be used.
    #[error(
        "the state at revision {revision}, with which the ledger begins since older entries are in an archive, {why}; \
         put them back with `grantd ledger unarchive`"
    )]
    Base {
        /// The base's revision.
        revision: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The entries do not continue what was folded.
    #[error("the ledger does not continue at revision {0}: it was rewritten, or the store is damaged")]
    Broken(u64),
    /// The next entry was made for another one than we hold.
    #[error(
        "the ledger's entry {0} does not follow the entry before it that was read: it was rewritten, or the store is damaged"
    )]
    Forked(u64),
    /// The store has contradicted what this node has seen.
    #[error("the realm is not served by this node until it is restarted: {0}")]
    Contradicted(#[from] Contradiction),
}

/// A realm as it was loaded.
pub(crate) struct Loaded {
    pub(crate) published: Published,
    /// The snapshot that it began with.
    pub(crate) snapshot: LastSnapshot,
    /// What is still to be verified about that.
    pub(crate) unverified: Option<Unverified>,
}

/// What a realm is loaded from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// The newest snapshot, if there is a good one, and the entries after it.
    Snapshot,
    /// Every entry that the ledger has, behind its base if some are in an archive.
    Ledger,
}

/// A snapshot with more bytes than this is served before its state's hash is known: see [`crate::trust`].
const VERIFIED_AT_ONCE: usize = 4 << 20;

/// How often loading begins anew because entries that it was about to read were archived.
const ATTEMPTS: usize = 4;

/// Loads a realm.
pub(crate) async fn load(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    source: Source,
) -> Result<Loaded, LoadError> {
    for _ in 1..ATTEMPTS {
        match load_once(store, realm, schema.clone(), source).await {
            Err(LoadError::Store(StoreError::Archived { .. })) => {}
            loaded => return loaded,
        }
    }
    load_once(store, realm, schema, source).await
}

async fn load_once(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    source: Source,
) -> Result<Loaded, LoadError> {
    let head = store.head(realm).await?;
    let mut begin = match source {
        Source::Snapshot => from_snapshot(store, realm, &schema).await?,
        Source::Ledger => None,
    };
    if begin.is_none() {
        begin = from_base(store, realm, &schema).await?;
    }
    let (mut state, from, snapshot, unverified) = match begin {
        Some(Begin { published, unverified }) => {
            let snapshot = LastSnapshot::of(&published);
            (published.state, Head { ledger_id: head.ledger_id, ..published.head }, snapshot, unverified)
        }
        None => (State::empty(schema), Head::empty(head.ledger_id), LastSnapshot::default(), None),
    };
    let head = fold_from(store, realm, &mut state, from).await?;
    let state = blocking(move || {
        state.prepare();
        state
    });
    let published = Published { state: state.await?, head };
    Ok(Loaded { published, snapshot, unverified })
}

/// Loads a realm and verifies it before anything is done with it: for who stays only for one command.
pub(crate) async fn load_verified(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
) -> Result<Published, LoadError> {
    let Loaded { published, unverified, .. } = load(store, realm, schema.clone(), Source::Snapshot).await?;
    let Some(Unverified { state, hash }) = unverified else { return Ok(published) };
    if blocking(move || state.hash() == hash.0).await? {
        return Ok(published);
    }
    tracing::warn!(realm, "a state snapshot is not used: its state hash is another one");
    Ok(load(store, realm, schema, Source::Ledger).await?.published)
}

/// Runs what takes long where nobody waits.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Folds everything after a head; gives the head that was reached.
pub(crate) async fn fold_from(
    store: &dyn Store,
    realm: &str,
    state: &mut State,
    from: Head,
) -> Result<Head, LoadError> {
    fold_each(store, realm, state, from, |_| {}).await
}

/// The same, telling of each entry.
pub(crate) async fn fold_each(
    store: &dyn Store,
    realm: &str,
    state: &mut State,
    from: Head,
    mut tell: impl FnMut(&Entry) + Send,
) -> Result<Head, LoadError> {
    let mut head = from;
    loop {
        let page = store.entries(realm, head.revision, PAGE).await?;
        let full = page.len() == PAGE;
        for disclosed in page {
            let entry = &disclosed.entry;
            if entry.revision != head.revision + 1 {
                return Err(LoadError::Broken(entry.revision));
            }
            if entry.prev != head.hash {
                return Err(LoadError::Forked(entry.revision));
            }
            fold(state, &disclosed)?;
            head = Head::of(entry);
            tell(entry);
        }
        state.tidy();
        if state.needs_compacting() {
            let fold = state.begin_compacting();
            state.adopt_compacted(blocking(move || fold.run()).await?);
        }
        if !full {
            return Ok(head);
        }
    }
}

/// What a snapshot gives.
struct Begin {
    published: Published,
    unverified: Option<Unverified>,
}

/// The state of the newest snapshot, if it is whole, readable and belongs to this very ledger.
async fn from_snapshot(
    store: &dyn Store,
    realm: &str,
    schema: &Arc<Schema>,
) -> Result<Option<Begin>, LoadError> {
    let Some((meta, bytes)) = store.snapshot(realm).await? else { return Ok(None) };
    let revision = meta.revision;
    let thrown_away = |why: &str| {
        tracing::warn!(realm, revision, why, "a state snapshot is not used");
        Ok(None)
    };
    if meta.format != FORMAT {
        return thrown_away("it has another form");
    }
    let there = match store.entries(realm, revision.saturating_sub(1), 1).await {
        Err(StoreError::Archived { .. }) => return thrown_away("its entry is in an archive"),
        there => there?,
    };
    let Some(entry) = there.first().map(|disclosed| &disclosed.entry) else {
        return thrown_away("its entry is not there");
    };
    if entry.revision != revision || entry.hash != meta.head_hash {
        return thrown_away("it is of another ledger");
    }
    let (schema, hash, at_once) = (schema.clone(), meta.state_hash, bytes.len() <= VERIFIED_AT_ONCE);
    let read = blocking(move || {
        let state = State::from_snapshot(&bytes, schema).ok()?;
        let is_right = !at_once || state.hash() == hash.0;
        Some((state, is_right))
    });
    let state = match read.await? {
        None => return thrown_away("it cannot be read"),
        Some((_, false)) => return thrown_away("its state hash is another one"),
        Some((state, true)) => state,
    };
    let unverified = (!at_once).then(|| Unverified { state: state.clone(), hash });
    Ok(Some(Begin { published: Published { state, head: Head::of(entry) }, unverified }))
}

/// The state that the ledger begins with, if its first entries are in an archive. Nothing else can take its place.
async fn from_base(store: &dyn Store, realm: &str, schema: &Arc<Schema>) -> Result<Option<Begin>, LoadError> {
    let Some(found) = store.base_state(realm).await? else { return Ok(None) };
    let (head, state) = (found.base.head, read_base(store, realm, found, schema).await?);
    Ok(Some(Begin { published: Published { state, head }, unverified: None }))
}

/// How many revisions' values are read at a time.
const VALUES: u64 = 10_000;

/// The state at a base, compared with what was signed, with the personal values that are still known.
pub(crate) async fn read_base<S: source::Source + ?Sized>(
    source: &S,
    realm: &str,
    BaseState { base, state }: BaseState,
    schema: &Arc<Schema>,
) -> Result<State, LoadError> {
    let revision = base.head.revision;
    let unusable = |why| LoadError::Base { revision, why };
    if !can_read(base.format) {
        return Err(unusable("has a form that this version does not know (the one that made it does)"));
    }
    if base.checkpoint().verify().is_err() {
        return Err(unusable("does not have the signature of its checkpoint"));
    }
    let mut values = KnownValues::default();
    let mut after = 0;
    while after < revision {
        let last = after.saturating_add(VALUES).min(revision);
        let found = source.disclosures(realm, after, last).await?;
        values.extend(found.into_iter().filter_map(|(_, disclosure)| {
            let text = std::str::from_utf8(&disclosure.value).ok()?;
            Some((disclosure.commitment().0, text.into()))
        }));
        after = last;
    }
    let (schema, hash) = (schema.clone(), base.state_hash.0);
    let read = blocking(move || {
        let state = State::from_base(&state, &values, schema).ok()?;
        Some((state.hash() == hash, state))
    });
    match read.await? {
        None => Err(unusable("cannot be read")),
        Some((false, _)) => Err(unusable("is not the one that was signed")),
        Some((true, state)) => Ok(state),
    }
}

/// Stores the state, so that the next start need not fold what led to it.
pub(crate) async fn save_snapshot(
    store: &dyn Store,
    realm: &str,
    state: &State,
    head: Head,
) -> Result<(), StoreError> {
    let forked = state.clone();
    // The hash first: while it is made, the bytes are not in memory yet.
    let (hash, bytes) = blocking(move || (forked.hash(), forked.to_snapshot())).await?;
    let meta = SnapshotMeta {
        format: FORMAT,
        revision: head.revision,
        head_hash: head.hash,
        state_hash: Hash(hash),
        length: bytes.len() as u64,
    };
    store.put_snapshot(realm, &meta, &bytes).await
}
