//! Who waits for a request to be decided, or follows what is asked in a session: woken by one task for each realm, which
//! reads what every newly published state says of requests. Nobody polls, and nobody is woken for what others wait for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grantd_realm::State;
use grantd_realm::request::KEPT;
use tokio::sync::watch;
use uuid::Uuid;

use crate::running::{Published, Realm};

/// What somebody follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One request: until it ends.
    Request(Uuid),
    /// The requests of a session and of those below it: made or ended.
    Session(Arc<str>),
    /// All requests of the realm: made or ended.
    All,
}

/// The followers of a realm, by what they follow. What is sent is the revision.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<HashMap<Subject, watch::Sender<u64>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, watch::Sender<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(self: &Arc<Self>, subject: Subject) -> Followed {
        let receiver = match self.lock().entry(subject.clone()) {
            Entry::Occupied(there) => there.get().subscribe(),
            Entry::Vacant(place) => place.insert(watch::Sender::new(0)).subscribe(),
        };
        Followed { waiting: self.clone(), subject, receiver }
    }

    /// Wakes whoever this state has news for, compared with the one of an earlier revision.
    pub(crate) fn tell(&self, published: &Published, before: u64) {
        let waiting = self.lock();
        if waiting.is_empty() {
            return;
        }
        let (state, revision) = (&published.state, published.head.revision);
        let requests = state.requests();
        // Beyond that, some that ended may be forgotten already; and a realm that was deleted says nothing of any.
        let whole = requests.settled_since(before).count() < KEPT && !state.name().is_empty();
        if !whole {
            for followers in waiting.values() {
                followers.send_replace(revision);
            }
            return;
        }
        let mut told = false;
        for request in requests.settled_since(before) {
            wake(&waiting, &Subject::Request(request.id), revision);
            told |= wake_session(&waiting, state, &request.session, revision);
        }
        for request in requests.since(before) {
            told |= wake_session(&waiting, state, &request.session, revision);
        }
        if told {
            wake(&waiting, &Subject::All, revision);
        }
    }
}

fn wake(waiting: &HashMap<Subject, watch::Sender<u64>>, subject: &Subject, revision: u64) {
    if let Some(followers) = waiting.get(subject) {
        followers.send_replace(revision);
    }
}

/// Wakes who follows a session or one above it. Something was told.
fn wake_session(
    waiting: &HashMap<Subject, watch::Sender<u64>>,
    state: &State,
    session: &Arc<str>,
    revision: u64,
) -> bool {
    wake(waiting, &Subject::Session(session.clone()), revision);
    for above in state.approval_sessions().lineage(session).skip(1) {
        wake(waiting, &Subject::Session(above.id.clone()), revision);
    }
    true
}

/// Somebody who follows something. Begin to follow, then read the state, then wait: so nothing is missed. Who reads the whole
/// state again after each [`Self::changed`] loses nothing by being slow.
pub struct Followed {
    waiting: Arc<Waiting>,
    subject: Subject,
    receiver: watch::Receiver<u64>,
}

impl Followed {
    /// Waits for news that came after the last call, or after the following began. False if none will come any more.
    pub async fn changed(&mut self) -> bool {
        self.receiver.changed().await.is_ok()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock();
        // The last of them leaves nothing behind. This receiver still counts.
        if waiting.get(&self.subject).is_some_and(|followers| followers.receiver_count() <= 1) {
            waiting.remove(&self.subject);
        }
    }
}

impl Realm {
    /// Follows requests; see [`Followed`].
    pub fn follow(&self, subject: Subject) -> Followed {
        self.waiting().follow(subject)
    }

    /// Waits until a request is decided, cancelled or over, or is not there at all; gives the state that says so. After
    /// `at_most` it gives the state then reached.
    pub async fn request_settled(&self, id: Uuid, at_most: Duration) -> Arc<Published> {
        let mut followed = self.follow(Subject::Request(id));
        let until = tokio::time::Instant::now() + at_most;
        loop {
            let published = self.published();
            let now = self.now();
            let Some(request) = published.state.requests().get(id) else { return published };
            if request.is_settled_at(now) {
                return published;
            }
            // It is over in time even if nothing can be written then.
            let left = Duration::from_micros(u64::try_from(request.expires_at - now).unwrap_or_default());
            let over = tokio::time::Instant::now() + left + Duration::from_millis(1);
            tokio::select! {
                changed = followed.changed() => if !changed { return self.published() },
                () = tokio::time::sleep_until(until.min(over)) => {
                    if tokio::time::Instant::now() >= until {
                        return self.published();
                    }
                }
            }
        }
    }
}
