//! Whether the store answers, where ledgers end, and what time it is there.
//!
//! Everybody on a node who has to know where a ledger ends waits for one question about all of them. A question serves
//! whoever asked before it began; who asks meanwhile waits for the next one. So any number of reads at the head cost the store
//! one question at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use grantd_ledger::store::{Head, Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::contradiction::Contradiction;
use crate::store_clock::StoreClock;

/// How long a store that answered lately may take to say where ledgers end.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long anybody waits for one that did not.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// How many questions are asked as one.
const TOGETHER: usize = 10_000;

/// What a node knows of its store.
pub(crate) struct Reach {
    pub(crate) store: Arc<dyn Store>,
    machine: Arc<dyn Clock>,
    /// The store's time, where it is shared.
    there: Option<Arc<StoreClock>>,
    questions: mpsc::UnboundedSender<Question>,
    /// Since when it does not answer.
    away: watch::Sender<Option<Duration>>,
    /// Counts what it answered.
    answers: AtomicU64,
    contradictions: Mutex<BTreeMap<String, Contradiction>>,
}

/// What the store said.
pub(crate) struct Told {
    /// When it was asked, by the steady clock: what it said was true then or later.
    pub(crate) asked_at: Duration,
    heads: HashMap<String, Head>,
}

impl Told {
    /// Where the ledger of a realm ended, if there is one. Only of realms that were asked for.
    pub(crate) fn head(&self, realm: &str) -> Option<Head> {
        self.heads.get(realm).copied()
    }
}

type Answer = Result<Arc<Told>, StoreError>;

struct Question {
    realms: Vec<String>,
    reply: oneshot::Sender<Answer>,
}

impl Reach {
    /// Of a store that was just opened. Needs to be called where tasks can be spawned.
    pub(crate) fn new(store: Arc<dyn Store>, machine: Arc<dyn Clock>) -> Arc<Self> {
        let there = store.is_shared().then(|| Arc::new(StoreClock::new(machine.clone())));
        let (questions, asked) = mpsc::unbounded_channel();
        let reach = Arc::new(Self {
            store,
            machine,
            there,
            questions,
            away: watch::Sender::new(None),
            answers: AtomicU64::new(0),
            contradictions: Mutex::default(),
        });
        if reach.is_shared() {
            tokio::spawn(answer(Arc::downgrade(&reach), asked));
        }
        reach
    }

    /// Whether other nodes append to the same ledgers.
    pub(crate) fn is_shared(&self) -> bool {
        self.there.is_some()
    }

