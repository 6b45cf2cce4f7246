//! Ways to spoil a history, each with what must be found then. The places are looked for by brute force.

use super::random::{Lot, Past};
use crate::history::{Change, Kind, Operation, Outcome, Rules};

pub(super) struct Mutation {
    /// The violation that must be among those found.
    pub(super) name: &'static str,
    /// Spoils it; none if it has no place for this.
    pub(super) change: fn(&mut Past, u64) -> Option<()>,
}

pub(super) const ALL: [Mutation; 14] = [
    Mutation { name: "lost", change: drop_an_entry },
    Mutation { name: "twice", change: repeat_an_entry },
    Mutation { name: "denied", change: deny_a_write },
    Mutation { name: "misplaced", change: tell_another_revision },
    Mutation { name: "altered", change: turn_an_entry },
    Mutation { name: "altered", change: move_an_entry_to_another_key },
    Mutation { name: "stranger", change: rename_a_reason },
    Mutation { name: "unordered", change: swap_two_writes },
    Mutation { name: "untrue", change: turn_an_answer },
    Mutation { name: "untold", change: tell_no_revision },
    Mutation { name: "below", change: ask_for_more },
    Mutation { name: "behind", change: put_a_full_read_back },
    Mutation { name: "backwards", change: put_a_read_back },
    Mutation { name: "unmarked", change: take_a_mark_away },
];

fn one_of<T: Copy>(places: &[T], pick: u64) -> Option<T> {
    let places_len = u64::try_from(places.len()).ok().filter(|len| *len > 0)?;
    places.get(Lot(pick).below(places_len) as usize).copied()
}

/// Where in the history what fits is.
fn operation(history: &[Operation], pick: u64, fits: impl Fn(&Operation) -> bool) -> Option<usize> {
    let places: Vec<_> = (0..history.len()).filter(|at| fits(&history[*at])).collect();
    one_of(&places, pick)
}

/// Where in the ledger an acknowledged write is.
fn acknowledged(ledger: &[Change], history: &[Operation], pick: u64) -> Option<usize> {
    let is = |change: &Change| writer(history, change).is_some_and(|at| history[at].outcome == Outcome::Ok);
    let places: Vec<_> = (0..ledger.len()).filter(|at| is(&ledger[*at])).collect();
    one_of(&places, pick)
}

fn writer(history: &[Operation], change: &Change) -> Option<usize> {
    history.iter().position(|operation| Some(&operation.id) == change.reason.as_ref())
}

fn truth(ledger: &[Change], key: &str, revision: u64) -> bool {
    let mut changes = ledger.iter().filter(|change| change.key == key && change.revision <= revision);
    changes.next_back().is_some_and(|change| change.value)
}

fn drop_an_entry(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    ledger.remove(at);
    Some(())
}

fn repeat_an_entry(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    let again = Change { revision: ledger.last()?.revision + 1, ..ledger[at].clone() };
    ledger.push(again);
    Some(())
}

fn deny_a_write(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    let write = writer(history, &ledger[at])?;
    history[write].outcome = Outcome::Failed;
    Some(())
}

fn tell_another_revision(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    let write = writer(history, &ledger[at])?;
    history[write].revision = Some(ledger[at].revision + 1 + pick % 3);
    Some(())
}

fn turn_an_entry(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    ledger[at].value ^= true;
    Some(())
}

fn move_an_entry_to_another_key(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    ledger[at].key.push('x');
    Some(())
}

fn rename_a_reason(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let at = acknowledged(ledger, history, pick)?;
    ledger[at].reason = Some("nobody".to_owned());
    Some(())
}

/// Two writes of which one was over when the other began change places, and are told so.
fn swap_two_writes(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let mut pairs = Vec::new();
    for (first, a) in ledger.iter().enumerate() {
        for (second, b) in ledger.iter().enumerate().skip(first + 1) {
            let (Some(a), Some(b)) = (writer(history, a), writer(history, b)) else { continue };
            let over = history[a].returned.is_some_and(|returned| returned < history[b].invoked);
            if over && [a, b].iter().all(|at| history[*at].outcome == Outcome::Ok) {
                pairs.push((first, second));
            }
        }
    }
    let (first, second) = one_of(&pairs, pick)?;
    for (at, to) in [(first, second), (second, first)] {
        let write = writer(history, &ledger[at])?;
        history[write].revision = Some(ledger[to].revision);
    }
    let (earlier, later) = (ledger[first].revision, ledger[second].revision);
    ledger[first].revision = later;
    ledger[second].revision = earlier;
    ledger.swap(first, second);
    Some(())
}

fn turn_an_answer(Past { history, .. }: &mut Past, pick: u64) -> Option<()> {
    let at = operation(history, pick, Operation::is_done_read)?;
    history[at].value = history[at].value.map(|value| !value);
    Some(())
}

fn tell_no_revision(Past { history, .. }: &mut Past, pick: u64) -> Option<()> {
    let at = operation(history, pick, Operation::is_done_read)?;
    history[at].revision = None;
    Some(())
}

fn ask_for_more(Past { history, .. }: &mut Past, pick: u64) -> Option<()> {
    let at = operation(history, pick, Operation::is_done_read)?;
    history[at].at_least = history[at].revision.map(|revision| revision + 1);
    Some(())
}

/// A `full` read is told the truth of a revision before the latest that somebody had seen when it began.
fn put_a_full_read_back(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let latest = |history: &[Operation], of: &Operation| {
        let before = history.iter().filter(|one| {
            one.outcome == Outcome::Ok && one.returned.is_some_and(|returned| returned < of.invoked)
        });
        before.filter_map(|one| one.revision).max().unwrap_or_default()
    };
    let at = operation(history, pick, |one| one.is_done_read() && one.full && latest(history, one) > 0)?;
    let revision = latest(history, &history[at]) - 1;
    history[at].value = Some(truth(ledger, &history[at].key, revision));
    history[at].revision = Some(revision);
    Some(())
}

/// A read is told the truth of a revision before the one that its node had told the same process.
fn put_a_read_back(Past { ledger, history }: &mut Past, pick: u64) -> Option<()> {
    let latest = |history: &[Operation], of: &Operation| {
        let before = history.iter().filter(|one| {
            one.outcome == Outcome::Ok
                && (&one.node, one.process) == (&of.node, of.process)
                && one.returned.is_some_and(|returned| returned < of.invoked)
        });
        before.filter_map(|one| one.revision).max().unwrap_or_default()
    };
    let at = operation(history, pick, |one| one.is_done_read() && latest(history, one) > 0)?;
    let revision = latest(history, &history[at]) - 1;
    history[at].value = Some(truth(ledger, &history[at].key, revision));
    history[at].revision = Some(revision);
    Some(())
}

/// The answer is older than the rules allow, and does not say so any more.
fn take_a_mark_away(Past { history, .. }: &mut Past, pick: u64) -> Option<()> {
    let bound = u64::try_from(Rules::default().stale_after.as_nanos()).ok()?;
    let is_old = |history: &[Operation], of: &Operation| {
        let later = |one: &&Operation| one.outcome == Outcome::Ok && one.revision > of.revision;
        history.iter().filter(later).any(|one| one.returned.is_some_and(|at| at + bound < of.invoked))
    };
    let at =
        operation(history, pick, |one| one.kind == Kind::Read && is_old(history, one) && one.is_done_read())?;
    history[at].stale = None;
    Some(())
}
