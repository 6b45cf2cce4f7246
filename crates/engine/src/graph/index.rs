//! The relationships in one direction: from each node its edges, in order.
//!
//! An immutable base in compressed rows (one array of edges, and where each node's begin) costs 8 bytes an edge and is
//! shared by all snapshots. What was written since lies over it in persistent maps, and is folded in when it has grown
//! to a fraction of the base, so that a write costs amortised constant time.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::SharedMap;
use super::delta::Delta;
use super::marks::Marks;
use super::nodes::NodeId;
use super::symbols::Relation;

/// What is at the other end of a relationship, in 8 bytes that sort by relation, then by the subject's relation, then by
/// node. The lowest bit is no part of the order: see [`Edge::has_terms`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Edge(u64);

impl Edge {
    pub(crate) fn new(relation: Relation, subject_relation: Relation, node: NodeId) -> Self {
        Self(u64::from(relation) << 48 | u64::from(subject_relation) << 32 | u64::from(node) << 1)
    }

    pub(crate) fn with_terms(self, terms: bool) -> Self {
        Self(self.0 & !1 | u64::from(terms))
    }

    /// The same relationship from its other end, which is `node`'s.
    pub(crate) fn turned(self, node: NodeId) -> Self {
        Self::new(self.relation(), self.subject_relation(), node).with_terms(self.has_terms())
    }

    /// The relation of the relationship.
    pub(crate) fn relation(self) -> Relation {
        (self.0 >> 48) as Relation
    }

    /// The relation of its subject, if that is a userset.
    pub(crate) fn subject_relation(self) -> Relation {
        (self.0 >> 32) as Relation
    }

    /// The node at the other end.
    pub(crate) fn node(self) -> NodeId {
        (self.0 as u32) >> 1
    }

    /// Whether an end or a condition is kept for the relationship.
    pub(crate) fn has_terms(self) -> bool {
        self.0 & 1 == 1
    }

    /// The edge as a number, and back.
    pub(super) fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The edge with this key, as if it had no terms.
    pub(super) fn from_key(key: u64) -> Self {
        Self(key << 1)
    }

    /// The edge without its lowest bit.
    pub(crate) fn key(self) -> u64 {
        self.0 >> 1
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    base: Arc<Rows>,
    /// What is being folded into the next base.
    folding: Overlay,
    /// What was written since that began. What it has of a node stands before what `folding` has of it.
    recent: Overlay,
}

/// What was written about nodes since the base was made.
#[derive(Clone, Debug, Default)]
struct Overlay {
    deltas: SharedMap<NodeId, Delta>,
    /// How many edges that are.
    changes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Where the row of each node begins, and at the end where the last one ends.
    pub(super) starts: Vec<u32>,
    pub(super) edges: Vec<Edge>,
    /// The nodes about which an overlay may say something.
    touched: Marks,
}

impl Rows {
    /// Rows that nothing lies over.
    pub(super) fn new(starts: Vec<u32>, edges: Vec<Edge>) -> Self {
        let touched = Marks::none(starts.len().saturating_sub(1));
        Self { starts, edges, touched }
    }

    pub(super) fn row(&self, node: NodeId) -> &[Edge] {
        let node = node as usize;
        let bounds = self.starts.get(node).zip(self.starts.get(node + 1));
        bounds.and_then(|(start, end)| self.edges.get(*start as usize..*end as usize)).unwrap_or_default()
    }
}

impl Index {
    /// An index that is nothing but a base.
    pub(super) fn of(base: Rows) -> Self {
        Self { base: Arc::new(base), ..Self::default() }
    }

    /// The edge from `node` that equals this one but for its terms.
    pub(crate) fn find(&self, node: NodeId, edge: Edge) -> Option<Edge> {
        if let Some(change) = self.delta(node).and_then(|delta| delta.get(edge.key())) {
            return change;
        }
        find_in(self.base.row(node), edge)
    }

    /// The edges of `node` from `low` to just before `high`, in order.
    pub(crate) fn between(&self, node: NodeId, low: Edge, high: Edge) -> impl Iterator<Item = Edge> {
        let row = self.base.row(node);
        let start = row.partition_point(|edge| edge.key() < low.key());
        let end = row.partition_point(|edge| edge.key() < high.key());
        merged(row.get(start..end).unwrap_or_default(), self.delta(node), low.key()..high.key())
    }

    /// The edges of `node` under one relation that have one subject's relation, in order.
    pub(crate) fn group(
        &self,
        node: NodeId,
        relation: Relation,
        subject_relation: Relation,
    ) -> impl Iterator<Item = Edge> {
        let low = Edge::new(relation, subject_relation, 0).key();
        let keys = low..low + (1 << 31);
        let row = self.base.row(node);
        let start = row.partition_point(|edge| edge.key() < keys.start);
        let end = row.partition_point(|edge| edge.key() < keys.end);
        merged(row.get(start..end).unwrap_or_default(), self.delta(node), keys)
    }

    /// Every edge of `node`, in order.
    pub(crate) fn row(&self, node: NodeId) -> impl Iterator<Item = Edge> {
        merged(self.base.row(node), self.delta(node), 0..u64::MAX)
    }

