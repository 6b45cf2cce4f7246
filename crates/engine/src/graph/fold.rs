//! Folding what was written lately into the compact form.
//!
//! For a large graph that takes long, and neither readers nor the writer shall wait. So the overlay is set aside, which
//! costs nothing; a snapshot of that moment is folded elsewhere, while reads find all three parts; and the writer then
//! takes the new base and forgets what was set aside. What was written meanwhile lies over either.

use std::sync::Arc;

use super::Graph;
use super::index::Rows;
use super::nodes::FoldedNodes;

/// A graph with so many nodes and edges is folded in about a millisecond for each ten thousand, and so in place.
const SMALL: usize = 100_000;

/// Names one fold: a result is adopted only where it was begun.
#[derive(Clone, Debug)]
pub(super) struct Folding(Arc<()>);

/// A fold that was begun by [`Graph::begin_fold`].
#[derive(Clone, Debug)]
pub struct Fold {
    graph: Graph,
    folding: Folding,
}

/// What came of a [`Fold`], for [`Graph::adopt`].
#[derive(Debug)]
pub struct Folded {
    folding: Folding,
    nodes: FoldedNodes,
    forward: Arc<Rows>,
    reverse: Arc<Rows>,
}

impl Fold {
    /// Folds. For a large graph this takes seconds, and memory for a second copy of its compact form.
    #[must_use]
    pub fn run(self) -> Folded {
        let Self { graph, folding } = self;
        let nodes = graph.nodes.folded();
        nodes.sort();
        Folded { nodes, forward: graph.forward.folded(), reverse: graph.reverse.folded(), folding }
    }
}

impl Graph {
    /// Whether so much was written lately that it should be folded in. A small graph sees to it itself; for a large one
    /// [`Graph::begin_fold`], [`Fold::run`] on another thread, and [`Graph::adopt`] keep everybody from waiting. If nobody
    /// does, one write in very many folds in place.
    #[must_use]
    pub fn needs_fold(&self) -> bool {
        self.folding.is_none() && self.overlay_exceeds(16)
    }

    /// Whether a fold was begun whose result is still to be adopted.
    #[must_use]
    pub fn is_folding(&self) -> bool {
        self.folding.is_some()
    }

    /// Sets aside what was written lately and gives the fold to be run. Costs O(1), and no answer changes. A fold that was
    /// begun before can no longer be adopted.
    pub fn begin_fold(&mut self) -> Fold {
        if self.folding.is_some() {
            self.fold();
        }
        let folding = Folding(Arc::default());
        self.nodes.begin_fold();
        self.forward.begin_fold();
        self.reverse.begin_fold();
        self.folding = Some(folding.clone());
        Fold { graph: self.clone(), folding }
    }

    /// Takes the result of the fold that was begun on this graph, or on one that it is a later state of. Costs as much as
    /// was written since, and no answer changes. False if it is the result of another fold: then it is of no use.
    pub fn adopt(&mut self, folded: Folded) -> bool {
        if !self.folding.as_ref().is_some_and(|mine| Arc::ptr_eq(&mine.0, &folded.folding.0)) {
            return false;
        }
        self.nodes.adopt(folded.nodes);
        self.forward.adopt(folded.forward);
        self.reverse.adopt(folded.reverse);
        self.folding = None;
        true
    }

    /// Folds what was written lately into the compact form, here and now. This happens by itself; it pays to ask for it
    /// after loading many relationships. No answer changes.
    pub fn fold(&mut self) {
        self.fold_in_place();
        self.sort();
    }

    /// Brings the names in order now, so that the first reader of a page does not have to. It may take seconds, once.
    pub fn sort(&self) {
        self.nodes.base().order();
    }

    fn fold_in_place(&mut self) {
        self.nodes.fold();
        self.forward.fold();
        self.reverse.fold();
        self.folding = None;
    }

    /// Folds in place where that is quick, or where nobody did it elsewhere in time.
    pub(super) fn keep_overlay_small(&mut self) {
        let small = self.base_size() < SMALL && self.overlay_exceeds(16);
        if small || self.overlay_exceeds(8) {
            self.fold_in_place();
        }
    }

    /// How many nodes and edges the compact form holds.
    fn base_size(&self) -> usize {
        self.nodes.sizes().0 + self.forward.sizes().0
    }

    /// Whether the overlay has grown to this fraction of the base: small enough to be looked up quickly, and large enough
    /// that copying the base costs each write a constant.
    fn overlay_exceeds(&self, fraction: usize) -> bool {
        const SMALLEST: usize = 4096;
        let overlay = self.nodes.sizes().1 + self.forward.sizes().1;
        overlay > SMALLEST.max(self.base_size() / fraction)
    }
}
