//! A node: the realms that this process serves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use grantd_ledger::seal::MasterKey;
use grantd_ledger::store::{Row, Store, StoreError};
use grantd_realm::Micros;
use grantd_realm::engine::Schema;
use tokio::sync::Mutex;
use tokio::task::{AbortHandle, JoinHandle};

use crate::clock::Clock;
use crate::decision_log::DecisionLog;
use crate::follow::Follow;
use crate::load::{LoadError, Source, load};
use crate::observer::Observer;
use crate::reach::Reach;
use crate::running::Realm;
use crate::submit::SubmitError;

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
    /// The machine's clock, for questions. Commands use the store's; so do questions where nodes share it.
    pub clock: Arc<dyn Clock>,
    /// Where questions are written down, if anywhere.
    pub decision_log: Option<DecisionLog>,
    /// Counts what the node does.
    pub observer: Arc<dyn Observer>,
    /// How to follow what other nodes append, where they share the store; see [`Node::follow`].
    pub follow: Option<Follow>,
}

/// The realms that this process serves, each loaded when it is first asked for.
pub struct Node {
    store: Arc<dyn Store>,
    master_key: Arc<MasterKey>,
    schema: Arc<Schema>,
    clock: Arc<dyn Clock>,
    decision_log: Option<DecisionLog>,
    observer: Arc<dyn Observer>,
    reach: Arc<Reach>,
    follow: Option<Follow>,
    following: std::sync::Mutex<Option<AbortHandle>>,
    clock_was_off: AtomicBool,
    /// How long a realm that nobody uses stays loaded.
    pub(crate) idle: Option<Duration>,
    /// The loaded realms; requests find theirs here without a lock.
    served: ArcSwap<HashMap<Arc<str>, Arc<Realm>>>,
    /// A place for each realm that is loaded, or is being loaded or unloaded.
    places: Mutex<HashMap<String, Arc<Mutex<Place>>>>,
    /// Held while a realm is made or deleted.
    pub(crate) realms_change: Mutex<()>,
}

/// Where a realm is loaded. Whoever holds its lock may start a writer, and nobody else.
struct Place {
    /// The realm, for as long as anybody holds it.
    realm: Weak<Realm>,
    writer: Option<JoinHandle<()>>,
    /// What it is loaded from: the ledger alone, once a snapshot has turned out to be wrong.
    source: Source,
}

impl Default for Place {
    fn default() -> Self {
        Self { realm: Weak::new(), writer: None, source: Source::Snapshot }
    }
}

impl Place {
    /// The writer ends when the last holder of its realm is gone and its queue is empty.
    async fn until_its_writer_has_ended(&mut self) {
        if let Some(writer) = &mut self.writer {
            // One that panicked has ended as well.
            let _ = writer.await;
        }
        self.writer = None;
    }

    fn is_empty(&self) -> bool {
        self.writer.is_none() && self.realm.strong_count() == 0
    }
}

impl Node {
    /// A node without any realm loaded. To be made where tasks can be spawned.
    pub fn new(settings: Settings) -> Self {
        let reach = Reach::new(settings.store.clone(), settings.clock);
        Self {
            store: settings.store,
            master_key: Arc::new(settings.master_key),
            schema: settings.schema,
            clock: reach.clock(),
            reach,
            decision_log: settings.decision_log,
            observer: settings.observer,
            follow: settings.follow,
            following: std::sync::Mutex::default(),
            clock_was_off: false.into(),
            idle: None,
            served: ArcSwap::default(),
            places: Mutex::default(),
            realms_change: Mutex::default(),
        }
    }

    /// Unloads realms that nobody used for so long; see [`Node::upkeep`].
    #[must_use]
    pub fn unload_after(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// The time, for questions.
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// A key for one purpose, the same on every node that holds the master key.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        self.master_key.derive(purpose)
    }

    /// The same of each master key at hand, of the one in force first.
    pub fn derived_keys(&self, purpose: &str) -> impl Iterator<Item = [u8; 32]> {
        self.master_key.derive_each(purpose)
    }

    /// Where questions are written down, if anywhere.
    pub fn decision_log(&self) -> Option<&DecisionLog> {
        self.decision_log.as_ref()
    }

    /// The names of the realms that have a ledger in the store and are not loaded now.
    pub async fn unloaded(&self) -> Result<Vec<String>, StoreError> {
        let served = self.served.load_full();
        let names = self.store.realms().await?;
        Ok(names.into_iter().filter(|name| !served.contains_key(name.as_str())).collect())
    }

    /// Ephemeral rows of a realm, which need not be loaded: up to `limit` of a family, by key.
    pub async fn rows_of(&self, realm: &str, kind: &str, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.store.rows(realm, kind, &[], self.now(), limit).await
    }

    pub(crate) fn reach(&self) -> &Arc<Reach> {
        &self.reach
    }

    pub(crate) fn following(&self) -> Option<Follow> {
        self.follow
    }