    /// Every edge of `node` in order, if they are so few that looking through them beats looking them up elsewhere.
    pub(crate) fn short_row(&self, node: NodeId) -> Option<Cow<'_, [Edge]>> {
        const SHORT: usize = 64;
        let row = self.base.row(node);
        if row.len() > SHORT {
            return None;
        }
        if self.delta(node).is_none() {
            return Some(Cow::Borrowed(row));
        }
        let row: Vec<_> = self.row(node).take(SHORT + 1).collect();
        (row.len() <= SHORT).then_some(Cow::Owned(row))
    }

    fn delta(&self, node: NodeId) -> Option<&Delta> {
        let overlays_are_empty = self.recent.deltas.is_empty() && self.folding.deltas.is_empty();
        if overlays_are_empty || !self.base.touched.has(node) {
            return None;
        }
        self.recent.deltas.get(&node).or_else(|| self.folding.deltas.get(&node))
    }

    /// Adds the edge, or replaces the one that differs only in its terms.
    pub(crate) fn insert(&mut self, node: NodeId, edge: Edge) {
        self.change(node, edge.key(), Some(edge));
    }

    pub(crate) fn remove(&mut self, node: NodeId, edge: Edge) {
        self.change(node, edge.key(), None);
    }

    fn change(&mut self, node: NodeId, key: u64, edge: Option<Edge>) {
        self.base.touched.set(node);
        let Overlay { deltas, changes } = &mut self.recent;
        let begun = || self.folding.deltas.get(&node).cloned().unwrap_or_default();
        let is_new = deltas.entry(node).or_insert_with(begun).set(key, edge);
        *changes += usize::from(is_new);
    }

    /// How many edges the base has, and how many changes there are over it.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.base.edges.len(), self.folding.changes + self.recent.changes)
    }

    /// Sets aside what is recent, to be folded in elsewhere.
    pub(super) fn begin_fold(&mut self) {
        self.folding = std::mem::take(&mut self.recent);
    }

    /// The base with everything that is over it.
    pub(super) fn folded(&self) -> Arc<Rows> {
        let overlays = [&self.folding, &self.recent];
        let mut changed: Vec<_> =
            overlays.iter().flat_map(|overlay| overlay.deltas.keys().copied()).collect();
        if changed.is_empty() {
            return Arc::clone(&self.base);
        }
        changed.sort_unstable();
        changed.dedup();
        // Exactly as much room as is needed: this is most of a graph's memory.
        let (mut before, mut after) = (0, 0);
        for node in &changed {
            before += self.base.row(*node).len();
            after += self.row(*node).count();
        }
        let last = changed.last().map_or(0, |node| *node as usize + 1);
        let nodes = last.max(self.base.starts.len().saturating_sub(1));
        let mut edges = Vec::with_capacity(self.base.edges.len() - before + after);
        let mut starts = Vec::with_capacity(nodes + 1);
        let mut changed = changed.into_iter().peekable();
        let position = |edges: &Vec<Edge>| u32::try_from(edges.len()).unwrap_or(u32::MAX);
        for node in (0..nodes).filter_map(|node| NodeId::try_from(node).ok()) {
            starts.push(position(&edges));
            match changed.next_if_eq(&node) {
                Some(node) => edges.extend(self.row(node)),
                None => edges.extend_from_slice(self.base.row(node)),
            }
        }
        starts.push(position(&edges));
        Arc::new(Rows::new(starts, edges))
    }

    /// Takes a base into which what was set aside is folded.
    pub(super) fn adopt(&mut self, base: Arc<Rows>) {
        self.base = base;
        self.folding = Overlay::default();
        self.recent.deltas.keys().for_each(|node| self.base.touched.set(*node));
    }

    /// Folds everything into the base.
    pub(super) fn fold(&mut self) {
        let base = self.folded();
        self.recent = Overlay::default();
        self.adopt(base);
    }
}

/// The edge of a row that equals this one but for its terms.
fn find_in(row: &[Edge], edge: Edge) -> Option<Edge> {
    let at = row.binary_search_by_key(&edge.key(), |edge| edge.key()).ok()?;
    row.get(at).copied()
}

/// The edges of a row in order, with the changes in a range of keys.
fn merged<'a>(
    row: &'a [Edge],
    delta: Option<&'a Delta>,
    keys: Range<u64>,
) -> impl Iterator<Item = Edge> + 'a {
    let mut row = row.iter().copied().peekable();
    let mut changes = delta.into_iter().flat_map(move |delta| delta.range(keys.clone())).peekable();
    std::iter::from_fn(move || {
        loop {
            match (row.peek(), changes.peek()) {
                (Some(edge), Some((key, _))) if edge.key() < *key => return row.next(),
                (_, Some((key, _))) => {
                    row.next_if(|edge| edge.key() == *key);
                    if let Some((_, Some(edge))) = changes.next() {
                        return Some(edge);
                    }
                }
                (_, None) => return row.next(),
            }
        }
    })
}
