//! States that are kept for a while after newer ones were published, so that a later page of a list is of the same
//! revision as the first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantd_realm::Micros;

use crate::running::Published;

/// How many states of one realm are kept at most. They share nearly all they hold.
const MAX: usize = 64;

/// A realm's pinned states, the one that was asked for last at the end. Only lists and searches come here.
#[derive(Default)]
pub(crate) struct Pins(Mutex<Vec<Pin>>);

struct Pin {
    state: Arc<Published>,
    until: Micros,
}

impl Pins {
    /// Keeps a state until that time at least, unless it is crowded out. Gives back what was let go.
    pub(crate) fn keep(&self, state: Arc<Published>, until: Micros) -> Vec<Arc<Published>> {
        let mut pins = self.lock();
        let revision = state.head.revision;
        let before = pins.iter().position(|pin| pin.state.head.revision == revision);
        let until = match before.map(|at| pins.remove(at)) {
            Some(pin) => until.max(pin.until),
            None => until,
        };
        let crowded_out = pins.len().saturating_sub(MAX - 1);
        let gone = pins.drain(..crowded_out).map(|pin| pin.state).collect();
        pins.push(Pin { state, until });
        gone
    }

    /// The state of that revision, if it is kept.
    pub(crate) fn get(&self, revision: u64) -> Option<Arc<Published>> {
        self.lock().iter().find(|pin| pin.state.head.revision == revision).map(|pin| pin.state.clone())
    }

    /// Lets go of those whose time is over, and gives them back.
    pub(crate) fn forget(&self, now: Micros) -> Vec<Arc<Published>> {
        let mut pins = self.lock();
        let gone = pins.extract_if(.., |pin| pin.until <= now).map(|pin| pin.state).collect();
        pins.shrink_to_fit();
        gone
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
