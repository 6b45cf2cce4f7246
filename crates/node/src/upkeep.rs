//! What is done now and then, off everybody's way: expired rows are deleted, relationships that have ended are taken away,
//! long ledgers get a state snapshot, realms that nobody uses are unloaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grantd_ledger::store::StoreError;
use grantd_realm::Caller;
use grantd_realm::expiry::RemoveEnded;
use grantd_realm::oauth_token::NoteUses;
use grantd_realm::realms::is_fixed;

use crate::load::save_snapshot;
use crate::node::Node;
use crate::running::{Published, Realm};
use crate::submit::Request;

/// How many entries beyond the last snapshot make a new one worth its while.
const SNAPSHOT_EVERY: u64 = 10_000;

/// The same for a realm that is being unloaded: its next use waits for its loading.
const SNAPSHOT_AT_UNLOAD: u64 = 100;

/// How many ended relationships one entry takes away, and how many such entries a round makes for a realm.
const REMOVED: usize = 1_000;
const REMOVALS: usize = 10;

/// How many uses of tokens a round notes; others are lost.
const NOTED: usize = 10_000;

/// How many expired rows are deleted at a time, so that the writer is never kept long.
const PURGE: usize = 10_000;

impl Node {
    /// One round of upkeep; meant to be called about once a minute. What fails is done in the next round.
    pub async fn upkeep(&self) {
        if let Err(error) = self.store().purge_rows(self.now(), PURGE).await {
            tracing::warn!(%error, "expired rows could not be deleted");
        }
        for realm in self.loaded() {
            if realm.is_served().is_err() {
                // It is of no use, and may hold much.
                self.unload(realm, 1).await;
                continue;
            }
            self.remove_ended(&realm).await;
            self.note_uses(&realm).await;
            realm.unpin(self.now());
            if let Err(error) = self.keep_snapshot(&realm, SNAPSHOT_EVERY).await {
                tracing::warn!(realm = realm.name(), %error, "a state snapshot could not be kept");
            }
            self.unload_if_idle(realm).await;
        }
    }

    /// Takes away relationships that have ended, as entries of their own, so that the ledger says what is stored.
    async fn remove_ended(&self, realm: &Realm) {
        for _ in 0..REMOVALS {
            let (published, now) = (realm.published(), self.now());
            if published.state.name().is_empty() {
                return;
            }
            let keys = published.state.graph().ended(now, REMOVED);
            let last = keys.len() < REMOVED;
            if keys.is_empty() {
                return;
            }
            let (command, caller) = (RemoveEnded { keys }, Caller::system("expiry"));
            let request = Request { command, caller, via: "upkeep", reason: None, idempotency: None };
            match realm.submit(request).await {
                // On the store's clock they may not have ended yet.
                Ok(done) if done.answer > 0 && !last => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(realm = realm.name(), %error, "ended relationships could not be taken away");
                    return;
                }
            }
        }
    }

    /// Notes which authorizations apps used since the last round.
    async fn note_uses(&self, realm: &Realm) {
        let uses = realm.tokens().take_uses(NOTED);
        if uses.is_empty() || realm.published().state.name().is_empty() {
            return;
        }
        let (command, caller) = (NoteUses { uses }, Caller::system("system"));
        let request = Request { command, caller, via: "upkeep", reason: None, idempotency: None };
        if let Err(error) = realm.submit(request).await {
            tracing::warn!(realm = realm.name(), %error, "uses of tokens could not be noted");
        }
    }

    /// Unloads a realm whose time is over. The realm that holds the system keys, and the one that calls mean which name
    /// none, always stay.
    async fn unload_if_idle(&self, realm: Arc<Realm>) {
        let (Some(idle), false) = (self.idle, is_fixed(realm.name())) else { return };
        if realm.idle_for(self.now()) < idle && !realm.is_deleted() {
            return;
        }
        if let Err(error) = self.keep_snapshot(&realm, SNAPSHOT_AT_UNLOAD).await {
            tracing::warn!(realm = realm.name(), %error, "a state snapshot could not be kept");
        }
        let name = realm.name().to_owned();
        if self.unload(realm, 1).await {
            tracing::info!(realm = name, "realm unloaded");
        }
    }

    /// Keeps a snapshot of a realm that is so many entries beyond its last one, or has become much larger or smaller.
    pub(crate) async fn keep_snapshot(&self, realm: &Realm, every: u64) -> Result<(), StoreError> {
        let published = realm.published();
        let now = LastSnapshot::of(&published);
        if realm.is_served().is_err() {
            return Ok(());
        }
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
