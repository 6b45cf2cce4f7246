//! What had been seen by a moment.

use std::cmp::Reverse;

use super::Placed;
use crate::history::Operation;

/// An answer that showed a revision.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) revision: u64,
    pub(super) at: u64,
    pub(super) by: &'a Operation,
}

impl<'a> Seen<'a> {
    /// All answers of these operations that showed one, by when they came.
    fn all(operations: &[&'a Operation], placed: &Placed<'_>) -> Vec<Self> {
        let mut all: Vec<_> = operations
            .iter()
            .filter_map(|by| Some(Self { revision: placed.shown(by)?, at: by.returned?, by }))
            .collect();
        all.sort_by_key(|seen| seen.at);
        all
    }
}

/// Each operation with the latest revision that any of these had shown before it began.
pub(super) fn before<'a>(
    operations: &[&'a Operation],
    placed: &Placed<'_>,
) -> Vec<(&'a Operation, Option<Seen<'a>>)> {
    let mut answers = Seen::all(operations, placed).into_iter().peekable();
    let mut begins = operations.to_vec();
    begins.sort_by_key(|operation| operation.invoked);
    let mut latest: Option<Seen<'a>> = None;
    let mut each = Vec::with_capacity(begins.len());
    for operation in begins {
        // What ended in the same moment counts as at the same time.
        while let Some(seen) = answers.next_if(|seen| seen.at < operation.invoked) {
            if latest.is_none_or(|latest| latest.revision < seen.revision) {
                latest = Some(seen);
            }
        }
        each.push((operation, latest));
    }
    each
}

/// When each revision, or a later one, was first seen.
pub(super) struct First<'a> {
    /// By revision, each with the earliest answer that showed it or a later one.
    earliest: Vec<(u64, Seen<'a>)>,
}

impl<'a> First<'a> {
    pub(super) fn new(operations: &[&'a Operation], placed: &Placed<'_>) -> Self {
        let mut all = Seen::all(operations, placed);
        all.sort_by_key(|seen| Reverse(seen.revision));
        let mut earliest: Vec<(u64, Seen<'a>)> = Vec::with_capacity(all.len());
        for seen in all {
            let first = earliest.last().map(|(_, first)| *first).filter(|first| first.at <= seen.at);
            earliest.push((seen.revision, first.unwrap_or(seen)));
        }
        earliest.reverse();
        Self { earliest }
    }

    /// The earliest answer that showed a later revision than this.
    pub(super) fn after(&self, revision: u64) -> Option<Seen<'a>> {
        let at = self.earliest.partition_point(|(of, _)| *of <= revision);
        self.earliest.get(at).map(|(_, first)| *first)
    }
}
