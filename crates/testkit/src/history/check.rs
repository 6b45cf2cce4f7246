//! The check itself: each rule is one pass over sorted operations.

mod order;
mod seen;
mod truth;

use std::collections::HashMap;
use std::time::Duration;

use super::{Change, Operation, Violation};

/// What may be as it is without being a violation.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// An answer that may be behind by longer must say so.
    pub stale_after: Duration,
}

impl Default for Rules {
    /// The server's own default.
    fn default() -> Self {
        Self { stale_after: Duration::from_secs(5) }
    }
}

/// Everything that the history and the ledger say against each other, in no order that means anything.
///
/// The ledger must be sorted by revision, the names of the operations be different, as [`super::ledger`] and
/// [`super::operations`] have them.
#[must_use]
pub fn check(ledger: &[Change], history: &[Operation], rules: Rules) -> Vec<Violation> {
    let placed = Placed::new(ledger);
    let mut violations = Vec::new();
    truth::writes(ledger, history, &placed, &mut violations);
    truth::answers(ledger, history, &placed, &mut violations);
    order::real_time(history, &placed, &mut violations);
    order::each_node(history, &placed, &mut violations);
    order::marks(history, &placed, rules, &mut violations);
    violations
}

/// Where each operation stands in the ledger.
struct Placed<'a>(HashMap<&'a str, Vec<&'a Change>>);

impl<'a> Placed<'a> {
    fn new(ledger: &'a [Change]) -> Self {
        let mut placed: HashMap<_, Vec<_>> = HashMap::new();
        for change in ledger {
            if let Some(reason) = &change.reason {
                placed.entry(reason.as_str()).or_default().push(change);
            }
        }
        Self(placed)
    }

    /// Every change that gives this operation as its reason.
    fn all(&self, operation: &Operation) -> &[&'a Change] {
        self.0.get(operation.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The revision that a write made, none if it made none.
    fn made(&self, operation: &Operation) -> Option<u64> {
        self.all(operation).first().map(|change| change.revision)
    }

    /// The revision that an answer showed its caller.
    fn shown(&self, operation: &Operation) -> Option<u64> {
        let told = operation.revision.filter(|_| operation.is_done_read() || operation.is_done_write());
        told.or_else(|| self.made(operation).filter(|_| operation.is_done_write()))
    }

    /// Whether a write was acknowledged as one that found everything as it wanted it.
    fn had_nothing_to_do(&self, operation: &Operation) -> bool {
        operation.is_done_write() && operation.changed == Some(false) && self.made(operation).is_none()
    }
}
