//! A node: the realms that this process serves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use grantd_ledger::seal::MasterKey;
use grantd_ledger::store::{Store, StoreError};
use grantd_realm::Micros;
use grantd_realm::engine::Schema;
use tokio::sync::{Mutex, OnceCell};

use crate::clock::Clock;
use crate::decision_log::DecisionLog;
use crate::load::{LoadError, Source, load};
use crate::observer::Observer;
use crate::running::Realm;

/// How many entries beyond the last snapshot make one worth its while when the node stops anyway.
const SNAPSHOT_AT_STOP: u64 = 1_000;

/// What a node is made of.
pub struct Settings {
    /// Where the ledgers are.
    pub store: Arc<dyn Store>,
    /// Opens the sealed secrets.
    pub master_key: MasterKey,
    /// The permission models.
    pub schema: Arc<Schema>,
    /// The clock for questions. Commands use the store's.
    pub clock: Arc<dyn Clock>,
    /// Where questions are written down, if anywhere.
    pub decision_log: Option<DecisionLog>,
    /// Counts what the node does.
    pub observer: Arc<dyn Observer>,
    /// How often to look for what other nodes appended, where they share the store: the longest that a check is behind.
    pub follow: Option<Duration>,
}

/// The realms that this process serves, each loaded when it is first asked for.
pub struct Node {
    store: Arc<dyn Store>,
    master_key: Arc<MasterKey>,
    schema: Arc<Schema>,
    clock: Arc<dyn Clock>,
    decision_log: Option<DecisionLog>,
    observer: Arc<dyn Observer>,
    follow: Option<Duration>,
    /// The loaded realms; requests find theirs here without a lock.
    served: ArcSwap<HashMap<String, Arc<Realm>>>,
    /// Realms that are being loaded, or were.
    realms: Mutex<HashMap<String, Arc<Place>>>,
}

/// Where a realm is, or will be once it is loaded.
struct Place {
    realm: OnceCell<Arc<Realm>>,
    source: Source,
}

impl Place {
    fn empty(source: Source) -> Arc<Self> {
        Arc::new(Self { realm: OnceCell::new(), source })
    }
}

impl Node {
    /// A node without any realm loaded.
    pub fn new(settings: Settings) -> Self {
        Self {
            store: settings.store,
            master_key: Arc::new(settings.master_key),
            schema: settings.schema,
            clock: settings.clock,
            decision_log: settings.decision_log,
            observer: settings.observer,
            follow: settings.follow,
            served: ArcSwap::default(),
            realms: Mutex::default(),
        }
    }

    /// The time, for questions.
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// A key for one purpose, the same on every node that holds the master key.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        self.master_key.derive(purpose)
    }

    /// Where questions are written down, if anywhere.
    pub fn decision_log(&self) -> Option<&DecisionLog> {
        self.decision_log.as_ref()
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A realm, loaded if need be. [`StoreError::NoLedger`] if there is none of that name.
    pub async fn realm(&self, name: &str) -> Result<Arc<Realm>, LoadError> {
        match self.loaded_realm(name) {
            Some(realm) => Ok(realm),
            None => self.load(name).await,
        }
    }

    /// A realm, if it is loaded already.
    pub fn loaded_realm(&self, name: &str) -> Option<Arc<Realm>> {
        self.served.load().get(name).filter(|realm| !realm.trust().is_lost()).cloned()
    }

    async fn load(&self, name: &str) -> Result<Arc<Realm>, LoadError> {
        let place = self.place(name).await;
        let loaded = place
            .realm
            .get_or_try_init(|| async {
                let loaded = load(&*self.store, name, self.schema.clone(), place.source).await?;
                tracing::info!(
                    realm = name,
                    revision = loaded.published.head.revision,
                    relationships = loaded.published.state.graph().len(),
                    "realm loaded"
                );
                let (store, key) = (self.store.clone(), self.master_key.clone());
                let observer = self.observer.clone();
                let realm = Arc::new(Realm::start(name, store, key, observer, self.follow, loaded));
                self.served.rcu(|served| {
                    let mut served = HashMap::clone(served);
                    served.insert(name.into(), realm.clone());
                    served
                });
                Ok(realm)
            })
            .await
            .cloned();
        if matches!(loaded, Err(LoadError::Store(StoreError::NoLedger(_)))) {
            // A name that somebody made up must not stay in memory.
            let mut realms = self.realms.lock().await;
            // Nor may it go while another caller, who holds the place, is about to load the realm: there would be two.
            let unused = |there: &Arc<Place>| Arc::ptr_eq(there, &place) && Arc::strong_count(there) == 2;
            if realms.get(name).is_some_and(|there| !there.realm.initialized() && unused(there)) {
                realms.remove(name);
            }
        }
        loaded
    }

    /// Where a realm is to be: a new place if the one that is there began with a wrong state.
    async fn place(&self, name: &str) -> Arc<Place> {
        let mut realms = self.realms.lock().await;
        let place = realms.entry(name.into()).or_insert_with(|| Place::empty(Source::Snapshot));
        if place.realm.get().is_some_and(|realm| realm.trust().is_lost()) {
            *place = Place::empty(Source::Ledger);
        }
        place.clone()
    }

    pub(crate) fn loaded(&self) -> Vec<Arc<Realm>> {
        self.served.load().values().cloned().collect()
    }

    /// Stops: waits for what the writers hold, keeps snapshots for the next start, closes the store. Requests must have
    /// ended before.
    pub async fn stop(&self) -> Result<(), StoreError> {
        for realm in self.loaded() {
            realm.settled().await;
            if let Err(error) = self.keep_snapshot(&realm, SNAPSHOT_AT_STOP).await {
                // The next start only takes longer; the store must be closed all the same.
                tracing::warn!(realm = realm.name(), %error, "a state snapshot could not be kept");
            }
        }
        if let Some(log) = &self.decision_log {
            log.flush().await;
        }
        self.served.store(Arc::default());
        self.realms.lock().await.clear();
        self.store.close().await
    }
}
