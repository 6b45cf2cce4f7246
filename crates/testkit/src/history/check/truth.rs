//! What the ledger holds against what clients were told.

use std::collections::{HashMap, HashSet};

use super::Placed;
use crate::history::{Change, Kind, Operation, Outcome, Violation};

/// An acknowledged write is in the ledger once and where its answer said; one of which the answer said that it was not done
/// is not; and nothing else is.
pub(super) fn writes(
    ledger: &[Change],
    history: &[Operation],
    placed: &Placed<'_>,
    violations: &mut Vec<Violation>,
) {
    let writes = || history.iter().filter(|operation| operation.kind == Kind::Write);
    for write in writes() {
        one_write(write, placed, violations);
    }
    let ids: HashSet<&str> = writes().map(|write| write.id.as_str()).collect();
    for change in ledger {
        if let Some(reason) = change.reason.as_ref().filter(|reason| !ids.contains(reason.as_str())) {
            violations.push(Violation::Stranger { reason: reason.clone(), revision: change.revision });
        }
    }
}

fn one_write(write: &Operation, placed: &Placed<'_>, violations: &mut Vec<Violation>) {
    let id = || write.id.clone();
    let Some(revision) = placed.made(write) else {
        if write.outcome == Outcome::Ok && write.changed != Some(false) {
            violations.push(Violation::Lost { write: id() });
        }
        return;
    };
    let all = placed.all(write);
    if all.len() > 1 {
        let revisions = all.iter().map(|change| change.revision).collect();
        violations.push(Violation::Twice { write: id(), revisions });
    }
    let other = |change: &&&Change| change.key != write.key || Some(change.value) != write.value;
    if let Some(change) = all.iter().find(other) {
        violations.push(Violation::Altered { write: id(), revision: change.revision });
    }
    let denied = match write.outcome {
        Outcome::Refused | Outcome::Failed => true,
        Outcome::Ok => write.changed == Some(false),
        Outcome::Unknown => false,
    };
    if denied {
        violations.push(Violation::Denied { write: id(), revision });
    } else if let Some(told) = write.revision.filter(|told| write.outcome == Outcome::Ok && *told != revision)
    {
        violations.push(Violation::Misplaced { write: id(), told, revision });
    }
}

/// An answer is what holds at its revision, and that is not before the one that was asked for.
pub(super) fn answers(
    ledger: &[Change],
    history: &[Operation],
    placed: &Placed<'_>,
    violations: &mut Vec<Violation>,
) {
    let truth = Truth::new(ledger);
    for operation in history.iter().filter(|operation| operation.outcome == Outcome::Ok) {
        let Some(revision) = operation.revision else {
            if operation.kind == Kind::Read {
                violations.push(Violation::Untold { read: operation.id.clone() });
            }
            continue;
        };
        if let Some(at_least) = operation.at_least.filter(|at_least| revision < *at_least) {
            violations.push(Violation::Below { operation: operation.id.clone(), revision, at_least });
        }
        let says = operation.kind == Kind::Read || placed.had_nothing_to_do(operation);
        if says && operation.value != Some(truth.at(&operation.key, revision)) {
            violations.push(Violation::Untrue { operation: operation.id.clone(), revision });
        }
    }
}

/// What holds at each revision.
struct Truth<'a>(HashMap<&'a str, Vec<&'a Change>>);

impl<'a> Truth<'a> {
    fn new(ledger: &'a [Change]) -> Self {
        let mut keys: HashMap<_, Vec<_>> = HashMap::new();
        for change in ledger {
            keys.entry(change.key.as_str()).or_default().push(change);
        }
        Self(keys)
    }

    fn at(&self, key: &str, revision: u64) -> bool {
        let changes = self.0.get(key).map_or(&[][..], Vec::as_slice);
        let later = changes.partition_point(|change| change.revision <= revision);
        later.checked_sub(1).and_then(|last| changes.get(last)).is_some_and(|change| change.value)
    }
}
