//! What was written to one node's edges since the base was made.

use std::ops::Range;
use std::sync::Arc;

use imbl::OrdMap;

use super::index::Edge;

/// An edge's key, and the edge as it is now, or none if it was removed.
pub(super) type Change = (u64, Option<Edge>);

/// Changes in order of their keys. Most nodes see few, and a short array is smaller and quicker than a tree; but a role
/// may get a hundred thousand members at once.
#[derive(Clone, Debug)]
pub(super) enum Delta {
    Few(Arc<[Change]>),
    Many(OrdMap<u64, Option<Edge>>),
}

impl Default for Delta {
    fn default() -> Self {
        Self::Few(Arc::new([]))
    }
}

impl Delta {
    pub(super) fn get(&self, key: u64) -> Option<Option<Edge>> {
        match self {
            Self::Few(changes) => {
                changes.iter().find(|(changed, _)| *changed == key).map(|(_, change)| *change)
            }
            Self::Many(changes) => changes.get(&key).copied(),
        }
    }

    /// Sets a change and says whether the key had none before.
    pub(super) fn set(&mut self, key: u64, edge: Option<Edge>) -> bool {
        const FEW: usize = 32;
        match self {
            Self::Few(changes) if changes.len() >= FEW => {
                let mut many: OrdMap<_, _> = changes.iter().copied().collect();
                let is_new = many.insert(key, edge).is_none();
                *self = Self::Many(many);
                is_new
            }
            Self::Few(changes) => {
                let at = changes.partition_point(|(changed, _)| *changed < key);
                let (before, rest) = changes.split_at(at);
                let after = match rest.split_first() {
                    Some(((changed, _), after)) if *changed == key => after,
                    _ => rest,
                };
                let is_new = after.len() == rest.len();
                *changes = before.iter().copied().chain([(key, edge)]).chain(after.iter().copied()).collect();
                is_new
            }
            Self::Many(changes) => changes.insert(key, edge).is_none(),
        }
    }

    /// The changes in a range of keys, in order.
    pub(super) fn range(&self, keys: Range<u64>) -> impl Iterator<Item = Change> + '_ {
        let (few, many) = match self {
            Self::Few(changes) => {
                let start = changes.partition_point(|(key, _)| *key < keys.start);
                let end = changes.partition_point(|(key, _)| *key < keys.end);
                (changes.get(start..end).unwrap_or_default(), None)
            }
            Self::Many(changes) => (&[][..], Some(changes.range(keys))),
        };
        let many = many.into_iter().flatten().map(|(key, change)| (*key, *change));
        few.iter().copied().chain(many)
    }
}
