//! What came after what: nobody may be led back.

use std::collections::HashMap;
use std::time::Duration;

use super::{Placed, Rules, seen};
use crate::history::{Operation, Violation};

/// Writes, and what must rest on the newest state, come after everything that anybody had been shown before they began.
/// Together with their one place in the ledger this makes writes linearizable.
pub(super) fn real_time(history: &[Operation], placed: &Placed<'_>, violations: &mut Vec<Violation>) {
    let all: Vec<_> = history.iter().collect();
    for (operation, latest) in seen::before(&all, placed) {
        let Some(latest) = latest else { continue };
        let (after, seen) = (latest.by.id.clone(), latest.revision);
        if let Some(revision) = placed.made(operation) {
            if revision <= seen {
                violations.push(Violation::Unordered { write: operation.id.clone(), revision, after, seen });
            }
            continue;
        }
        let newest = operation.full && operation.is_done_read() || placed.had_nothing_to_do(operation);
        if let Some(revision) = operation.revision.filter(|revision| newest && *revision < seen) {
            violations.push(Violation::Behind { operation: operation.id.clone(), revision, after, seen });
        }
    }
}

/// A node shows one process nothing older than what it has shown it.
pub(super) fn each_node(history: &[Operation], placed: &Placed<'_>, violations: &mut Vec<Violation>) {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for operation in history {
        groups.entry((operation.node.as_str(), operation.process)).or_default().push(operation);
    }
    for group in groups.values() {
        for (read, latest) in seen::before(group, placed) {
            let (Some(latest), Some(revision), true) = (latest, read.revision, read.is_done_read()) else {
                continue;
            };
            if revision < latest.revision {
                let (after, seen) = (latest.by.id.clone(), latest.revision);
                violations.push(Violation::Backwards { read: read.id.clone(), revision, after, seen });
            }
        }
    }
}

/// Who is told something old is told that it may be.
pub(super) fn marks(
    history: &[Operation],
    placed: &Placed<'_>,
    rules: Rules,
    violations: &mut Vec<Violation>,
) {
    let all: Vec<_> = history.iter().collect();
    let first = seen::First::new(&all, placed);
    for read in history.iter().filter(|operation| operation.is_done_read()) {
        let Some(revision) = read.revision else { continue };
        let Some(later) = first.after(revision) else { continue };
        let behind = Duration::from_nanos(read.invoked.saturating_sub(later.at));
        if behind > may_be_behind(read, rules) {
            violations.push(Violation::Unmarked {
                read: read.id.clone(),
                revision,
                after: later.by.id.clone(),
                milliseconds: u64::try_from(behind.as_millis()).unwrap_or(u64::MAX),
            });
        }
    }
}

/// A mark is in whole seconds, cut off.
fn may_be_behind(read: &Operation, rules: Rules) -> Duration {
    let marked = read.stale.and_then(|seconds| Duration::try_from_secs_f64(seconds + 1.0).ok());
    rules.stale_after.max(marked.unwrap_or_default())
}
