//! A clock that moves only by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use grantd_engine::Micros;

/// A clock that stands still until a test moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Micros) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.0.load(Ordering::SeqCst)
    }

    /// Sets it, also to an earlier time.
    pub fn set(&self, now: Micros) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves it on and says what it shows then.
    pub fn advance(&self, by: Micros) -> Micros {
        self.0.fetch_add(by, Ordering::SeqCst).saturating_add(by)
    }
}

impl Default for Clock {
    /// 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(1_767_225_600_000_000)
    }
}
