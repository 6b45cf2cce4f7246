//! Wrong credentials: counted, and answered with 429 once there are too many of them.
//!
//! Two rules make this safe for those whose credentials are right:
//!
//! 1. Only a **failed** attempt is counted, and only a failed attempt is turned into a 429 by the account's or the
//!    source's count. So verify first, then call [`Attempt::wrong`] or [`FailureLimits::failed`].
//! 2. A password costs so much to verify that guessing it must be stopped before: [`FailureLimits::attempt`] refuses an
//!    account **from a source** that has failed too often with that very account. Others are not touched.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::attempts::{Attempts, Key};
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

type Counts<C> = RateLimiter<Key, HashMapStateStore<Key>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The counts of wrong credentials of one process. The clock is an argument for tests.
#[derive(Debug)]
pub struct FailureLimits<C: Clock = MonotonicClock> {
    clock: C,
    // Accounts are kept as seeded hashes: an over-long name costs no memory, and none is in a core dump.
    hasher: RandomState,
    accounts: Counts<C>,
    sources: Counts<C>,
    pairs: Attempts<C>,
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
            pairs: Attempts::new(quotas.per_account.get(), clock.clone()),
            clock,
        }
    }

    /// Begins to verify an account's password for a source; waits while as many attempts are in work as may still be wrong.
    ///
    /// # Errors
    /// `Limited` when this source has failed too often with this account.
    pub async fn attempt(&self, account: &str, source: Source) -> Result<Attempt<'_, C>, Limited> {
        let pair = self.key(self.hasher.hash_one((account, source)), self.pairs.len());
        self.pairs.begin(pair).await?;
        let account = self.hasher.hash_one(account);
        Ok(Attempt { limits: self, account, source, pair, was_wrong: false })
    }

    /// Counts a wrong credential that is no password: a bearer secret, a certificate.
    ///
    /// # Errors
    /// `Limited` when the answer is to be 429 in place of 401.
    pub fn failed(&self, source: Source) -> Result<(), Limited> {
        self.count(&self.sources, self.hasher.hash_one(source))
    }

    /// Forgets what no longer counts. Call it once a minute.
    pub fn forget_old(&self) {
        for counts in [&self.accounts, &self.sources] {
            counts.retain_recent();
            counts.shrink_to_fit();
        }
        self.pairs.forget_old();
    }

    fn count(&self, counts: &Counts<C>, key: Key) -> Result<(), Limited> {
        let key = self.key(key, counts.len());
        counts
            .check_key(&key)
            .map_err(|until| Limited { retry_after: until.wait_time_from(self.clock.now()) })
    }

    /// The key itself, as long as the table has room.
    fn key(&self, key: Key, len: usize) -> Key {
        if len < MAX_KEYS { key } else { key % SHARED_KEYS }
    }
}

/// A password that is being verified. Dropped, it was right, or nobody knows.
#[derive(Debug)]
pub struct Attempt<'a, C: Clock = MonotonicClock> {
    limits: &'a FailureLimits<C>,
    account: Key,
    source: Source,
    pair: Key,
    was_wrong: bool,
}

impl<C: Clock + Clone> Attempt<'_, C> {
    /// Counts it as wrong, for its account and for its source.
    ///
    /// # Errors
    /// `Limited` when the answer is to be 429 in place of 401, with the longer of the waits.
    pub fn wrong(mut self) -> Result<(), Limited> {
        self.was_wrong = true;
        let of_source = self.limits.failed(self.source).err();
        let of_account = self.limits.count(&self.limits.accounts, self.account).err();
        of_source.max_by_wait(of_account).map_or(Ok(()), Err)
    }
}