    pub(crate) fn following_by(&self, task: AbortHandle) {
        *self.following.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    pub(crate) fn clock_was_off(&self, is_off: bool) -> bool {
        self.clock_was_off.swap(is_off, Ordering::Relaxed)
    }

    /// For how many seconds the state of a realm has not been known to be the newest, if that is longer than it should be. To be asked before the
    /// state is.
    pub fn stale_for(&self, realm: &Realm) -> Option<u64> {
        let (follow, age) = (self.follow?, realm.age()?);
        (age > follow.stale_after).then_some(age.as_secs())
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        &*self.observer
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A realm, loaded if need be. [`StoreError::NoLedger`] if there is none of that name, or none any more.
    pub async fn realm(&self, name: &str) -> Result<Arc<Realm>, LoadError> {
        let realm = self.opened(name).await?;
        if !realm.is_deleted() {
            return Ok(realm);
        }
        // Another node may have made it again a moment ago.
        match realm.catch_up().await {
            Ok(()) => {}
            Err(SubmitError::Contradicted) => return self.opened(name).await,
            Err(error) => return Err(StoreError::Unavailable(error.to_string()).into()),
        }
        if realm.is_deleted() { Err(StoreError::NoLedger(name.into()).into()) } else { Ok(realm) }
    }

    /// A realm, if it is loaded already.
    pub fn loaded_realm(&self, name: &str) -> Option<Arc<Realm>> {
        self.served_realm(name).filter(|realm| !realm.is_deleted())
    }

    fn served_realm(&self, name: &str) -> Option<Arc<Realm>> {
        let served = self.served.load();
        let is_good = |realm: &&Arc<Realm>| !realm.trust().is_lost() && realm.is_served().is_ok();
        let realm = served.get(name).filter(is_good)?;
        realm.note_use();
        Some(realm.clone())
    }

    /// The same as [`Self::realm`], deleted ones included.
    pub(crate) async fn opened(&self, name: &str) -> Result<Arc<Realm>, LoadError> {
        match self.served_realm(name) {
            Some(realm) => Ok(realm),
            None => self.load(name).await,
        }
    }

    async fn load(&self, name: &str) -> Result<Arc<Realm>, LoadError> {
        let place = self.places.lock().await.entry(name.into()).or_default().clone();
        let loaded = self.load_into(&mut *place.lock().await, name).await;
        if matches!(loaded, Err(LoadError::Store(StoreError::NoLedger(_)))) {
            // A name that somebody made up must not stay in memory.
            self.forget_place(name, &place).await;
        }
        loaded
    }

    async fn load_into(&self, place: &mut Place, name: &str) -> Result<Arc<Realm>, LoadError> {
        if let Some(contradiction) = self.reach.contradiction(name) {
            return Err(contradiction.into());
        }
        match place.realm.upgrade() {
            // It began with a wrong state: it takes no more commands, so that nobody waits for those who still hold it.
            Some(realm) if realm.trust().is_lost() => place.source = Source::Ledger,
            Some(realm) => {
                // Loaded by who came before us; or unloaded, while a request still held it.
                realm.note_use();
                self.serve(&realm);
                return Ok(realm);
            }
            None => place.until_its_writer_has_ended().await,
        }
        let asked_at = self.reach.steady();
        let loaded = load(&*self.store, name, self.schema.clone(), place.source).await?;
        tracing::info!(
            realm = name,
            revision = loaded.published.head.revision,
            relationships = loaded.published.state.graph().len(),
            "realm loaded"
        );
        let (key, observer) = (self.master_key.clone(), self.observer.clone());
        let (realm, writer) = Realm::start(name, self.reach.clone(), key, observer, asked_at, loaded);
        let realm = Arc::new(realm);
        (place.realm, place.writer) = (Arc::downgrade(&realm), Some(writer));
        self.serve(&realm);
        Ok(realm)
    }

    fn serve(&self, realm: &Arc<Realm>) {
        self.served.rcu(|served| {
            let mut served = HashMap::clone(served);
            served.insert(realm.name().into(), realm.clone());
            served
        });
    }

    /// Drops a place that nobody uses: not who holds it, not a realm, not a writer.
    async fn forget_place(&self, name: &str, place: &Arc<Mutex<Place>>) {
        let mut places = self.places.lock().await;
        // Nor may it go while another caller, who holds it, is about to load the realm: there would be two.
        let unused = |there: &Arc<Mutex<Place>>| Arc::ptr_eq(there, place) && Arc::strong_count(there) == 2;
        let empty = place.try_lock().is_ok_and(|place| place.is_empty());
        if empty && places.get(name).is_some_and(unused) {
            places.remove(name);
        }
    }

    /// Unloads a realm that nobody uses: its next use loads it again. False if somebody does. `held` is how many references
    /// to it the caller has.
    ///
    /// There are never two writers of one realm. From the moment at which it is no longer served, a new request waits for
    /// its place; there it finds either the realm itself, which an older request still holds, or a writer that has ended.
    pub(crate) async fn unload(&self, realm: Arc<Realm>, held: usize) -> bool {
        let name = realm.name().to_owned();
        let Some(place) = self.places.lock().await.get(&name).cloned() else { return false };
        let unloaded = {
            let mut place = place.lock().await;
            // One is in the table of what is served.
            if Arc::strong_count(&realm) > held + 1 {
                return false;
            }
            realm.settled().await;
            self.served.rcu(|served| {
                let mut served = HashMap::clone(served);
                served.remove(name.as_str());
                served
            });
            drop(realm);
            let gone = place.realm.strong_count() == 0;
            if gone {
                place.until_its_writer_has_ended().await;
            }
            gone
        };
        self.forget_place(&name, &place).await;
        unloaded
    }

    /// The realms that are loaded now.
    pub fn loaded(&self) -> Vec<Arc<Realm>> {
        self.served.load().values().cloned().collect()
    }

    /// Stops: waits for what the writers hold, keeps snapshots for the next start, closes the store. Requests must have
    /// ended before.
    pub async fn stop(&self) -> Result<(), StoreError> {
        if let Some(following) = self.following.lock().unwrap_or_else(PoisonError::into_inner).take() {
            following.abort();
        }
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
        self.places.lock().await.clear();
        self.store.close().await
    }
}
