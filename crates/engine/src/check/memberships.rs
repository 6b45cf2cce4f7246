//! What a subject is a member of, found from its own side.
//!
//! A resource may name a hundred groups, and a group a million members; but most subjects are in few groups. So these are
//! looked up once for a question, and each resource on the way is only asked for them.

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use smallvec::SmallVec;

use super::asked::{Asked, Holds};
use crate::graph::{Edge, Kind, NodeId, Relation, Shape};

/// More groups than this are not looked up at first: then asking from the resource's side is no worse.
pub(super) const FEW: usize = 128;

/// The most that are ever looked up.
pub(super) const MANY: usize = 50_000;

/// Above this many they are looked up by hash.
const LISTED: usize = 16;

/// The usersets that a subject is in, as far as these are memberships in the sense of the plan.
#[derive(Default)]
pub(crate) struct Memberships {
    /// In order of their levels.
    pub(super) held: SmallVec<[Held; 4]>,
    /// The same, once there are many.
    known: Option<Box<HashSet<(NodeId, Relation), RandomState>>>,
    /// A condition on the way depends on what nobody has said.
    pub(super) unclear: bool,
    /// The most that are looked up.
    most: usize,
}

/// A userset that the subject is in.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(super) node: NodeId,
    pub(super) kind: Kind,
    pub(super) relation: Relation,
    /// How many usersets and computed relations lie between it and the subject.
    pub(super) level: u32,
}

impl Memberships {
    /// None if there are more than `most`.
    pub(super) fn of(asked: &Asked<'_>, most: usize) -> Option<Self> {
        let mut found = Self { most, ..Self::default() };
        let target = asked.target;
        match target.shape {
            Shape::Object => {
                if let Some(node) = target.node {
                    found.above(asked, node, target.kind, Shape::Object, 0)?;
                }
                if let Some(everyone) = asked.graph.symbols().wildcard(target.kind) {
                    found.above(asked, everyone, target.kind, Shape::Wildcard, 0)?;
                }
            }
            Shape::Wildcard => {
                if let Some(everyone) = target.node {
                    found.above(asked, everyone, target.kind, Shape::Wildcard, 0)?;
                }
            }
            Shape::Userset(relation) => {
                if let Some(node) = target.node {
                    found.add(Held { node, kind: target.kind, relation, level: 0 })?;
                }
            }
        }
        let mut at = 0;
        while let Some(held) = found.held.get(at).copied() {
            found.included(asked, held)?;
            let plan = asked.graph.plan().relation(held.kind, held.relation);
            if plan.is_some_and(|plan| plan.is_nested) {
                found.above(asked, held.node, held.kind, Shape::Userset(held.relation), held.level + 1)?;
            }
            at += 1;
        }
        Some(found)
    }

    /// Adds what takes a subject directly.
    fn above(&mut self, asked: &Asked<'_>, node: NodeId, kind: Kind, shape: Shape, level: u32) -> Option<()> {
        let (graph, relations) = (asked.graph, asked.graph.plan().membership_relations());
        if relations.is_empty() {
            return Some(());
        }
        let subject_relation = shape.relation();
        if let Some(row) = graph.reverse().short_row(node) {
            for edge in row.iter().filter(|edge| edge.subject_relation() == subject_relation) {
                if relations.contains(&edge.relation()) {
                    self.follow(asked, (node, kind, shape), *edge, level)?;
                }
            }
            return Some(());
        }
        for relation in relations {
            for edge in graph.reverse().group(node, *relation, subject_relation) {
                self.follow(asked, (node, kind, shape), edge, level)?;
            }
        }
        Some(())
    }

    /// Adds what one relationship, seen from its subject, makes the subject a member of.
    fn follow(
        &mut self,
        asked: &Asked<'_>,
        (subject, kind, shape): (NodeId, Kind, Shape),
        edge: Edge,
        level: u32,
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
            Holds::Yes => self.add(Held { node, kind: of, relation, level }),
            Holds::No => Some(()),
            Holds::Maybe(_) => {
                self.unclear = true;
                Some(())
            }
        }
    }

    /// Adds the relations of the same object that take everyone from this one.
    fn included(&mut self, asked: &Asked<'_>, held: Held) -> Option<()> {
        let plan = asked.graph.plan().relation(held.kind, held.relation);
        for relation in plan.map_or(&[][..], |plan| &plan.included_in) {
            let including = asked.graph.plan().relation(held.kind, *relation);
            if including.is_some_and(|plan| plan.feeds_memberships) {
                self.add(Held { relation: *relation, level: held.level + 1, ..held })?;
            }
        }
        Some(())
    }

    fn add(&mut self, held: Held) -> Option<()> {
        let is_new = if self.held.len() <= LISTED {
            !self.held.iter().any(|known| known.node == held.node && known.relation == held.relation)
        } else {
            let held_so_far = || Box::new(self.held.iter().map(|held| (held.node, held.relation)).collect());
            self.known.get_or_insert_with(held_so_far).insert((held.node, held.relation))
        };
        if is_new && self.held.len() == self.most {
            return None;
        }
        if is_new {
            self.held.push(held);
        }
        Some(())
    }
}
