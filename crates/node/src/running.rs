//! A realm that is being served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use grantd_ledger::entry::Disclosed;
use grantd_ledger::seal::MasterKey;
use grantd_ledger::store::{Head, Row, SecretWrite, Store, StoreError};
use grantd_realm::command::{Command, SealedWrite};
use grantd_realm::{Micros, State};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::attend::attend;
use crate::clock::Clock;
use crate::job::Pending;
use crate::load::Loaded;
use crate::observer::Observer;
use crate::pins::Pins;
use crate::retired::free;
use crate::submit::{Done, Request, SubmitError};
use crate::tokens::Tokens;
use crate::trust::{Trust, verify};
use crate::upkeep::LastSnapshot;
use crate::waiting::Waiting;
use crate::writer::{Message, Writer};

/// A realm at one revision; immutable.
pub struct Published {
    /// The state.
    pub state: State,
    /// The head that it is the fold of.
    pub head: Head,
}

/// What the writer and the askers of a realm share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) master_key: Arc<MasterKey>,
    pub(crate) observer: Arc<dyn Observer>,
    published: ArcSwap<Published>,
    pins: Pins,
    revision: watch::Sender<u64>,
    retired: mpsc::UnboundedSender<Arc<Published>>,
    trust: Trust,
    waiting: Arc<Waiting>,
    pub(crate) tokens: Tokens,
}

impl Shared {
    /// Who waits for requests.
    pub(crate) fn waiting(&self) -> &Arc<Waiting> {
        &self.waiting
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    pub(crate) fn publish(&self, next: Published) {
        let revision = next.head.revision;
        let retired = self.published.swap(Arc::new(next));
        self.revision.send_replace(revision);
        self.retire(retired);
    }

    /// Frees a state where no request waits for it: a large one takes long.
    pub(crate) fn retire(&self, state: Arc<Published>) {
        // Without a receiver the process stops, and with it goes everything.
        let _: Result<(), _> = self.retired.send(state);
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(crate) fn seal(&self, secret: SealedWrite) -> Result<SecretWrite, StoreError> {
        match secret {
            SealedWrite::Delete { name } => Ok(SecretWrite::Delete(name)),
            SealedWrite::Put { name, version, value } => self
                .master_key
                .seal(&self.name, &name, version, value.0.as_bytes())
                .map(SecretWrite::Put)
                .map_err(|error| StoreError::Unavailable(error.to_string())),
        }
    }
}

/// A realm that is being served: read its published state, hand commands to its writer.
pub struct Realm {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Message>,
    revision: watch::Receiver<u64>,
    clock: Arc<dyn Clock>,
    snapshot: LastSnapshot,
    /// Whether somebody asked for it since the last upkeep.
    used: AtomicBool,
    /// The upkeep that last found it used, in microseconds.
    used_at: AtomicU64,
}

/// Follows what other nodes append, for as long as the realm is served.
async fn follow_others(queue: mpsc::WeakSender<Message>, every: Duration) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(queue) = queue.upgrade() else { return };
        let (reply, done) = oneshot::channel();
        if queue.send(Message::Refresh(reply)).await.is_err() {
            return;
        }
        drop(queue);
        if let Ok(Err(error)) = done.await {
            tracing::warn!(%error, "this node cannot follow the store");
        }
    }
}

/// Hands a command to a writer and waits until it is durable, or refused.
pub(crate) async fn submit_to<C: Command>(
    queue: &mpsc::Sender<Message>,
    request: Request<C>,
) -> Result<Done<C::Answer>, SubmitError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| SubmitError::Unavailable)?;
    let (reply, answer) = oneshot::channel();
    let job = Box::new(Pending::new(request, seed, reply));
    queue.try_send(Message::Job(job)).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => SubmitError::Stopping,
    })?;
    answer.await.unwrap_or(Err(SubmitError::Stopping))
}

/// How many commands may wait for the writer.
const QUEUE: usize = 8_192;

impl Realm {
    /// Starts the writer of a loaded realm.
    pub(crate) fn start(
        name: &str,
        store: Arc<dyn Store>,
        master_key: Arc<MasterKey>,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
        follow: Option<Duration>,
        loaded: Loaded,
    ) -> (Self, JoinHandle<()>) {
        let Loaded { published, snapshot, unverified } = loaded;
        let (revision, watcher) = watch::channel(published.head.revision);
        let published = ArcSwap::from_pointee(published);
        let (retired, unused) = mpsc::unbounded_channel();
        tokio::spawn(free(unused));
        let trust = Trust::new(unverified.is_none());
        let (name, pins, waiting) = (name.into(), Pins::default(), Arc::default());
        let shared = Arc::new(Shared {
            name,
            store,
            master_key,
            observer,
            published,
            pins,
            revision,
            retired,
            trust,
            waiting,
            tokens: Tokens::default(),
        });
        if let Some(unverified) = unverified {
            tokio::spawn(verify(shared.clone(), unverified));
        }
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(Writer::new(shared.clone()).run(jobs));
        if let Some(every) = follow.filter(|_| shared.store.is_shared()) {
            tokio::spawn(follow_others(queue.downgrade(), every));
        }
        let attended = (Arc::downgrade(&shared), queue.downgrade(), watcher.clone(), clock.clone());
        let (weak, sender, revisions, ticking) = attended;
        tokio::spawn(attend(weak, sender, revisions, ticking));
        let (used, used_at) = (true.into(), AtomicU64::new(0));
        (Self { shared, queue, revision: watcher, clock, snapshot, used, used_at }, writer)
    }

