//! What came from a client and waits for its machine to take it: bounded without making anything else wait.
//!
//! A client says in the same stream what it sends and how much it is ready to receive. Who stops reading because a machine takes
//! nothing more does not learn that the client could receive, and the machine may wait for just that: `ssh VM zcat <file.gz` would
//! stand still for ever. So everything is read at once, and the client is told to send less. The SSH library gives a new window when
//! an old one is used up, and lets us say then how large; so while much waits, each is of a few bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// How much a client may send in advance on a channel.
pub(super) const WINDOW: u32 = 1 << 20;

/// How much a client may send in advance while much waits. Not less: a window of one byte is never renewed.
const TRICKLE: u32 = 2;

/// From when on much waits, of all channels of a connection.
const MUCH: usize = 256 << 10;

/// More than can wait if the client keeps to what it is given: a window on each channel.
const FLOOD: usize = 16 << 20;

/// How long the few bytes of one such window are waited with at first, and at last.
const FIRST_WAIT: Duration = Duration::from_millis(1);
const DOUBLINGS: u32 = 6;

/// See the module.
#[derive(Default)]
pub(super) struct Inflow {
    waiting: AtomicUsize,
    /// How many small windows were used up one after the other.
    trickles: AtomicU32,
}

/// Something that waits, until it is dropped: taken by the machine, or thrown away.
pub(super) struct Waits {
    of: Arc<Inflow>,
    bytes: usize,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.of.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Inflow {
    /// Counts what came. A client that sends what it was not allowed to is an error.
    pub(super) fn came(self: &Arc<Self>, bytes: usize) -> Result<Waits, Flood> {
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let waits = Waits { of: self.clone(), bytes };
        if before + bytes > FLOOD { Err(Flood) } else { Ok(waits) }
    }

    /// How large the next window is.
    pub(super) fn window(&self) -> u32 {
        if self.waiting.load(Ordering::Relaxed) > MUCH { TRICKLE } else { WINDOW }
    }

    /// How long to wait after so many bytes came, so that small windows do not add up to much.
    pub(super) fn pause(&self, bytes: usize) -> Option<Duration> {
        if self.window() == WINDOW {
            self.trickles.store(0, Ordering::Relaxed);
            return None;
        }
        if bytes > TRICKLE as usize {
            return None;
        }
        let before = self.trickles.fetch_add(1, Ordering::Relaxed);
        Some(FIRST_WAIT * 2_u32.pow(before.min(DOUBLINGS)))
    }
}

/// More came than any window allowed.
#[derive(Debug)]
pub(super) struct Flood;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::super::CHANNELS;
    use super::*;

    #[test]
    fn windows_are_small_while_much_waits() {
        let inflow = Arc::new(Inflow::default());
        let _much = inflow.came(MUCH).ok().unwrap();
        assert_eq!((inflow.window(), inflow.pause(2)), (WINDOW, None));
        let more = inflow.came(32 << 10).ok().unwrap();
        assert_eq!(inflow.window(), TRICKLE);
        assert_eq!(inflow.pause(32 << 10), None, "of a window that was given before");
        let pauses: Vec<_> = (0..9).map(|_| inflow.pause(2).unwrap().as_millis()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        drop(more);
        assert_eq!((inflow.window(), inflow.pause(2)), (WINDOW, None));
        let _one = inflow.came(1).ok().unwrap();
        assert_eq!(inflow.pause(2).unwrap(), FIRST_WAIT);
    }

    #[test]
    fn who_keeps_to_the_windows_is_no_flood() {
        let inflow = Arc::new(Inflow::default());
        let windows: Vec<_> = (0..CHANNELS).map(|_| inflow.came(WINDOW as usize).ok().unwrap()).collect();
        assert!(inflow.came(FLOOD).is_err());
        drop(windows);
        assert_eq!(inflow.waiting.load(Ordering::Relaxed), 0);
        assert!(inflow.came(FLOOD).is_ok());
    }
}
