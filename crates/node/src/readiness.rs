//! Whether a node is to be asked, and if not, why.

use std::time::Duration;

use grantd_ledger::store::StoreError;
use grantd_realm::Micros;

use crate::node::Node;

/// How far a machine's clock may be off, in microseconds.
const CLOCK_OFF: Micros = 5 * 1_000_000;

/// Why a node should not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    /// A realm that it needs cannot be loaded.
    NotLoaded,
    /// The store, which is its own, cannot be read.
    StoreUnavailable,
    /// It has not known for too long that it has everything. Seconds.
    Lagging(u64),
    /// It knows of entries that it has not read for too long. Seconds.
    Behind(u64),
    /// There is an entry that this program cannot read.
    UnreadableEntry,
    /// The store contradicts what it has seen.
    Contradiction,
    /// The machine's clock and the store's show different times. Seconds, above 0 if the machine's is ahead.
    ClockOff(i64),
}

impl Unready {
    /// The reason as a stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotLoaded => "not_loaded",
            Self::StoreUnavailable => "store_unavailable",
            Self::Lagging(_) => "lagging",
            Self::Behind(_) => "behind",
            Self::UnreadableEntry => "unreadable_entry",
            Self::Contradiction => "contradiction",
            Self::ClockOff(_) => "clock_off",
        }
    }
}

impl std::fmt::Display for Unready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotLoaded => write!(f, "a realm cannot be loaded; see the log"),
            Self::StoreUnavailable => write!(f, "the store cannot be read; see the log"),
            Self::Lagging(seconds) => {
                write!(f, "{seconds} s ago this node last knew that it had everything the store has")
            }
            Self::Behind(seconds) => {
                write!(f, "for {seconds} s the store has had entries that this node has not read")
            }
            Self::UnreadableEntry => {
                write!(f, "the store has an entry that this version cannot read; run a newer grantd")
            }
            Self::Contradiction => {
                write!(f, "the store no longer has what this node has seen in it; see the log, then restart")
            }
            Self::ClockOff(seconds) if *seconds < 0 => {
                write!(f, "this machine's clock is {} s behind the store's; set it", -seconds)
            }
            Self::ClockOff(seconds) => {
                write!(f, "this machine's clock is {seconds} s ahead of the store's; set it")
            }
        }
    }
}

impl Node {
    /// Why this node should not be asked now; nothing if it should. `needed` is a realm that must be loaded.
    ///
    /// Where the store is shared it is not asked: all nodes would be called away at once whenever it does not answer for a
    /// moment, although each of them can answer checks.
    pub async fn unready(&self, needed: &str) -> Vec<Unready> {
        let realm = match self.realm(needed).await {
            Ok(realm) => realm,
            Err(_) if self.reach().is_contradicted() => return vec![Unready::Contradiction],
            Err(_) => return vec![Unready::NotLoaded],
        };
        if !self.reach().is_shared() {
            let readable = realm.entries(u64::MAX, 1).await;
            return readable.err().map(|_: StoreError| Unready::StoreUnavailable).into_iter().collect();
        }
        let mut reasons = Vec::new();
        if self.reach().is_contradicted() {
            reasons.push(Unready::Contradiction);
        }
        if self.loaded().iter().any(|realm| realm.shared().level.is_unreadable()) {
            reasons.push(Unready::UnreadableEntry);
        }
        let Some(follow) = self.following() else { return reasons };
        let lag = self.lag().unwrap_or_default();
        if follow.max_lag.is_some_and(|most| lag > most) {
            reasons.push(Unready::Lagging(lag.as_secs()));
        }
        let behind = self.behind_for();
        if behind > follow.stale_after && !self.reach().is_away() {
            reasons.push(Unready::Behind(behind.as_secs()));
        }
        if let Some(ahead) = self.clock_is_ahead().filter(|ahead| is_off(*ahead)) {
            reasons.push(Unready::ClockOff(ahead / 1_000_000));
        }
        reasons
    }

    /// Where the store is shared: how long ago this node last knew, of the realm of which it knows it least, that it had
    /// everything.
    pub fn lag(&self) -> Option<Duration> {
        if !self.reach().is_shared() {
            return None;
        }
        let now = self.reach().steady();
        let realms = self.loaded();
        Some(realms.iter().map(|realm| realm.shared().level.age(now)).max().unwrap_or_default())
    }

    /// For how long it has known of entries that it has not read.
    fn behind_for(&self) -> Duration {
        let now = self.reach().steady();
        let realms = self.loaded();
        realms.iter().filter_map(|realm| realm.shared().level.behind_for(now)).max().unwrap_or_default()
    }

    /// Where the store is shared: how far this machine's clock is ahead of the store's, below 0 if it is behind.
    pub fn clock_is_ahead(&self) -> Option<Micros> {
        self.reach().machine_is_ahead()
    }

    /// Says in the log when the machine's clock begins and ends to be off.
    pub(crate) fn note_clock(&self) {
        let Some(ahead) = self.clock_is_ahead() else { return };
        let seconds = ahead / 1_000_000;
        match (is_off(ahead), self.clock_was_off(is_off(ahead))) {
            (true, false) => tracing::error!(
                seconds,
                "this machine's clock is off: it is so far ahead of the store's; answers use the store's time, but the node is not \
                 ready until the clock is set"
            ),
            (false, true) => tracing::info!("this machine's clock shows the store's time again"),
            _ => {}
        }
    }
}

fn is_off(ahead: Micros) -> bool {
    ahead.unsigned_abs() > CLOCK_OFF.unsigned_abs()
}
