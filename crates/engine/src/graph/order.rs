//! The named nodes of a base, by type and in order of their ids.
//!
//! Sorting millions of ids that are scattered over a text takes seconds, so it is done once: the order is kept with its
//! base, goes into the next one with what is new, and into snapshots.

use std::cmp::Ordering;

use super::names::Names;
use super::nodes::NodeId;
use super::symbols::Kind;

#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    by_kind: Vec<Vec<NodeId>>,
}

impl Order {
    /// Sorts the names of a base.
    pub(super) fn new(names: &Names) -> Self {
        let mut order = Self::of(names, names.named());
        for nodes in &mut order.by_kind {
            sort(names, nodes);
        }
        order
    }

    /// The order that a list is in, if it is one: every node in it has a name.
    pub(super) fn from_list(names: &Names, list: Vec<NodeId>) -> Option<Self> {
        let all_named = list.iter().all(|node| names.id(*node).is_some());
        all_named.then(|| Self::of(names, list.into_iter()))
    }

    fn of(names: &Names, nodes: impl Iterator<Item = NodeId>) -> Self {
        let mut counts: Vec<usize> = Vec::new();
        for kind in names.kinds() {
            let at = usize::from(*kind);
            if counts.len() <= at {
                counts.resize(at + 1, 0);
            }
            if let Some(count) = counts.get_mut(at) {
                *count += 1;
            }
        }
        let mut by_kind: Vec<_> = counts.into_iter().map(Vec::with_capacity).collect();
        for node in nodes {
            let row = names.kind(node).and_then(|kind| by_kind.get_mut(usize::from(kind)));
            row.into_iter().for_each(|row| row.push(node));
        }
        Self { by_kind }
    }

    /// The nodes of a type.
    pub(super) fn of_kind(&self, kind: Kind) -> &[NodeId] {
        self.by_kind.get(usize::from(kind)).map(Vec::as_slice).unwrap_or_default()
    }

    /// All nodes, type by type.
    pub(super) fn iter(&self) -> impl Iterator<Item = NodeId> {
        self.by_kind.iter().flatten().copied()
    }

    /// This order with what is new in `names`, and without what has no name any more.
    pub(super) fn with(&self, names: &Names, fresh: Vec<NodeId>, is_named: impl Fn(NodeId) -> bool) -> Self {
        let mut fresh = Self::of(names, fresh.into_iter()).by_kind;
        let kinds = fresh.len().max(self.by_kind.len());
        fresh.resize_with(kinds, Vec::new);
        let by_kind = (0..).zip(fresh).map(|(kind, mut fresh)| {
            sort(names, &mut fresh);
            // What was swept away has no id to compare by.
            let old: Vec<_> = self.of_kind(kind).iter().copied().filter(|node| is_named(*node)).collect();
            let mut old = old.as_slice();
            let mut all = Vec::with_capacity(old.len() + fresh.len());
            for node in fresh {
                let (before, after) = old.split_at(gallop(old, |other| names.id(*other) < names.id(node)));
                all.extend_from_slice(before);
                all.push(node);
                old = after;
            }
            all.extend_from_slice(old);
            all
        });
        Self { by_kind: by_kind.collect() }
    }
}

/// As [`slice::partition_point`], in less time the nearer it is.
fn gallop<T>(list: &[T], is_before: impl Fn(&T) -> bool) -> usize {
    let mut end = 1;
    while list.get(end - 1).is_some_and(&is_before) {
        end *= 2;
    }
    let (start, end) = (end / 2, end.min(list.len()));
    start + list.get(start..end).unwrap_or_default().partition_point(is_before)
}

/// Sorts nodes by id. Ids of one type tend to begin alike, and to differ soon after that: the first bytes in which they
/// do are copied side by side, and most comparisons need no more.
fn sort(names: &Names, nodes: &mut [NodeId]) {
    let bytes = |node: NodeId| names.id(node).unwrap_or_default().as_bytes();
    let Some(first) = nodes.first().map(|node| bytes(*node)) else { return };
    let shared = nodes.iter().fold(first.len(), |shared, node| {
        let alike = first.iter().zip(bytes(*node)).take(shared).take_while(|(a, b)| a == b);
        alike.count()
    });
    let mut keyed: Vec<_> = nodes
        .iter()
        .map(|node| {
            let mut key = [0; 8];
            let rest = bytes(*node).get(shared..).unwrap_or_default();
            key.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            (u64::from_be_bytes(key), *node)
        })
        .collect();
    keyed.sort_unstable_by(|(a, x), (b, y)| match a.cmp(b) {
        // A short id and one that goes on with zero bytes have the same key, too.
        Ordering::Equal => bytes(*x).cmp(bytes(*y)),
        other => other,
    });
    nodes.iter_mut().zip(keyed).for_each(|(to, (_, node))| *to = node);
}
