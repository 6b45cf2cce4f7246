//! Objects that are gone, and what they leave behind.

use super::Graph;
use super::index::Edge;
use super::nodes::NodeId;
use crate::object::ObjectRef;

impl Graph {
    /// Gives an object a new incarnation, in O(1): every relationship that names the old one, as resource, as subject
    /// or in a userset, is gone from every answer at once. Says whether any relationship ever named it.
    pub fn retire(&mut self, object: ObjectRef<'_>) -> bool {
        let retired = self.symbols.kind(object.kind).and_then(|kind| self.nodes.retire(kind, object.id));
        if let Some(node) = retired {
            self.debris.push_back(node);
        }
        retired.is_some()
    }

    /// Removes up to `budget` relationships of retired objects for good and says how many. No answer changes.
    pub fn sweep(&mut self, budget: usize) -> usize {
        let mut removed = 0;
        while let Some(node) = self.debris.front().copied() {
            let edges: Vec<_> = self.dead_edges(node).take(budget - removed).collect();
            removed += edges.len();
            for (resource, edge) in edges {
                self.remove(resource, edge);
            }
            self.keep_overlay_small();
            if removed == budget {
                break;
            }
            self.debris.pop_front();
            self.nodes.swept(node);
        }
        removed
    }

    /// How many relationships there are, expired ones included. Costs as much as there is left to sweep.
    #[must_use]
    pub fn len(&self) -> u64 {
        let dead: u64 = self.debris.iter().map(|node| self.counted_at(*node)).sum();
        self.stored.saturating_sub(dead)
    }

    /// Whether there is no relationship.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dead relationships that are counted at this node: one between two retired nodes counts at its resource.
    fn counted_at(&self, node: NodeId) -> u64 {
        let as_resource = self.forward.row(node).count();
        let as_subject = self.reverse.row(node).filter(|edge| self.nodes.is_alive(edge.node())).count();
        (as_resource + as_subject) as u64
    }

    /// Every relationship of a retired node, as resource and forward edge. One of the node with itself comes once.
    fn dead_edges(&self, node: NodeId) -> impl Iterator<Item = (NodeId, Edge)> {
        let as_resource = self.forward.row(node).map(move |edge| (node, edge));
        let as_subject = self.reverse.row(node).map(move |edge| (edge.node(), edge.turned(node)));
        as_resource.chain(as_subject.filter(move |(resource, _)| *resource != node))
    }
}
