//! Following what other nodes append, where they share the store.
//!
//! One task for all realms of a node. It asks where the ledgers of all loaded realms end, once in a while, and of some of them when another node
//! says that it appended to them. Only what has moved is read; nobody waits for a realm that takes long. What others say is only a hint: without
//! it a realm is behind until the next look.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use grantd_ledger::store::Head;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::contradiction::{Compared, Contradiction, compare};
use crate::node::Node;
use crate::observer::PollEnd;
use crate::reach::Told;
use crate::running::{Realm, Shared};
use crate::submit::SubmitError;
use crate::writer::Message;

/// How a node follows a shared store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// How often to look, if nobody says that there is anything.
    pub poll: Duration,
    /// How long after it was last known to be the newest a state counts as stale.
    pub stale_after: Duration,
    /// How long after that the node says that it is not ready; `None`: it never does for this.
    pub max_lag: Option<Duration>,
}

impl Default for Follow {
    /// A second, 5 seconds, a minute.
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            stale_after: Duration::from_secs(5),
            max_lag: Some(Duration::from_secs(60)),
        }
    }
}

/// The least time between two looks for what others say: under load one look serves many announcements.
const SPACING: Duration = Duration::from_millis(5);

/// A pause between polls grows to so many times the usual one while they fail.
const SLOWEST: u32 = 2;

impl Node {
    /// Begins to follow the store, if it is shared and this was [asked for](crate::Settings::follow). Returns after the first look, so that the node
    /// knows the store's time. The node stops following when it is stopped or dropped.
    pub async fn follow(self: &Arc<Self>) {
        let Some(follow) = self.following().filter(|_| self.reach().is_shared()) else { return };
        self.poll().await;
        let announced =
            Announced { receiver: self.reach().store.announcements(), not_before: Instant::now() };
        let task = tokio::spawn(follow_store(Arc::downgrade(self), follow.poll, announced));
        self.following_by(task.abort_handle());
    }

    /// Looks for all loaded realms. False if the store does not answer.
    pub(crate) async fn poll(&self) -> bool {
        let seen = self.look(self.loaded()).await;
        self.observer().polled(if seen { PollEnd::Answered } else { PollEnd::Failed });
        self.note_clock();
        seen
    }

    async fn look_at_announced(&self, names: &HashSet<Arc<str>>) {
        let realms: Vec<_> = self.loaded().into_iter().filter(|realm| names.contains(realm.name())).collect();
        if !realms.is_empty() {
            self.observer().announced(realms.len());
            self.look(realms).await;
        }
    }

    /// Asks where the ledgers of these realms end, and has read what is new.
    async fn look(&self, realms: Vec<Arc<Realm>>) -> bool {
        let before: Vec<_> =
            realms.into_iter().map(|realm| (realm.shared().published().head, realm)).collect();
        let names = before.iter().map(|(_, realm)| realm.name().to_owned()).collect();
        // What fails is said in the log once, and shown by the metrics.
        let Ok(told) = self.reach().ask(names).await else { return false };
        for (before, realm) in before {
            if let Ok(Compared::Newer) = realm.shared().learn(before, &told).await {
                realm.read_on();
            }
        }
        true
    }
}

/// Runs for as long as the node is there.
async fn follow_store(node: Weak<Node>, poll: Duration, mut announced: Announced) {
    let mut failures = 0;
    let mut next = Instant::now() + poll;
    loop {
        let names = tokio::select! {
            () = sleep_until(next) => None,
            names = announced.next() => names,
        };
        let Some(node) = node.upgrade() else { return };
        if let Some(names) = names {
            node.look_at_announced(&names).await;
            continue;
        }
        failures = if node.poll().await { 0 } else { failures + 1 };
        // Two nodes that lost the store at the same moment need not come back at the same moment.
        let spread = poll.mul_f64(f64::from(std::process::id() % 16) / 128.0);
        let pause = if failures == 0 { poll } else { poll * failures.min(SLOWEST) + spread };
        next = Instant::now() + pause;
    }
}

/// What other nodes say.
struct Announced {
    receiver: Option<broadcast::Receiver<Arc<str>>>,
    not_before: Instant,
}

impl Announced {
    /// The realms that others say they appended to since the last call; `None` if something they said was lost. Never ends where nobody says
    /// anything.
    async fn next(&mut self) -> Option<HashSet<Arc<str>>> {
        sleep_until(self.not_before).await;
        let Some(receiver) = &mut self.receiver else { return std::future::pending().await };
        let first = receiver.recv().await;
        self.not_before = Instant::now() + SPACING;
        let mut names = match first {
            Ok(name) => HashSet::from([name]),
            Err(RecvError::Lagged(_)) => return None,
            Err(RecvError::Closed) => {
                self.receiver = None;
                return std::future::pending().await;
            }
        };
        loop {
            match receiver.try_recv() {
                Ok(name) => names.insert(name),
                Err(TryRecvError::Lagged(_)) => return None,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(names),
            };
        }
    }
}

impl Shared {
    /// Takes what the store said of this realm, where `before` is the head that was published before it was asked.
    pub(crate) async fn learn(&self, before: Head, told: &Told) -> Result<Compared, SubmitError> {
        self.is_served()?;
        match self.compared(before, told) {
            Ok(compared) => Ok(compared),
            Err(contradiction) => {
                tracing::warn!(realm = self.name, %contradiction, "the store is asked again over new connections");
                self.learn_anew().await
            }
        }
    }

    /// A connection that was kept may lead to a server that is none any more: before a contradiction is believed, new ones are made.
    pub(crate) async fn learn_anew(&self) -> Result<Compared, SubmitError> {
        let before = self.published().head;
        self.store.reopen().await.map_err(|_| SubmitError::Unavailable)?;
        let told = self.reach.ask(vec![self.name.clone()]).await.map_err(|_| SubmitError::Unavailable)?;
        self.compared(before, &told).map_err(|contradiction| self.contradict(contradiction))
    }

    fn compared(&self, before: Head, told: &Told) -> Result<Compared, Contradiction> {
        let (now, there) = (self.published().head, told.head(&self.name));
        let compared = compare(before, now, there)?;
        match compared {
            Compared::Level => self.level.prove(told.asked_at, now.revision),
            Compared::Newer => {
                self.level.is_behind(there.map_or(0, |head| head.revision), told.asked_at);
            }
        }
        Ok(compared)
    }
}

impl Realm {
    /// Has the writer read what the store is known to have. Nobody waits for it, and it is not asked for twice.
    fn read_on(&self) {
        let shared = self.shared().clone();
        if !shared.reading_on.swap(true, Ordering::AcqRel) {
            tokio::spawn(read_on(shared, self.queue().clone()));
        }
    }
}

async fn read_on(shared: Arc<Shared>, queue: mpsc::Sender<Message>) {
    loop {
        let read = refresh(&queue).await;
        shared.reading_on.store(false, Ordering::Release);
        // What the store was found to have meanwhile found us reading.
        let more = read.is_ok() && shared.level.knows_beyond(shared.published().head.revision);
        if !more || shared.reading_on.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

/// Has the writer fold whatever the ledger holds beyond the published head, and waits for it.
pub(crate) async fn refresh(queue: &mpsc::Sender<Message>) -> Result<(), SubmitError> {
    let (reply, answer) = oneshot::channel();
    queue.send(Message::Refresh(reply)).await.map_err(|_| SubmitError::Stopping)?;
    answer.await.unwrap_or(Err(SubmitError::Stopping))
}
