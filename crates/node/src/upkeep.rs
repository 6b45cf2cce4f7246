//! What is done now and then, off everybody's way: expired rows are deleted, long ledgers get a state snapshot.

use std::sync::atomic::{AtomicU64, Ordering};

use grantd_ledger::store::StoreError;

use crate::load::save_snapshot;
use crate::node::Node;
use crate::running::{Published, Realm};

/// How many entries beyond the last snapshot make a new one worth its while.
const SNAPSHOT_EVERY: u64 = 10_000;

/// How many expired rows are deleted at a time, so that the writer is never kept long.
const PURGE: usize = 10_000;

impl Node {
    /// One round of upkeep; meant to be called about once a minute. What fails is done in the next round.
    pub async fn upkeep(&self) {
        if let Err(error) = self.store().purge_rows(self.now(), PURGE).await {
            tracing::warn!(%error, "expired rows could not be deleted");
        }
        for realm in self.loaded() {
            if let Err(error) = self.keep_snapshot(&realm, SNAPSHOT_EVERY).await {
                tracing::warn!(realm = realm.name(), %error, "a state snapshot could not be kept");
            }
        }
    }

    /// Keeps a snapshot of a realm that is so many entries beyond its last one, or has become much larger or smaller.
    pub(crate) async fn keep_snapshot(&self, realm: &Realm, every: u64) -> Result<(), StoreError> {
        let published = realm.published();
        let now = LastSnapshot::of(&published);
        if !realm.trust().is_given() || !realm.last_snapshot().is_outdone_by(&now, every) {
            return Ok(());
        }
        save_snapshot(&**self.store(), realm.name(), &published.state, published.head).await?;
        realm.last_snapshot().replace(&now);
        Ok(())
    }
}

/// What the last state snapshot of a realm was taken of; nothing if there is none.
#[derive(Debug, Default)]
pub(crate) struct LastSnapshot {
    revision: AtomicU64,
    relationships: AtomicU64,
}

impl LastSnapshot {
    pub(crate) fn of(published: &Published) -> Self {
        Self { revision: published.head.revision.into(), relationships: published.state.graph().len().into() }
    }

    /// An entry may hold thousands of relationships, so that few of them may take long to fold.
    fn is_outdone_by(&self, now: &Self, every: u64) -> bool {
        const MANY: u64 = 100_000;
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let entries = of(&now.revision).saturating_sub(of(&self.revision));
        let (before, relationships) = (of(&self.relationships), of(&now.relationships));
        entries >= every || before.abs_diff(relationships) > MANY.max(before / 8)
    }

    fn replace(&self, now: &Self) {
        let copy =
            |to: &AtomicU64, from: &AtomicU64| to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        copy(&self.revision, &now.revision);
        copy(&self.relationships, &now.relationships);
    }
}
