//! Which conditions a conditional answer depends on.

use std::collections::BTreeSet;

/// How a search went on from goal to goal, by their places, with the condition of each step.
#[derive(Debug, Default)]
pub(super) struct Trail<'g> {
    steps: Vec<(usize, usize, Option<&'g str>)>,
    ends: Vec<(usize, Option<&'g str>)>,
}

impl<'g> Trail<'g> {
    /// One goal led to another.
    pub(super) fn leads(&mut self, from: usize, to: usize, condition: Option<&'g str>) {
        self.steps.push((from, to, condition));
    }

    /// The subject was found to stand in a goal.
    pub(super) fn reached(&mut self, goal: usize, condition: Option<&'g str>) {
        self.ends.push((goal, condition));
    }

    /// The conditions on all ways to the subject. Those on ways that lead elsewhere are none of its business.
    pub(super) fn conditions(mut self) -> BTreeSet<&'g str> {
        let mut names: BTreeSet<_> = self.ends.iter().filter_map(|(_, condition)| *condition).collect();
        let mut good: BTreeSet<_> = self.ends.iter().map(|(goal, _)| *goal).collect();
        let mut queue: Vec<_> = good.iter().copied().collect();
        self.steps.sort_unstable_by_key(|(_, to, _)| *to);
        while let Some(goal) = queue.pop() {
            let start = self.steps.partition_point(|(_, to, _)| *to < goal);
            let here = self.steps.iter().skip(start).take_while(|(_, to, _)| *to == goal);
            for (from, _, condition) in here {
                names.extend(*condition);
                if good.insert(*from) {
                    queue.push(*from);
                }
            }
        }
        names
    }
}
