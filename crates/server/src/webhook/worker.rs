//! Who sends to one webhook, or to one trigger.
//!
//! It reads what is due first, takes as much of it as may be under way at a time, and looks again when something is new, an
//! attempt has ended or the next delivery is due. The queue itself is in the store alone.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use grantd_node::Realm;
use grantd_node::realm::Micros;
use grantd_node::realm::webhook::{
    DELIVERY_ROWS, Delivery, DropDeliveries, FINISHED_ROWS, Finished, LeaseDeliveries, Slots, rows_of,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::Sender;
use super::outcome::{deliver, submit};
use super::receiver::Receiver;

/// How many attempts are under way at a time: a receiver that does not answer holds up to so many, and none of another one.
const CONCURRENT: usize = 4;

/// How many rows are looked at. Those under way may be among them.
const PAGE: usize = 32;

/// The longest sleep: the clock may be set, and another node may have put in what is no entry.
const LONGEST: Duration = Duration::from_secs(30);

/// After the store failed.
const AGAIN: Duration = Duration::from_secs(2);

/// How often it is looked whether more waits than may.
const TRIMMED: Duration = Duration::from_secs(5);

/// How many rows are dropped in one append.
const DROPPED: usize = 500;

pub(super) struct Worker {
    sender: Arc<Sender>,
    realm: Weak<Realm>,
    receiver: Receiver,
    told: u64,
    revisions: watch::Receiver<u64>,
    woken: watch::Receiver<()>,
    /// The messages under way.
    under_way: HashSet<Uuid>,
    attempts: JoinSet<Uuid>,
    places: Option<Arc<Mutex<Slots>>>,
    trimmed: Option<Instant>,
}

impl Worker {
    pub(super) fn new(sender: Arc<Sender>, realm: &Arc<Realm>, receiver: Receiver) -> Self {
        Self {
            woken: sender.woken.subscribe(),
            sender,
            realm: Arc::downgrade(realm),
            receiver,
            told: 0,
            revisions: realm.revisions(),
            under_way: HashSet::new(),
            attempts: JoinSet::new(),
            places: None,
            trimmed: None,
        }
    }

    /// Sends for as long as the receiver is there and enabled, and its realm loaded; to a trigger, until nothing is left.
    pub(super) async fn run(mut self) {
        loop {
            self.woken.borrow_and_update();
            self.revisions.borrow_and_update();
            let Some(realm) = self.realm.upgrade() else { return };
            let Some(wait) = self.look(&realm).await else { return self.finish().await };
            // A realm that nobody else uses can be unloaded while this waits.
            drop(realm);
            let Self { sender, realm, receiver, told, revisions, woken, under_way, attempts, .. } = &mut self;
            tokio::select! {
                () = sender.drain.wait() => return,
                Some(ended) = attempts.join_next() => {
                    match ended {
                        Ok(id) => drop(under_way.remove(&id)),
                        // Which one panicked is not known; when none is left, none is under way.
                        Err(_) if attempts.is_empty() => under_way.clear(),
                        Err(_) => {}
                    }
                }
                there_is = news(revisions, realm, receiver, *told) => if !there_is { return },
                woken = woken.changed() => if woken.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Lets what is under way come to its end.
    async fn finish(mut self) {
        let drain = self.sender.drain.clone();
        tokio::select! {
            () = drain.wait() => {}
            () = async { while self.attempts.join_next().await.is_some() {} } => {}
        }
    }

    /// Begins what is due, and says how long to wait; `None`: there is nothing more to do here.
    async fn look(&mut self, realm: &Arc<Realm>) -> Option<Duration> {
        let published = realm.published();
        let Some(receiver) = self.receiver.in_state(&published.state) else {
            self.clear(realm).await;
            return None;
        };
        (self.receiver, self.told) = (receiver, published.state.webhooks().told());
        if !self.receiver.is_enabled() {
            return None;
        }
        let Some(places) = self.places(realm).await else { return Some(AGAIN) };
        let Some(found) = self.found(realm, PAGE).await else { return Some(AGAIN) };
        if found.len() == PAGE {
            self.trim(realm).await;
        }
        if found.is_empty() && self.under_way.is_empty() && !self.receiver.is_attended() {
            return None;
        }
        let now = self.sender.now();
        let waiting = || found.iter().filter(|delivery| !self.under_way.contains(&delivery.id));
        let free = CONCURRENT.saturating_sub(self.under_way.len());
        let due: Vec<_> = waiting().filter(|delivery| delivery.due <= now).take(free).cloned().collect();
        let next = waiting().map(|delivery| delivery.due).find(|due| *due > now);
        let wanted = due.len();
        let taken = self.taken(realm, due).await;
        let got = taken.len();
        taken.into_iter().for_each(|delivery| self.begin(realm, &places, delivery));
        Some(match next {
            // Another node was faster, or the store fails.
            _ if got == 0 && wanted > 0 => AGAIN,
            _ if got < wanted => Duration::ZERO,
            Some(due) => until(due, now).min(LONGEST),
            // If more is due than may be under way, the end of an attempt is what is waited for.
            None => LONGEST,
        })
    }

    fn begin(&mut self, realm: &Arc<Realm>, places: &Arc<Mutex<Slots>>, delivery: Delivery) {
        let (sender, receiver) = (self.sender.clone(), self.receiver.clone());
        let (realm, places, id) = (realm.clone(), places.clone(), delivery.id);
        self.under_way.insert(id);
        self.attempts.spawn(async move {
            deliver(&sender, &realm, &receiver, delivery, &places).await;
            id
        });
    }

    /// Those that are ours to try. Where nobody else sends, all are.
    async fn taken(&self, realm: &Realm, due: Vec<Delivery>) -> Vec<Delivery> {
        if due.is_empty() || !realm.is_shared() {
            return due;
        }
        let leased = match submit(realm, LeaseDeliveries { deliveries: due }, None).await {
            Ok(done) => done.answer.0,
            Err(error) => {
                tracing::debug!(realm = realm.name(), %error, "deliveries could not be taken");
                return Vec::new();
            }
        };
        let mut ours = Vec::new();
        for delivery in leased {
            let row = realm.row(DELIVERY_ROWS, &delivery.key(), self.sender.now()).await;
            if row.is_ok_and(|row| row.as_deref() == Some(&delivery.value()[..])) {
                ours.push(delivery);
            }
        }
        ours
    }

    /// What waits, what is due first in front; `None` if the store cannot be read.
    async fn found(&self, realm: &Realm, limit: usize) -> Option<Vec<Delivery>> {
        let prefix = rows_of(self.receiver.id());
        let rows = realm.rows(DELIVERY_ROWS, &prefix, self.sender.now(), limit).await;
        let rows =
            rows.inspect_err(|error| tracing::debug!(%error, "the queue of a receiver cannot be read"));
        // One that a newer version wrote is for that to send.
        Some(rows.ok()?.iter().filter_map(|(key, value)| Delivery::read(key, value).ok()).collect())
    }

    /// Where the outcomes are noted.
    async fn places(&mut self, realm: &Realm) -> Option<Arc<Mutex<Slots>>> {
        if self.places.is_none() {
            let prefix = rows_of(self.receiver.id());
            let rows = realm.rows(FINISHED_ROWS, &prefix, self.sender.now(), 1_000).await.ok()?;
            let finished: Vec<_> =
                rows.iter().filter_map(|(key, value)| Finished::read(key, value).ok()).collect();
            self.places = Some(Arc::new(Mutex::new(Slots::behind(&finished))));
        }
        self.places.clone()
    }

    /// Drops what is beyond the bound: what would be tried last.
    async fn trim(&mut self, realm: &Realm) {
        if self.trimmed.is_some_and(|trimmed| trimmed.elapsed() < TRIMMED) {
            return;
        }
        self.trimmed = Some(Instant::now());
        loop {
            let Some(found) = self.found(realm, self.sender.queue.saturating_add(DROPPED)).await else {
                return;
            };
            let beyond: Vec<_> = found.into_iter().skip(self.sender.queue).collect();
            let (count, full) = (beyond.len(), beyond.len() == DROPPED);
            if count == 0 || submit(realm, DropDeliveries { deliveries: beyond }, None).await.is_err() {
                return;
            }
            self.sender.metrics.dropped(count as u64);
            tracing::warn!(
                realm = realm.name(),
                receiver = %self.receiver.id(),
                count,
                "deliveries were dropped: the queue of the receiver is full"
            );
            if !full {
                return;
            }
        }
    }

    /// The receiver is gone: so is what waits for it. What is left after a failure ends by itself.
    async fn clear(&self, realm: &Realm) {
        while let Some(deliveries) = self.found(realm, DROPPED).await.filter(|found| !found.is_empty()) {
            if submit(realm, DropDeliveries { deliveries }, None).await.is_err() {
                return;
            }
        }
    }
}

/// Waits until the state tells of something, or the receiver is another one. False if there is no realm any more.
async fn news(
    revisions: &mut watch::Receiver<u64>,
    realm: &Weak<Realm>,
    receiver: &Receiver,
    told: u64,
) -> bool {
    loop {
        if revisions.changed().await.is_err() {
            return false;
        }
        let Some(realm) = realm.upgrade() else { return false };
        let published = realm.published();
        let same = receiver.in_state(&published.state).is_some_and(|now| now.is(receiver));
        // A trigger is told of no entry: who queues something wakes its worker.
        if !same || receiver.is_attended() && published.state.webhooks().told() != told {
            return true;
        }
    }
}

fn until(due: Micros, now: Micros) -> Duration {
    // A moment more: a clock that is read again shows no less.
    Duration::from_micros(u64::try_from(due.saturating_sub(now)).unwrap_or_default())
        + Duration::from_millis(1)
}
