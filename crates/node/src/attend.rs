//! The task of a realm that attends to its requests: it wakes who waits for them, and puts on record which are over.

use std::sync::{Arc, Weak};
use std::time::Duration;

use grantd_realm::request::ExpireRequests;
use grantd_realm::{Caller, Micros};
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::running::{Shared, submit_to};
use crate::submit::{Request, SubmitError};
use crate::writer::Message;

/// How many one entry takes.
const BATCH: usize = 1_000;

/// How long to wait until a failed attempt is made again, and at least between two.
const AGAIN: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

/// How long to sleep at most: the clock may be set.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs for as long as the realm is served.
pub(crate) async fn attend(
    shared: Weak<Shared>,
    queue: mpsc::WeakSender<Message>,
    mut revision: watch::Receiver<u64>,
    clock: Arc<dyn Clock>,
) {
    let mut told = *revision.borrow_and_update();
    let mut not_before = tokio::time::Instant::now();
    loop {
        let due = {
            let Some(shared) = shared.upgrade() else { return };
            let published = shared.published();
            if published.head.revision != told {
                shared.waiting().tell(&published, told);
                told = published.head.revision;
            }
            published.state.requests().next_deadline().map(|at| until(at, clock.now()))
        };
        let due = due.map(|left| (tokio::time::Instant::now() + left).max(not_before));
        tokio::select! {
            changed = revision.changed() => if changed.is_err() { return },
            () = sleep_until(due) => {
                let pause = if expire(&shared, &queue, clock.now()).await { PAUSE } else { AGAIN };
                not_before = tokio::time::Instant::now() + pause;
            }
        }
    }
}

fn until(at: Micros, now: Micros) -> Duration {
    Duration::from_micros(u64::try_from(at.saturating_sub(now)).unwrap_or_default()).min(LONGEST)
}

async fn sleep_until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Puts on record which requests are over. False if that failed.
async fn expire(shared: &Weak<Shared>, queue: &mpsc::WeakSender<Message>, now: Micros) -> bool {
    let (ids, name) = {
        let Some(shared) = shared.upgrade() else { return true };
        (shared.published().state.requests().overdue(now, BATCH), shared.name().to_owned())
    };
    let Some(queue) = queue.upgrade().filter(|_| !ids.is_empty()) else { return true };
    let (command, caller) = (ExpireRequests { ids }, Caller::system("expiry"));
    let request = Request { command, caller, via: "expiry", reason: None, idempotency: None };
    let done = submit_to(&queue, request, std::future::pending()).await;
    drop(queue);
    match done {
        Ok(_) => true,
        // The log has said that the store does not take any; this is tried again each second.
        Err(SubmitError::Unavailable | SubmitError::Contradicted) => false,
        Err(error) => {
            tracing::warn!(realm = name, %error, "requests that are over could not be put on record");
            false
        }
    }
}
