//! Wrong credentials: counted, and answered with 429 once there are too many of them.
//!
//! Two rules make this safe for those whose credentials are right:
//!
//! 1. Only a **failed** attempt is counted, and only a failed attempt is turned into a 429 by the account's or the
//!    source's count. So verify first, then call [`FailureLimits::failed`].
//! 2. A password costs so much to verify that guessing it must be stopped before: [`FailureLimits::may_try`] refuses an
//!    account **from a source** that has failed too often with that very account. Others are not touched.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{EdgeError, Source};

/// Above this many keys a table forgets what is old; if that does not help, keys share counts.
const MAX_KEYS: usize = 100_000;

/// How many counts newcomers share while a table is full.
const SHARED_KEYS: u64 = 4_096;

/// How many wrong credentials are taken before the answer is 429.
#[derive(Clone, Copy, Debug)]
pub struct FailureQuotas {
    /// A minute, for one account.
    pub per_account: NonZeroU32,
    /// A minute, for one source.
    pub per_source: NonZeroU32,
}

impl Default for FailureQuotas {
    fn default() -> Self {
        Self {
            per_account: NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN),
            per_source: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// Too many: try again after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Until the next attempt is taken.
    pub retry_after: Duration,
}

impl From<Limited> for EdgeError {
    /// Whole seconds, rounded up, so that who comes back then is not refused again.
    fn from(limited: Limited) -> Self {
        let whole = limited.retry_after.as_secs();
        let secs = if limited.retry_after.subsec_nanos() > 0 { whole + 1 } else { whole };
        Self::TooManyRequests { retry_after_secs: secs.max(1) }
    }
}

type Key = u64;
type Counts<C> = RateLimiter<Key, HashMapStateStore<Key>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The counts of wrong credentials of one process. The clock is an argument for tests.
#[derive(Debug)]
pub struct FailureLimits<C: Clock = MonotonicClock> {
    clock: C,
    // Accounts are kept as seeded hashes: an over-long name costs no memory, and none is in a core dump.
    hasher: RandomState,
    accounts: Counts<C>,
    sources: Counts<C>,
    pairs: Counts<C>,
    // governor cannot be asked without counting, so the end of a pair's block is kept beside it.
    blocked: Mutex<HashMap<Key, C::Instant>>,
}

impl FailureLimits<MonotonicClock> {
    /// Limits by the process' own clock.
    #[must_use]
    pub fn new(quotas: FailureQuotas) -> Self {
        Self::with_clock(quotas, MonotonicClock)
    }
}

impl<C: Clock + Clone> FailureLimits<C> {
    /// Limits by another clock.
    #[must_use]
    pub fn with_clock(quotas: FailureQuotas, clock: C) -> Self {
        let counts =
            |quota: NonZeroU32| RateLimiter::hashmap_with_clock(Quota::per_minute(quota), clock.clone());
        Self {
            hasher: RandomState::new(),
            accounts: counts(quotas.per_account),
            sources: counts(quotas.per_source),
            pairs: counts(quotas.per_account),
            blocked: Mutex::default(),
            clock,
        }
    }

    /// Whether this account's password is worth verifying for this source. Counts nothing.
    ///
    /// # Errors
    /// `Limited` when this source has failed too often with this account.
    pub fn may_try(&self, account: &str, source: Source) -> Result<(), Limited> {
        let key = self.hasher.hash_one((account, source));
        let now = self.clock.now();
        let blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        match blocked.get(&key) {
            Some(until) if *until > now => Err(Limited { retry_after: until.duration_since(now).into() }),
            _ => Ok(()),
        }
    }

    /// Counts a wrong credential that was verified and found wrong. `account` is `None` for an unknown bearer token.
    ///
    /// # Errors
    /// `Limited` when the answer is to be 429 in place of 401, with the longest of the waits.
    pub fn failed(&self, account: Option<&str>, source: Source) -> Result<(), Limited> {
        let mut worst = self.count(&self.sources, self.hasher.hash_one(source)).err();
        if let Some(account) = account {
            let of_account = self.count(&self.accounts, self.hasher.hash_one(account)).err();
            let pair = self.hasher.hash_one((account, source));
            let of_pair = self.count(&self.pairs, pair).err();
            if let Some(limited) = of_pair {
                self.block(pair, limited);
            }
            worst = worst.max_by_wait(of_account).max_by_wait(of_pair);
        }
        worst.map_or(Ok(()), Err)
    }

