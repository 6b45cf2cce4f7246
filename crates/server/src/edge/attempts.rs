//! Attempts at one account from one source: as many are in work at once as may still be wrong.
//!
//! To count only what was found wrong is not enough: a hundred guesses that are sent together would all be looked at before
//! the first of them is counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use tokio::sync::Notify;

use super::Limited;

/// A hashed pair of account and source.
pub(super) type Key = u64;

/// See the module.
#[derive(Debug)]
pub(super) struct Attempts<C: Clock> {
    /// How many may be wrong, and how long it takes until one of them is forgotten.
    quota: u32,
    period: Duration,
    clock: C,
    pairs: Mutex<HashMap<Key, Pair<C::Instant>>>,
    /// Somebody's attempt has ended.
    ended: Notify,
}

#[derive(Debug)]
struct Pair<I> {
    in_work: u32,
    /// When all that was wrong is forgotten.
    clean_at: I,
}

enum Turn {
    Now,
    Later,
    Never(Limited),
}

impl<C: Clock> Attempts<C> {
    pub(super) fn new(quota: u32, clock: C) -> Self {
        let period = Duration::from_secs(60) / quota.max(1);
        Self { quota, period, clock, pairs: Mutex::default(), ended: Notify::new() }
    }

    /// Begins an attempt, after those before it if they could use up what is left. Each is [ended](Self::end) once.
    pub(super) async fn begin(&self, key: Key) -> Result<(), Limited> {
        loop {
            // Listens from before the look, so that nothing that ends meanwhile is missed.
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            match self.turn(key) {
                Turn::Now => return Ok(()),
                Turn::Never(limited) => return Err(limited),
                Turn::Later => ended.await,
            }
        }
    }

    fn turn(&self, key: Key) -> Turn {
        let now = self.clock.now();
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = pairs.entry(key).or_insert(Pair { in_work: 0, clean_at: now });
        let dirty: Duration = pair.clean_at.duration_since(now).into();
        let wrong = dirty.as_nanos().div_ceil(self.period.as_nanos().max(1));
        let left = u128::from(self.quota).saturating_sub(wrong);
        if left == 0 {
            let all_but_one = self.period * self.quota.saturating_sub(1);
            return Turn::Never(Limited { retry_after: dirty.saturating_sub(all_but_one) });
        }
        if u128::from(pair.in_work) >= left {
            return Turn::Later;
        }
        pair.in_work += 1;
        Turn::Now
    }

    /// Ends an attempt.
    pub(super) fn end(&self, key: Key, was_wrong: bool) {
        let now = self.clock.now();
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get_mut(&key) {
            pair.in_work = pair.in_work.saturating_sub(1);
            if was_wrong {
                pair.clean_at = pair.clean_at.max(now) + self.period.into();
            }
            if pair.in_work == 0 && pair.clean_at <= now {
                pairs.remove(&key);
            }
        }
        drop(pairs);
        self.ended.notify_waiters();
    }

    /// How many pairs are remembered.
    pub(super) fn len(&self) -> usize {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets those that count no longer.
    pub(super) fn forget_old(&self) {
        let now = self.clock.now();
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.retain(|_, pair| pair.in_work > 0 || pair.clean_at > now);
        pairs.shrink_to_fit();
    }
}
