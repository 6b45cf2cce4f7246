//! What a subject is a member of, found from its own side.
//!
//! A resource may name a hundred groups, and a group a million members; but most subjects are in few groups. So these are
//! looked up once for a question, and each resource on the way is only asked for them.

use smallvec::SmallVec;

use super::asked::{Asked, Holds};
use crate::graph::{Edge, Kind, NO_RELATION, NodeId, Relation, Shape};

/// More groups than this are not looked up: then asking from the resource's side is no worse.
const MOST: usize = 128;

/// The usersets that a subject is in, as far as these are memberships in the sense of the plan.
#[derive(Default)]
pub(crate) struct Memberships {
    pub(super) held: SmallVec<[Held; 8]>,
    /// A condition on the way depends on what nobody has said.
    pub(super) unclear: bool,
}

/// A userset that the subject is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(super) node: NodeId,
    pub(super) kind: Kind,
    pub(super) relation: Relation,
}

impl Memberships {
    /// None if there are too many.
    pub(super) fn of(asked: &Asked<'_>) -> Option<Self> {
        let mut found = Self::default();
        let target = asked.target;
        match target.shape {
            Shape::Object => {
                if let Some(node) = target.node {
                    found.above(asked, node, target.kind, Shape::Object)?;
                }
                if let Some(everyone) = asked.graph.symbols().wildcard(target.kind) {
                    found.above(asked, everyone, target.kind, Shape::Wildcard)?;
                }
            }
            Shape::Wildcard => {
                if let Some(everyone) = target.node {
                    found.above(asked, everyone, target.kind, Shape::Wildcard)?;
                }
            }
            Shape::Userset(relation) => {
                if let Some(node) = target.node {
                    found.add(asked, Held { node, kind: target.kind, relation })?;
                }
            }
        }
        let mut at = 0;
        while let Some(held) = found.held.get(at).copied() {
            found.above(asked, held.node, held.kind, Shape::Userset(held.relation))?;
            at += 1;
        }
        Some(found)
    }

    /// Adds what takes a subject directly.
    fn above(&mut self, asked: &Asked<'_>, node: NodeId, kind: Kind, shape: Shape) -> Option<()> {
        let (graph, relations) = (asked.graph, asked.graph.plan().membership_relations());
        if relations.is_empty() {
            return Some(());
        }
        let subject_relation = shape.relation();
        if let Some(row) = graph.reverse().short_row(node) {
            for edge in row.iter().filter(|edge| edge.subject_relation() == subject_relation) {
                if relations.contains(&edge.relation()) {
                    self.follow(asked, node, kind, shape, *edge)?;
                }
            }
            return Some(());
        }
        for relation in relations {
            for edge in graph.reverse().group(node, *relation, subject_relation) {
                self.follow(asked, node, kind, shape, edge)?;
            }
        }
        Some(())
    }

    /// Adds what one relationship, seen from its subject, makes the subject a member of.
    fn follow(
        &mut self,
        asked: &Asked<'_>,
        subject: NodeId,
        kind: Kind,
        shape: Shape,
        edge: Edge,
    ) -> Option<()> {
        let graph = asked.graph;
        let (node, relation) = (edge.node(), edge.relation());
        let Some(of) = graph.nodes().kind(node) else { return Some(()) };
        let Some(plan) = graph.plan().relation(of, relation).filter(|plan| plan.feeds_memberships) else {
            return Some(());
        };
        let Some(form) = plan.rule.form(kind, shape) else { return Some(()) };
        if !graph.nodes().is_alive(node) {
            return Some(());
        }
        match asked.holds(node, edge.turned(subject), form) {
            Holds::Yes => self.add(asked, Held { node, kind: of, relation }),
            Holds::No => Some(()),
            Holds::Maybe(_) => {
                self.unclear = true;
                Some(())
            }
        }
    }

    /// Adds a userset, and those of the same object that take everyone from it.
    fn add(&mut self, asked: &Asked<'_>, held: Held) -> Option<()> {
        if self.held.contains(&held) {
            return Some(());
        }
        if self.held.len() == MOST {
            return None;
        }
        self.held.push(held);
        let plan = asked.graph.plan().relation(held.kind, held.relation);
        for relation in plan.map_or(&[][..], |plan| &plan.included_in) {
            let including = asked.graph.plan().relation(held.kind, *relation);
            if including.is_some_and(|plan| plan.feeds_memberships) {
                self.add(asked, Held { relation: *relation, ..held })?;
            }
        }
        Some(())
    }
}

const _: () = assert!(NO_RELATION == Relation::MAX, "objects and wildcards share one subject relation");
