//! Which nodes of an immutable base something was written about since.
//!
//! A mark says "look in the overlay". Most nodes have none, and so most look-ups never touch an overlay, whatever was
//! written elsewhere. Everything that shares the base shares its marks: they are only ever added, and one that another
//! fork has set costs a look-up and changes no answer.

use std::sync::atomic::{AtomicU64, Ordering};

use super::nodes::NodeId;

#[derive(Debug, Default)]
pub(super) struct Marks(Vec<AtomicU64>);

impl Marks {
    /// None of so many nodes is marked.
    pub(super) fn none(nodes: usize) -> Self {
        let mut words = Vec::new();
        words.resize_with(nodes.div_ceil(64), AtomicU64::default);
        Self(words)
    }

    /// Marks a node. Who gets the changed snapshot from here, by whatever way, sees the mark with it.
    pub(super) fn set(&self, node: NodeId) {
        if let Some(word) = self.0.get(node as usize / 64) {
            word.fetch_or(1 << (node % 64), Ordering::Relaxed);
        }
    }

    /// Whether a node is marked; those that are not of the base count as marked.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.0.get(node as usize / 64).is_none_or(|word| word.load(Ordering::Relaxed) >> (node % 64) & 1 == 1)
    }
}
