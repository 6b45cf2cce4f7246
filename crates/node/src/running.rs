//! A realm that is being served.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
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
use crate::contradiction::{Compared, Contradiction};
use crate::follow::refresh;
use crate::job::{Claim, Pending};
use crate::level::Level;
use crate::load::Loaded;
use crate::observer::Observer;
use crate::pins::Pins;
use crate::reach::Reach;
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
    pub(crate) reach: Arc<Reach>,
    pub(crate) master_key: Arc<MasterKey>,
    pub(crate) observer: Arc<dyn Observer>,
    /// How far the published state may be behind.
    pub(crate) level: Level,
    /// Whether somebody has the writer read on.
    pub(crate) reading_on: AtomicBool,
    contradiction: OnceLock<Contradiction>,
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

    /// Fails if the store has contradicted what we hold.
    pub(crate) fn is_served(&self) -> Result<(), SubmitError> {
        if self.contradiction.get().is_none() { Ok(()) } else { Err(SubmitError::Contradicted) }
    }

    /// The store contradicts what we hold: from now on it is not served.
    pub(crate) fn contradict(&self, contradiction: Contradiction) -> SubmitError {
        if self.contradiction.set(contradiction).is_ok() {
            self.reach.contradicted(&self.name, contradiction);
            tracing::error!(
                realm = self.name,
                why = %contradiction,
                "the store contradicts what this node has seen, and this node serves the realm no more: the database was restored, or \
                 failed over to a replica that did not have every commit. Changes that were acknowledged may be lost. Find out \
                 which (`grantd ledger verify`, checkpoints, the decision log), then restart this node"
            );
        }
        SubmitError::Contradicted
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

/// Hands a command to a writer and waits until it is durable, or refused. When `hopeless` ends, it is withdrawn if the writer
/// has not begun with it.
pub(crate) async fn submit_to<C: Command>(
    queue: &mpsc::Sender<Message>,
    request: Request<C>,
    hopeless: impl Future<Output = ()>,
) -> Result<Done<C::Answer>, SubmitError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| SubmitError::Unavailable)?;
    let (reply, mut answer) = oneshot::channel();
    let claim = Arc::new(Claim::default());
    let job = Box::new(Pending::new(request, seed, claim.clone(), reply));
    queue.try_send(Message::Job(job)).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => SubmitError::Stopping,
    })?;
    let answered = tokio::select! {
        biased;
        answered = &mut answer => answered,
        () = hopeless => {
            if claim.take() {
                return Err(SubmitError::Unavailable);
            }
            answer.await
        }
    };
    answered.unwrap_or(Err(SubmitError::Stopping))
}

/// How many commands may wait for the writer.
const QUEUE: usize = 8_192;

impl Realm {
    /// Starts the writer of a realm that was loaded; `asked_at` is when that began.
    pub(crate) fn start(
        name: &str,
        reach: Arc<Reach>,
        master_key: Arc<MasterKey>,
        observer: Arc<dyn Observer>,
        asked_at: Duration,
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
            store: reach.store.clone(),
            reach,
            master_key,
            observer,
            level: Level::new(asked_at),
            reading_on: false.into(),
            contradiction: OnceLock::new(),
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
        let clock = shared.reach.clock();
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

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn queue(&self) -> &mpsc::Sender<Message> {
        &self.queue
    }

    /// Fails if the store has contradicted what this node has seen of the realm: then nothing of it is to be answered.
    pub fn is_served(&self) -> Result<(), SubmitError> {
        self.shared.is_served()
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
        self.shared.reach.is_shared()
    }

    /// How long ago the published state was last known to be the newest, where other nodes append to the store. Ask this first and then for the
    /// state: that is then no older.
    pub fn age(&self) -> Option<Duration> {
        self.is_shared().then(|| self.shared.level.age(self.shared.reach.steady()))
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
        self.is_served()?;
        // Nobody need wait as long as a change may take to learn that none can be made.
        self.shared.reach.is_there().await.map_err(|_| SubmitError::Unavailable)?;
        submit_to(&self.queue, request, self.shared.reach.is_gone()).await
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
        if !self.is_shared() {
            return Ok(());
        }
        self.is_served()?;
        let before = self.published().head;
        // That the store does not answer is said in the log when it begins.
        let told = self.shared.reach.ask(vec![self.name().to_owned()]).await;
        let told = told.map_err(|_| SubmitError::Unavailable)?;
        match self.shared.learn(before, &told).await? {
            Compared::Level => Ok(()),
            Compared::Newer => self.refresh().await,
        }
    }

    /// Folds whatever the ledger holds beyond the published head, and waits for what is just being published.
    pub async fn refresh(&self) -> Result<(), SubmitError> {
        refresh(&self.queue).await
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