    /// The realm's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Whether it was deleted, and not made again since.
    pub fn is_deleted(&self) -> bool {
        let published = self.shared.published();
        published.state.name().is_empty() && published.head.revision > 0
    }

    /// Keeps it loaded for a while.
    pub(crate) fn note_use(&self) {
        // Read first: many threads writing one word would wait for each other.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// How long nobody has asked for it, as far as calls of this function can tell.
    pub(crate) fn idle_for(&self, now: Micros) -> Duration {
        let now = now.unsigned_abs();
        if self.used.swap(false, Ordering::Relaxed) {
            self.used_at.store(now, Ordering::Relaxed);
        }
        Duration::from_micros(now.saturating_sub(self.used_at.load(Ordering::Relaxed)))
    }

    pub(crate) fn last_snapshot(&self) -> &LastSnapshot {
        &self.snapshot
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.shared.trust
    }

    /// The newest published state.
    pub fn published(&self) -> Arc<Published> {
        self.shared.published()
    }

    /// Keeps a state for the pages of a list that are still to come, until that time or until newer ones crowd it out.
    pub fn pin(&self, state: Arc<Published>, until: Micros) {
        self.shared.pins.keep(state, until).into_iter().for_each(|state| self.shared.retire(state));
    }

    /// The state of a revision: the published one, or one that was [pinned](Self::pin) and still is.
    pub fn at(&self, revision: u64) -> Option<Arc<Published>> {
        let published = self.published();
        if published.head.revision == revision { Some(published) } else { self.shared.pins.get(revision) }
    }

    /// Lets go of the pinned states whose time is over.
    pub(crate) fn unpin(&self, now: Micros) {
        self.shared.pins.forget(now).into_iter().for_each(|state| self.shared.retire(state));
    }

    /// Whether other nodes may serve it at the same time.
    pub fn is_shared(&self) -> bool {
        self.shared.store.is_shared()
    }

    /// Tells each newly published revision.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.clone()
    }

    /// Hands a command to the writer and waits until it is durable, or refused.
    pub async fn submit<C: Command>(&self, request: Request<C>) -> Result<Done<C::Answer>, SubmitError> {
        if self.shared.trust.is_lost() {
            return Err(SubmitError::Unavailable);
        }
        submit_to(&self.queue, request).await
    }

    /// The time, for questions.
    pub(crate) fn now(&self) -> Micros {
        self.clock.now()
    }

    pub(crate) fn waiting(&self) -> &Arc<Waiting> {
        &self.shared.waiting
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.shared.tokens
    }

    /// Makes the published state at least as new as the store's head is now. Where one process owns the store it
    /// always is.
    pub async fn catch_up(&self) -> Result<(), SubmitError> {
        if self.shared.store.is_shared() { self.refresh().await } else { Ok(()) }
    }

    /// Folds whatever the ledger holds beyond the published head, and waits for what is just being published.
    pub async fn refresh(&self) -> Result<(), SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Refresh(reply)).await.map_err(|_| SubmitError::Stopping)?;
        answer.await.unwrap_or(Err(SubmitError::Stopping))
    }

    /// Waits until everything that was handed to the writer before is answered.
    pub(crate) async fn settled(&self) {
        let (reply, settled) = oneshot::channel();
        if self.queue.send(Message::Settle(reply)).await.is_ok() {
            // A writer that is gone holds nothing.
            let _ = settled.await;
        }
    }

    /// Waits until the published state has this revision; false when the time is over first.
    pub async fn wait_for(&self, revision: u64, at_most: Duration) -> bool {
        let mut watcher = self.revision.clone();
        let reached = watcher.wait_for(|published| *published >= revision);
        matches!(tokio::time::timeout(at_most, reached).await, Ok(Ok(_)))
    }

    /// Entries after a revision, from the store.
    pub async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Disclosed>, StoreError> {
        self.shared.store.entries(&self.shared.name, after, limit).await
    }

    /// An ephemeral row of the realm that has not expired at `now`.
    pub async fn row(&self, kind: &str, key: &[u8], now: Micros) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.store.row(&self.shared.name, kind, key, now).await
    }

    /// Its ephemeral rows of a family whose keys begin with a prefix and that have not expired at `now`, by key, at most
    /// `limit`.
    pub async fn rows(
        &self,
        kind: &str,
        prefix: &[u8],
        now: Micros,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.shared.store.rows(&self.shared.name, kind, prefix, now, limit).await
    }

    /// A sealed secret of the realm, opened.
    pub async fn secret(&self, name: &str) -> Result<Option<String>, StoreError> {
        let Some(sealed) = self.shared.store.secret(&self.shared.name, name).await? else { return Ok(None) };
        let damaged = |problem: String| StoreError::Damaged(format!("the sealed secret `{name}`: {problem}"));
        let opened =
            self.shared.master_key.open(&self.shared.name, &sealed).map_err(|e| damaged(e.to_string()))?;
        String::from_utf8(opened.expose().to_vec()).map(Some).map_err(|_| damaged("is not a text".into()))
    }
}
