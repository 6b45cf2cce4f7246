//! When a delivery that failed is tried again.

use std::sync::Arc;

use crate::Micros;

const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;

/// Between a failed attempt and the next one, unless it is set otherwise: ten attempts in a little more than three days.
pub const RETRIES: [Micros; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// What a receiver asks for with `Retry-After` is heeded up to here.
const LONGEST: Micros = 24 * HOUR;

/// The waits between attempts; when there is no next one, the delivery is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries(Arc<[Micros]>);

impl Default for Retries {
    fn default() -> Self {
        Self(RETRIES.into())
    }
}

impl Retries {
    /// These waits, in microseconds.
    pub fn new(waits: impl Into<Arc<[Micros]>>) -> Self {
        Self(waits.into())
    }

    /// Whether so many attempts are all.
    pub fn end_after(&self, attempts: u32) -> bool {
        self.next(attempts, 0, None, 0).is_none()
    }

    /// When to try again after so many attempts, not before what the receiver asks for; `None`: no more.
    ///
    /// The wait is up to a fifth longer, by chance (`random`), so that what failed together does not come back together.
    pub fn next(&self, attempts: u32, now: Micros, not_before: Option<Micros>, random: u8) -> Option<Micros> {
        let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
        let wait = *self.0.get(index)?;
        let wait = wait.saturating_add(wait / 5 / 256 * Micros::from(random));
        let asked = not_before.unwrap_or(now).min(now.saturating_add(LONGEST));
        Some(now.saturating_add(wait).max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let retries = Retries::default();
        let waits: Vec<_> = (1..).map_while(|attempts| retries.next(attempts, 0, None, 0)).collect();
        assert_eq!(waits, RETRIES);
        assert!(waits.is_sorted());
        assert_eq!(retries.next(0, 0, None, 0), None, "before the first attempt there is nothing to repeat");
        assert_eq!(retries.next(10, 0, None, 0), None);
    }

    #[test]
    fn chance_makes_a_wait_longer_by_up_to_a_fifth() {
        let wait = |random| Retries::default().next(2, 1_000, None, random).unwrap_or_default() - 1_000;
        assert_eq!(wait(0), 5 * MINUTE);
        assert!(wait(255) > wait(128) && wait(128) > wait(0));
        assert!(wait(255) <= 6 * MINUTE);
    }

    #[test]
    fn the_receiver_can_ask_for_longer_and_not_for_ever() {
        let retries = Retries::default();
        assert_eq!(retries.next(1, 0, Some(HOUR), 0), Some(HOUR));
        assert_eq!(retries.next(1, 0, Some(1), 0), Some(5 * SECOND), "not for shorter");
        assert_eq!(retries.next(1, 0, Some(Micros::MAX), 0), Some(LONGEST));
    }
}
