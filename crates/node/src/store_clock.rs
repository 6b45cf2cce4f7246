//! The time at a shared store, told without asking it each time.
//!
//! Nodes whose own clocks differ must not answer differently. So a node's questions use the machine's steady time plus what
//! the store's clock was ahead of it when it was last asked. Setting the machine's clock moves no answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use grantd_realm::Micros;

use crate::clock::Clock;

/// Follows the store's clock once that was asked; before it shows the machine's time.
pub(crate) struct StoreClock {
    machine: Arc<dyn Clock>,
    /// What the store's clock is ahead of the machine's steady time; [`UNKNOWN`] before it was asked.
    ahead: AtomicI64,
    /// The latest time that was told: none is earlier.
    told: AtomicI64,
}

const UNKNOWN: Micros = Micros::MIN;

impl StoreClock {
    pub(crate) fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, ahead: UNKNOWN.into(), told: Micros::MIN.into() }
    }

    /// Takes what the store's clock showed at some moment between these two.
    ///
    /// The answer leaves open by how long it was on its way. What is believed stays as it is as long as the answer allows
    /// it, so that a slow one does no harm.
    pub(crate) fn heard(&self, asked: Duration, answered: Duration, there: Micros) {
        let (least, most) = (there - micros(answered), there - micros(asked));
        let ahead = match self.ahead.load(Ordering::Relaxed) {
            UNKNOWN => least.midpoint(most),
            ahead => ahead.clamp(least.min(most), most),
        };
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// How far the machine's clock is ahead of the store's, below 0 if it is behind. `None` before that was asked.
    pub(crate) fn machine_is_ahead(&self) -> Option<Micros> {
        Some(self.machine.now() - self.there()?)
    }

    fn there(&self) -> Option<Micros> {
        let ahead = Some(self.ahead.load(Ordering::Relaxed)).filter(|ahead| *ahead != UNKNOWN)?;
        Some(micros(self.machine.steady()).saturating_add(ahead))
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Micros {
        let Some(there) = self.there() else { return self.machine.now() };
        self.told.fetch_max(there, Ordering::Relaxed).max(there)
    }

    fn steady(&self) -> Duration {
        self.machine.steady()
    }
}

fn micros(since: Duration) -> Micros {
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::sync::Mutex;

    use super::*;

    const SECOND: Micros = 1_000_000;

    /// A machine's two clocks, set by hand.
    #[derive(Default)]
    struct Machine(Mutex<(Micros, Duration)>);

    impl Machine {
        fn set(&self, wall: Micros, steady: u64) {
            *self.0.lock().unwrap() = (wall, Duration::from_secs(steady));
        }
    }

    impl Clock for Machine {
        fn now(&self) -> Micros {
            self.0.lock().unwrap().0
        }

        fn steady(&self) -> Duration {
            self.0.lock().unwrap().1
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn rig() -> (Arc<Machine>, StoreClock) {
        let machine = Arc::new(Machine::default());
        (machine.clone(), StoreClock::new(machine))
    }

    #[test]
    fn the_machines_clock_moves_no_answer() {
        let (machine, clock) = rig();
        machine.set(700 * SECOND, 10);
        assert_eq!((clock.now(), clock.machine_is_ahead()), (700 * SECOND, None), "nothing else is known");
        clock.heard(seconds(10), seconds(10), 100 * SECOND);
        assert_eq!((clock.now(), clock.machine_is_ahead()), (100 * SECOND, Some(600 * SECOND)));
        machine.set(-5_000 * SECOND, 11);
        assert_eq!((clock.now(), clock.machine_is_ahead()), (101 * SECOND, Some(-5_101 * SECOND)));
    }

    #[test]
    fn it_never_goes_back() {
        let (machine, clock) = rig();
        machine.set(0, 10);
        clock.heard(seconds(10), seconds(10), 100 * SECOND);
        assert_eq!(clock.now(), 100 * SECOND);
        clock.heard(seconds(10), seconds(10), 95 * SECOND);
        assert_eq!(clock.now(), 100 * SECOND, "it stands still");
        machine.set(0, 14);
        assert_eq!(clock.now(), 100 * SECOND);
        machine.set(0, 16);
        assert_eq!(clock.now(), 101 * SECOND, "and goes on when the store's is there");
    }

    #[test]
    fn a_slow_answer_moves_it_only_as_far_as_it_proves() {
        let (machine, clock) = rig();
        machine.set(0, 10);
        clock.heard(seconds(10), seconds(10), 100 * SECOND);
        // It was on its way for 8 seconds; that fits a clock that has not moved.
        machine.set(0, 20);
        clock.heard(seconds(12), seconds(20), 103 * SECOND);
        assert_eq!(clock.now(), 110 * SECOND);
        // At the earliest it was read at 20, so that the store's clock is 2 seconds ahead of what was believed at least.
        clock.heard(seconds(20), seconds(28), 120 * SECOND);
        machine.set(0, 28);
        assert_eq!(clock.now(), 120 * SECOND);
    }
}
