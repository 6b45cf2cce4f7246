//! Which shapes of relationships are stored, and how many of each.

use std::sync::Arc;

use super::Graph;
use super::index::Edge;
use super::nodes::{MAX_NODES, NodeId};
use super::symbols::{Kind, NO_RELATION, Relation};
use crate::name::{RelationName, TypeName};
use crate::relationship::{Condition, Relationship};
use crate::schema::SubjectForm;

/// A shape by number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ShapeId {
    pub(super) kind: Kind,
    pub(super) relation: Relation,
    pub(super) subject_kind: Kind,
    pub(super) subject_relation: Relation,
    pub(super) is_wildcard: bool,
    pub(super) condition: Option<Arc<str>>,
}

/// What relationships have in common that a schema admits or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredShape {
    /// The type of their resources.
    pub resource_type: TypeName,
    /// Their relation.
    pub relation: RelationName,
    /// The form of their subjects.
    pub subject: SubjectForm,
    /// The name of their condition.
    pub condition: Option<Arc<str>>,
    /// How many of them are stored. Those of objects that are gone count until they are swept away, so that there may be
    /// fewer, but never more.
    pub count: u64,
}

impl Graph {
    /// The shapes of everything that is stored.
    pub fn shapes(&self) -> impl Iterator<Item = StoredShape> {
        self.shapes.iter().filter_map(|(shape, count)| self.shown_shape(shape, *count))
    }

    /// Up to `limit` relationships of a shape, expired ones included, in order of their resources. Looks through the
    /// resources of that type until it has them.
    #[must_use]
    pub fn of_shape(&self, shape: &StoredShape, limit: usize) -> Vec<Relationship> {
        let Some(wanted) = self.shape_id(shape) else { return Vec::new() };
        let (low, high) = (
            Edge::new(wanted.relation, wanted.subject_relation, 0),
            Edge::new(wanted.relation, wanted.subject_relation, MAX_NODES as NodeId),
        );
        let rows = self.nodes.in_order(wanted.kind, "").flat_map(|resource| {
            let edges = self.forward.between(resource, low, high);
            edges.filter(move |edge| self.are_alive(resource, *edge)).map(move |edge| (resource, edge))
        });
        let of_shape = rows.filter(|(resource, edge)| {
            let terms = self.terms(*resource, *edge);
            let condition = terms.and_then(|terms| terms.condition.as_deref());
            self.shape_of(*resource, *edge, condition).as_ref() == Some(&wanted)
        });
        of_shape.filter_map(|(resource, edge)| self.shown(resource, edge)).take(limit).collect()
    }

    /// Counts an edge that comes, or one that goes.
    pub(super) fn count_shape(
        &mut self,
        resource: NodeId,
        edge: Edge,
        condition: Option<&Condition>,
        comes: bool,
    ) {
        let Some(shape) = self.shape_of(resource, edge, condition) else { return };
        match self.shapes.get_mut(&shape) {
            Some(count) if comes => *count += 1,
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => drop(self.shapes.remove(&shape)),
            None => drop(comes.then(|| self.shapes.insert(shape, 1))),
        }
    }

    /// Whether a node stands for every object of its type.
    pub(super) fn is_wildcard(&self, node: NodeId) -> bool {
        self.nodes.kind(node).is_some_and(|kind| self.symbols.wildcard(kind) == Some(node))
    }

    fn shape_of(&self, resource: NodeId, edge: Edge, condition: Option<&Condition>) -> Option<ShapeId> {
        let subject = edge.node();
        let subject_kind = self.nodes.kind(subject)?;
        Some(ShapeId {
            kind: self.nodes.kind(resource)?,
            relation: edge.relation(),
            subject_kind,
            subject_relation: edge.subject_relation(),
            is_wildcard: self.is_wildcard(subject),
            condition: condition.map(|condition| condition.name.as_str().into()),
        })
    }

    fn shown_shape(&self, shape: &ShapeId, count: u64) -> Option<StoredShape> {
        let kind = self.symbols.kind_name(shape.subject_kind)?.clone();
        Some(StoredShape {
            resource_type: self.symbols.kind_name(shape.kind)?.clone(),
            relation: self.symbols.relation_name(shape.relation)?.clone(),
            subject: if shape.is_wildcard {
                SubjectForm::Wildcard(kind)
            } else if shape.subject_relation == NO_RELATION {
                SubjectForm::Object(kind)
            } else {
                SubjectForm::Userset(kind, self.symbols.relation_name(shape.subject_relation)?.clone())
            },
            condition: shape.condition.clone(),
            count,
        })
    }

    fn shape_id(&self, shape: &StoredShape) -> Option<ShapeId> {
        let kind = |name: &TypeName| self.symbols.kind(name.as_str());
        let (subject_kind, subject_relation, is_wildcard) = match &shape.subject {
            SubjectForm::Object(name) => (kind(name)?, NO_RELATION, false),
            SubjectForm::Userset(name, relation) => {
                (kind(name)?, self.symbols.relation(relation.as_str())?, false)
            }
            SubjectForm::Wildcard(name) => (kind(name)?, NO_RELATION, true),
        };
        Some(ShapeId {
            kind: kind(&shape.resource_type)?,
            relation: self.symbols.relation(shape.relation.as_str())?,
            subject_kind,
            subject_relation,
            is_wildcard,
            condition: shape.condition.clone(),
        })
    }
}