    /// Forgets what no longer counts. Call it once a minute.
    pub fn forget_old(&self) {
        for counts in [&self.accounts, &self.sources, &self.pairs] {
            counts.retain_recent();
            counts.shrink_to_fit();
        }
        let now = self.clock.now();
        let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        blocked.retain(|_, until| *until > now);
        blocked.shrink_to_fit();
    }

    fn count(&self, counts: &Counts<C>, key: Key) -> Result<(), Limited> {
        let key = if counts.len() < MAX_KEYS { key } else { key % SHARED_KEYS };
        counts
            .check_key(&key)
            .map_err(|until| Limited { retry_after: until.wait_time_from(self.clock.now()) })
    }

    fn block(&self, pair: Key, limited: Limited) {
        let now = self.clock.now();
        let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        if blocked.len() >= MAX_KEYS {
            blocked.retain(|_, until| *until > now);
        }
        if blocked.len() < MAX_KEYS {
            blocked.insert(pair, now + limited.retry_after.into());
        }
    }
}

trait MaxByWait {
    fn max_by_wait(self, other: Self) -> Self;
}

impl MaxByWait for Option<Limited> {
    fn max_by_wait(self, other: Self) -> Self {
        match (self, other) {
            (Some(one), Some(two)) if two.retry_after > one.retry_after => Some(two),
            (None, two) => two,
            (one, _) => one,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limits() -> (FailureLimits<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (FailureLimits::with_clock(FailureQuotas::default(), clock.clone()), clock)
    }

    fn source(last: u8) -> Source {
        Source::of([192, 0, 2, last].into())
    }

    #[test]
    fn ten_a_minute_for_an_account_from_wherever() {
        let (limits, clock) = limits();
        for n in 0..10 {
            assert_eq!(limits.failed(Some("alice"), source(n)), Ok(()));
        }
        let limited = limits.failed(Some("alice"), source(99)).unwrap_err();
        assert_eq!(limited.retry_after, Duration::from_secs(6));
        assert_eq!(limits.failed(Some("bob"), source(99)), Ok(()));
        clock.advance(Duration::from_secs(6));
        assert_eq!(limits.failed(Some("alice"), source(99)), Ok(()));
    }

    #[test]
    fn sixty_a_minute_for_a_source_whatever_it_tries() {
        let (limits, _) = limits();
        for _ in 0..60 {
            assert_eq!(limits.failed(None, source(1)), Ok(()));
        }
        assert!(limits.failed(None, source(1)).is_err());
        assert_eq!(limits.failed(None, source(2)), Ok(()));
    }

    #[test]
    fn only_the_pair_that_failed_is_stopped_before_verifying() {
        let (limits, clock) = limits();
        for _ in 0..11 {
            assert_eq!(limits.may_try("alice", source(1)), Ok(()));
            let _counted = limits.failed(Some("alice"), source(1));
        }
        assert!(limits.may_try("alice", source(1)).is_err());
        assert_eq!(limits.may_try("alice", source(2)), Ok(()), "alice herself, elsewhere");
        assert_eq!(limits.may_try("bob", source(1)), Ok(()), "someone else behind the same address");
        clock.advance(Duration::from_secs(6));
        assert_eq!(limits.may_try("alice", source(1)), Ok(()));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let (limits, clock) = limits();
        for n in 0..20 {
            let _counted = limits.failed(Some("alice"), source(n % 2));
        }
        clock.advance(Duration::from_secs(120));
        limits.forget_old();
        let left = limits.accounts.len() + limits.sources.len() + limits.pairs.len();
        assert_eq!((left, limits.blocked.lock().unwrap().len()), (0, 0));
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let error = |millis| EdgeError::from(Limited { retry_after: Duration::from_millis(millis) });
        assert_eq!(error(0), EdgeError::TooManyRequests { retry_after_secs: 1 });
        assert_eq!(error(5_001), EdgeError::TooManyRequests { retry_after_secs: 6 });
    }
}
