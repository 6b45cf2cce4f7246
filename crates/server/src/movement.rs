//! When anything last moved, in something that must not stand still for ever.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// See the module.
pub(crate) struct Movement {
    begun: Instant,
    last: AtomicU64,
}

impl Movement {
    /// It moves now.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0) }
    }

    /// It moved.
    pub(crate) fn note(&self) {
        let at = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(at, Ordering::Relaxed);
    }

    /// Returns once nothing has moved for so long.
    pub(crate) async fn stops_for(&self, idle: Duration) {
        loop {
            let last = self.begun + Duration::from_millis(self.last.load(Ordering::Relaxed));
            let still = last.elapsed();
            if still >= idle {
                return;
            }
            sleep(idle - still).await;
        }
    }
}