impl<C: Clock> Drop for Attempt<'_, C> {
    fn drop(&mut self) {
        self.limits.pairs.end(self.pair, self.was_wrong);
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

    async fn wrong(
        limits: &FailureLimits<FakeRelativeClock>,
        account: &str,
        last: u8,
    ) -> Result<(), Limited> {
        limits.attempt(account, source(last)).await.unwrap().wrong()
    }

    #[tokio::test]
    async fn ten_a_minute_for_an_account_from_wherever() {
        let (limits, clock) = limits();
        for n in 0..10 {
            assert_eq!(wrong(&limits, "alice", n).await, Ok(()));
        }
        let limited = wrong(&limits, "alice", 99).await.unwrap_err();
        assert_eq!(limited.retry_after, Duration::from_secs(6));
        assert_eq!(wrong(&limits, "bob", 99).await, Ok(()));
        clock.advance(Duration::from_secs(6));
        assert_eq!(wrong(&limits, "alice", 99).await, Ok(()));
    }

    #[tokio::test]
    async fn sixty_a_minute_for_a_source_whatever_it_tries() {
        let (limits, _) = limits();
        for n in 0..60 {
            assert_eq!(
                if n % 2 == 0 { limits.failed(source(1)) } else { wrong(&limits, &n.to_string(), 1).await },
                Ok(())
            );
        }
        assert!(limits.failed(source(1)).is_err());
        assert_eq!(limits.failed(source(2)), Ok(()));
    }

    #[tokio::test]
    async fn only_the_pair_that_failed_is_stopped_before_verifying() {
        let (limits, clock) = limits();
        for _ in 0..10 {
            let _counted = wrong(&limits, "alice", 1).await;
        }
        let limited = limits.attempt("alice", source(1)).await.unwrap_err();
        assert_eq!(limited.retry_after, Duration::from_secs(6));
        assert!(limits.attempt("alice", source(2)).await.is_ok(), "alice herself, elsewhere");
        assert!(limits.attempt("bob", source(1)).await.is_ok(), "someone else behind the same address");
        clock.advance(Duration::from_secs(6));
        assert_eq!(wrong(&limits, "alice", 1).await, Ok(()), "one more is looked at");
        assert!(limits.attempt("alice", source(1)).await.is_err());
    }

    #[tokio::test]
    async fn right_ones_cost_nothing() {
        let (limits, _) = limits();
        for _ in 0..100 {
            drop(limits.attempt("alice", source(1)).await.unwrap());
        }
        assert_eq!(wrong(&limits, "alice", 1).await, Ok(()));
    }

    #[tokio::test]
    async fn as_many_are_in_work_as_may_still_be_wrong() {
        let (limits, _) = limits();
        wrong(&limits, "alice", 1).await.unwrap();
        let mut in_work = Vec::new();
        for _ in 0..9 {
            in_work.push(limits.attempt("alice", source(1)).await.unwrap());
        }
        let mut next = std::pin::pin!(limits.attempt("alice", source(1)));
        assert!(futures::poll!(next.as_mut()).is_pending(), "all of those before it could be wrong");
        in_work.pop();
        let tenth = next.await.unwrap();
        let mut later = std::pin::pin!(limits.attempt("alice", source(1)));
        assert!(futures::poll!(later.as_mut()).is_pending());
        for attempt in in_work.into_iter().chain([tenth]) {
            attempt.wrong().unwrap();
        }
        assert!(later.await.is_err(), "they were");
    }

    #[tokio::test]
    async fn what_is_old_is_forgotten() {
        let (limits, clock) = limits();
        for n in 0..20 {
            if let Ok(attempt) = limits.attempt("alice", source(n % 2)).await {
                let _counted = attempt.wrong();
            }
        }
        assert_eq!(limits.pairs.len(), 2);
        clock.advance(Duration::from_secs(120));
        limits.forget_old();
        assert_eq!(limits.accounts.len() + limits.sources.len() + limits.pairs.len(), 0);
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let error = |millis| EdgeError::from(Limited { retry_after: Duration::from_millis(millis) });
        assert_eq!(error(0), EdgeError::TooManyRequests { retry_after_secs: 1 });
        assert_eq!(error(5_001), EdgeError::TooManyRequests { retry_after_secs: 6 });
    }
}
