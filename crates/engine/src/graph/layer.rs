//! Names that were written since the base was made.

use std::sync::Arc;

use imbl::{OrdMap, Vector};

use super::SharedMap;
use super::nodes::NodeId;
use super::symbols::Kind;

/// New nodes behind those of a base, or behind those of another layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    nodes: Vector<New>,
    /// Open addressing by name hash: a taken key is followed by the next one.
    index: SharedMap<u64, Slot>,
    /// The newest node of each name.
    order: OrdMap<(Kind, Arc<str>), NodeId>,
}

#[derive(Clone, Debug)]
pub(super) struct New {
    pub(super) kind: Kind,
    /// None for a wildcard.
    pub(super) id: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Node(NodeId),
    Free,
}

impl Layer {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(super) fn get(&self, at: usize) -> Option<&New> {
        self.nodes.get(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &New> {
        self.nodes.iter()
    }

    /// Adds a node that has this number, with the hash of its name.
    pub(super) fn push(&mut self, number: NodeId, hash: u64, node: New) {
        if let Some(id) = &node.id {
            let mut key = hash;
            while matches!(self.index.get(&key), Some(Slot::Node(_))) {
                key = key.wrapping_add(1);
            }
            self.index.insert(key, Slot::Node(number));
            self.order.insert((node.kind, Arc::clone(id)), number);
        }
        self.nodes.push_back(node);
    }

    /// The node that a name leads to, if it is the right one.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        self.locate(hash, is_it).map(|(_, node)| node)
    }

    /// Takes the name off its node, so that a name which comes and goes does not make look-ups long.
    pub(super) fn free(&mut self, hash: u64, is_it: impl Fn(NodeId) -> bool) {
        if let Some((key, _)) = self.locate(hash, is_it) {
            self.index.insert(key, Slot::Free);
        }
    }

    fn locate(&self, hash: u64, is_it: impl Fn(NodeId) -> bool) -> Option<(u64, NodeId)> {
        if self.is_empty() {
            return None;
        }
        let mut key = hash;
        loop {
            match self.index.get(&key)? {
                Slot::Node(node) if is_it(*node) => return Some((key, *node)),
                Slot::Node(_) | Slot::Free => key = key.wrapping_add(1),
            }
        }
    }

    /// The newest nodes of the names of a type, in order of their ids, from the first one at or after `from`.
    pub(super) fn in_order(&self, kind: Kind, from: &str) -> impl Iterator<Item = NodeId> + use<'_> {
        let from = (kind, Arc::from(from));
        self.order.range(from..).take_while(move |((other, _), _)| *other == kind).map(|(_, node)| *node)
    }
}