    /// The clock for questions.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match &self.there {
            Some(there) => there.clone(),
            None => self.machine.clone(),
        }
    }

    /// The time that only goes forward.
    pub(crate) fn steady(&self) -> Duration {
        self.machine.steady()
    }

    /// How far the machine's clock is ahead of the store's, in microseconds; `None` if that is not known.
    pub(crate) fn machine_is_ahead(&self) -> Option<i64> {
        self.there.as_ref()?.machine_is_ahead()
    }

    /// Whether the store did not answer when it was last asked.
    pub(crate) fn is_away(&self) -> bool {
        self.away.borrow().is_some()
    }

    /// Fails if the store did not answer when it was last asked, and still does not.
    pub(crate) async fn is_there(&self) -> Result<(), StoreError> {
        if self.is_away() { self.ask(Vec::new()).await.map(|_| ()) } else { Ok(()) }
    }

    /// Where the ledgers of these realms end, asked of the store after this call began.
    pub(crate) async fn ask(&self, realms: Vec<String>) -> Answer {
        let (reply, answer) = oneshot::channel();
        let silent = || StoreError::Unavailable("it does not answer".to_owned());
        self.questions.send(Question { realms, reply }).map_err(|_| silent())?;
        tokio::select! {
            biased;
            told = answer => told.unwrap_or_else(|_| Err(silent())),
            () = self.is_gone() => Err(silent()),
        }
    }

    /// Ends when the store did not answer, and does not do so soon.
    pub(crate) async fn is_gone(&self) {
        let mut away = self.away.subscribe();
        loop {
            drop(away.wait_for(Option::is_some).await);
            tokio::time::sleep(SHORT_PATIENCE).await;
            if self.is_away() {
                return;
            }
        }
    }

    /// The store has answered something.
    pub(crate) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::AcqRel);
        let mut since = None;
        self.away.send_if_modified(|away| {
            since = away.take();
            since.is_some()
        });
        if let Some(since) = since {
            let seconds = self.steady().saturating_sub(since).as_secs_f64();
            tracing::info!(seconds, "the store answers again");
        }
    }

    /// It has not. If anything else was answered meanwhile, that is no sign of its being away.
    fn failed(&self, answers_before: u64, error: &StoreError) {
        if self.answers.load(Ordering::Acquire) > answers_before {
            tracing::warn!(%error, "the store did not answer a question");
            return;
        }
        let now = self.steady();
        let begins = self.away.send_if_modified(|away| {
            let begins = away.is_none();
            away.get_or_insert(now);
            begins
        });
        if begins {
            tracing::error!(
                %error,
                "the store does not answer: checks are answered from memory, and changes refused, until it does"
            );
        }
    }

    /// Asks; a second time if that fails at once: it may only be a connection that was kept too long.
    async fn question(&self, realms: &[String]) -> Answer {
        let (was_away, answers) = (self.is_away(), self.answers.load(Ordering::Acquire));
        let told = match self.once(realms).await {
            Err(Failure { is_silence: false, .. }) if !was_away => self.once(realms).await,
            told => told,
        };
        told.map_err(|Failure { error, .. }| {
            self.failed(answers, &error);
            error
        })
    }

    async fn once(&self, realms: &[String]) -> Result<Arc<Told>, Failure> {
        let asked_at = self.steady();
        let (store, names) = (self.store.clone(), realms.to_vec());
        // It goes on when we wait no longer, so that the store itself ends it and gives up what it holds.
        let asking = tokio::spawn(async move { store.heads(&names).await });
        let unavailable = |why: &str| Err(StoreError::Unavailable(why.to_owned()));
        let (is_silence, answered) = match tokio::time::timeout(PATIENCE, asking).await {
            Err(_) => (true, unavailable("it takes too long to answer")),
            Ok(Err(_)) => (false, unavailable("a question to it was broken off")),
            Ok(Ok(answered)) => (false, answered),
        };
        let (time, heads) = answered.map_err(|error| Failure { is_silence, error })?;
        if let Some(there) = &self.there {
            there.heard(asked_at, self.steady(), time);
        }
        self.answered();
        Ok(Arc::new(Told { asked_at, heads: heads.into_iter().collect() }))
    }

    /// Notes that this node's state of a realm is not what the store holds. From now on it is not served.
    pub(crate) fn contradicted(&self, realm: &str, contradiction: Contradiction) {
        self.contradictions().entry(realm.to_owned()).or_insert(contradiction);
    }

    /// How the store contradicted what this node had seen of a realm, if it did.
    pub(crate) fn contradiction(&self, realm: &str) -> Option<Contradiction> {
        self.contradictions().get(realm).copied()
    }

    /// Whether it did for any.
    pub(crate) fn is_contradicted(&self) -> bool {
        !self.contradictions().is_empty()
    }

    fn contradictions(&self) -> MutexGuard<'_, BTreeMap<String, Contradiction>> {
        self.contradictions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Failure {
    /// It says nothing, not even that it cannot.
    is_silence: bool,
    error: StoreError,
}

/// Asks the store what was asked of us, all that is there at once, for as long as anybody can ask.
async fn answer(reach: Weak<Reach>, mut asked: mpsc::UnboundedReceiver<Question>) {
    let mut questions = Vec::new();
    while asked.recv_many(&mut questions, TOGETHER).await > 0 {
        let Some(reach) = reach.upgrade() else { return };
        let realms: BTreeSet<&String> = questions.iter().flat_map(|question| &question.realms).collect();
        let realms: Vec<String> = realms.into_iter().cloned().collect();
        let told = reach.question(&realms).await;
        for question in questions.drain(..) {
            // Who asked may be gone.
            let _: Result<(), _> = question.reply.send(told.clone());
        }
    }
}
