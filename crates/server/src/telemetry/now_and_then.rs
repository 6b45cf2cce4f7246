//! For what would be logged by every request while something lasts.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Seconds between two lines.
const EVERY: u64 = 10;

/// Lets one through now and then.
#[derive(Debug, Default)]
pub(crate) struct NowAndThen {
    /// Seconds of the steady clock, from which on the next one may.
    next: AtomicU64,
}

impl NowAndThen {
    pub(crate) const fn new() -> Self {
        Self { next: AtomicU64::new(0) }
    }

    /// Whether it is time again.
    pub(crate) fn is_due(&self) -> bool {
        static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.is_due_at(BEGIN.elapsed().as_secs())
    }

    fn is_due_at(&self, now: u64) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        // Of many at the same moment, one.
        now >= next
            && self.next.compare_exchange(next, now + EVERY, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_ten_seconds_is_let_through() {
        let lines = NowAndThen::new();
        let due: Vec<bool> = [0, 0, 9, 10, 11, 30, 31].map(|now| lines.is_due_at(now)).to_vec();
        assert_eq!(due, [true, false, false, true, false, true, false]);
    }
}
