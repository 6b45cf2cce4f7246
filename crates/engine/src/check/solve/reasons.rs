//! What a solved system says about its own answer.

use super::{CellId, Operator, Solver};
use crate::check::asked::Goal;
use crate::check::truth::Truth;
use crate::graph::{Edge, NodeId, Taken};

/// What a yes rests on.
pub(crate) struct Reached<'g> {
    /// Relationships, by resource.
    pub(crate) edges: Vec<(NodeId, Edge)>,
    /// What had to be absent, and at which goal.
    pub(crate) absences: Vec<(Goal, &'g Taken)>,
}

/// Where a way to the subject ended.
pub(crate) enum Closed<'g> {
    /// The goal has not risen to a yes.
    Goal(Goal),
    /// The base has risen, but what is taken away has as well.
    Taken(Goal, &'g Taken),
    /// Some parts of an `and` have risen, but not all.
    Part(Goal),
}

impl<'g> Solver<'_, 'g> {
    /// What a yes of the first cell rests on. Each value is followed to what raised it, which rose before it did: the
    /// ways end, whatever cycles there are.
    pub(crate) fn reached(&self) -> Reached<'g> {
        let mut reached = Reached { edges: Vec::new(), absences: Vec::new() };
        let mut seen = vec![false; self.cells.len()];
        let mut next: Vec<CellId> = vec![0];
        while let Some(id) = next.pop() {
            if std::mem::replace(seen.get_mut(id).unwrap_or(&mut true), true) {
                continue;
            }
            let Some(cell) = self.cells.get(id) else { continue };
            match &cell.operator {
                Operator::All { parts, .. } => next.extend(parts),
                Operator::Any(_) => {
                    if let Some(link) = cell.raised_by.and_then(|link| self.links.get(link)) {
                        reached.edges.extend(link.by);
                        next.extend(link.from);
                    }
                }
                Operator::Without { goal, taken, base, .. } => {
                    reached.absences.push((*goal, taken));
                    next.extend(base);
                }
            }
        }
        reached
    }

    /// Where ways ended, in the order of discovery.
    pub(crate) fn closed(&self) -> impl Iterator<Item = Closed<'g>> {
        self.cells.iter().filter(|cell| cell.value != Truth::Yes).filter_map(|cell| match &cell.operator {
            Operator::Any(goal) => goal.map(Closed::Goal),
            Operator::Without { goal, taken, base, result } => {
                let has_risen = base.is_some_and(|base| self.value(base) != Truth::No);
                let is_taken = result.as_ref().is_some_and(|(value, _)| *value != Truth::No);
                (has_risen && is_taken).then_some(Closed::Taken(*goal, taken))
            }
            Operator::All { goal, parts, .. } => {
                let has_risen = parts.iter().any(|part| self.value(*part) != Truth::No);
                has_risen.then_some(Closed::Part(*goal))
            }
        })
    }
}
