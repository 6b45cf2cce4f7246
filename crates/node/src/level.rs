//! How far the served state of a realm may be behind its ledger, where other nodes append to it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is known of it. All times are of the steady clock.
pub(crate) struct Level {
    /// Microseconds: when the question began whose answer proved that nothing was missing.
    proven_at: AtomicU64,
    newer: Mutex<Option<Newer>>,
    /// Whether there is an entry that this program cannot fold.
    unreadable: AtomicBool,
}

/// Entries that the store has and we do not.
#[derive(Clone, Copy)]
struct Newer {
    revision: u64,
    since: Duration,
}

impl Level {
    pub(crate) fn new(proven_at: Duration) -> Self {
        Self { proven_at: micros(proven_at).into(), newer: Mutex::default(), unreadable: false.into() }
    }

    /// The published state, at this revision, holds all that the store had at that time. To be said after it is published.
    pub(crate) fn prove(&self, at: Duration, revision: u64) {
        self.proven_at.fetch_max(micros(at), Ordering::AcqRel);
        self.unreadable.store(false, Ordering::Relaxed);
        let mut newer = self.newer();
        if newer.is_some_and(|newer| newer.revision <= revision) {
            *newer = None;
        }
    }

    /// The store has entries up to this revision, and the published state has not.
    pub(crate) fn is_behind(&self, revision: u64, since: Duration) {
        let mut newer = self.newer();
        match &mut *newer {
            Some(known) => known.revision = known.revision.max(revision),
            None => *newer = Some(Newer { revision, since }),
        }
    }

    /// The store has an entry that this program cannot fold.
    pub(crate) fn cannot_read_on(&self) {
        self.unreadable.store(true, Ordering::Relaxed);
    }

    /// How long ago the published state was known to be the newest.
    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_micros(self.proven_at.load(Ordering::Acquire)))
    }

    /// For how long it has been known that the store has more; nothing if it is not.
    pub(crate) fn behind_for(&self, now: Duration) -> Option<Duration> {
        self.newer().map(|newer| now.saturating_sub(newer.since))
    }

    /// Whether the store is known to have entries beyond this revision.
    pub(crate) fn knows_beyond(&self, revision: u64) -> bool {
        self.newer().is_some_and(|newer| newer.revision > revision)
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        self.unreadable.load(Ordering::Relaxed)
    }

    fn newer(&self) -> MutexGuard<'_, Option<Newer>> {
        self.newer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(since: Duration) -> u64 {
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
