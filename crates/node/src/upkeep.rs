//! What is done now and then, off everybody's way: expired rows are deleted, long ledgers get a state snapshot.

use std::sync::atomic::Ordering;

use grantd_ledger::store::StoreError;

use crate::load::save_snapshot;
use crate::node::Node;
use crate::running::Realm;

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
            realm.unpin(self.now());
            if let Err(error) = self.keep_snapshot(&realm, SNAPSHOT_EVERY).await {
                tracing::warn!(realm = realm.name(), %error, "a state snapshot could not be kept");
            }
        }
    }

    /// Keeps a snapshot of a realm that is so many entries beyond its last one.
    pub(crate) async fn keep_snapshot(&self, realm: &Realm, every: u64) -> Result<(), StoreError> {
        let published = realm.published();
        let revision = published.head.revision;
        if revision.saturating_sub(realm.snapshot_at().load(Ordering::Relaxed)) < every {
            return Ok(());
        }
        save_snapshot(&**self.store(), realm.name(), &published.state, published.head).await?;
        realm.snapshot_at().store(revision, Ordering::Relaxed);
        Ok(())
    }
}
