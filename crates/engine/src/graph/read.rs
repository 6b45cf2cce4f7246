//! Relationships in key order, by page and all of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::index::Edge;
use super::nodes::NodeId;
use super::shapes::ShapeId;
use super::symbols::{Kind, NO_RELATION, Relation};
use super::{Graph, SubjectId};
use crate::Micros;
use crate::name::{RelationName, TypeName};
use crate::object::{Object, ObjectRef};
use crate::relationship::{Condition, Key, Relationship};
use crate::subject::{Subject, SubjectRef};

/// Which relationships to read: all parts that are given must match.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Only on this resource.
    pub resource: Option<Object>,
    /// Only this relation.
    pub relation: Option<RelationName>,
    /// Only with exactly this subject.
    pub subject: Option<Subject>,
    /// Only on resources of this type.
    pub resource_type: Option<TypeName>,
    /// Only with subjects of this type; for a userset that of its object.
    pub subject_type: Option<TypeName>,
}

/// A relationship as it stands in the graph: nothing is copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelationshipRef<'a> {
    /// What access is given to.
    pub resource: ObjectRef<'a>,
    /// As what.
    pub relation: &'a str,
    /// To whom.
    pub subject: SubjectRef<'a>,
    /// See [`Relationship::until`].
    pub until: Option<Micros>,
    /// See [`Relationship::condition`].
    pub condition: Option<&'a Condition>,
}

/// One relationship by number.
type Row = (NodeId, Edge);

impl Graph {
    /// Up to `limit` relationships that match, in key order, from the first one after `after`.
    #[must_use]
    pub fn read(&self, filter: &Filter, after: Option<&Key>, limit: usize) -> Vec<Relationship> {
        let Some(wanted) = Wanted::new(self, filter) else { return Vec::new() };
        let is_after = |row: &Row| after.is_none_or(|key| self.compare_to_key(*row, key).is_gt());
        if let Some(resource) = wanted.resource {
            let rows = self.forward.row(resource).map(|edge| (resource, edge));
            let rows = rows.filter(|row| wanted.takes(self, *row) && is_after(row)).collect();
            return self.page(rows, limit);
        }
        if let Some(subject) = wanted.subject {
            let rows = self.reverse.row(subject.node).map(|edge| (edge.node(), edge.turned(subject.node)));
            let rows = rows.filter(|row| wanted.takes(self, *row) && is_after(row)).collect();
            return self.page(rows, limit);
        }
        let mut found = Vec::new();
        for resource in self.resources_in_order(&wanted, after) {
            if found.len() >= limit {
                break;
            }
            let rows = self.forward.row(resource).map(|edge| (resource, edge));
            let rows = rows.filter(|row| wanted.takes(self, *row) && is_after(row)).collect();
            found.extend(self.page(rows, limit - found.len()));
        }
        found
    }

    /// How many relationships match, expired ones included. Sorts nothing.
    #[must_use]
    pub fn count(&self, filter: &Filter) -> u64 {
        self.rows_of(filter).count() as u64
    }

    /// Up to `limit` relationships that match, in no particular order, expired ones included. Sorts nothing: for
    /// deleting all that match, a part at a time.
    #[must_use]
    pub fn matching(&self, filter: &Filter, limit: usize) -> Vec<Key> {
        self.rows_of(filter).take(limit).filter_map(|(resource, edge)| self.key(resource, edge)).collect()
    }

    /// The living objects of a type that at least one relationship names, as resource, as subject or in a userset, in
    /// order of their ids, from the first one at or after `from`. A relationship counts even if it has ended.
    pub fn named<'a>(&'a self, kind: &str, from: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let nodes = self.symbols.kind(kind).map(|kind| self.nodes.in_order(kind, from));
        nodes
            .into_iter()
            .flatten()
            .filter(|node| self.is_mentioned(*node))
            .filter_map(|node| self.nodes.get(node)?.id)
    }

    fn is_mentioned(&self, node: NodeId) -> bool {
        let alive = |edge: Edge| self.nodes.is_alive(edge.node());
        self.forward.row(node).any(alive) || self.reverse.row(node).any(alive)
    }

    /// Every relationship that matches, in no particular order.
    fn rows_of<'a>(&'a self, filter: &Filter) -> Box<dyn Iterator<Item = Row> + 'a> {
        let Some(wanted) = Wanted::new(self, filter) else { return Box::new(std::iter::empty()) };
        if let Some(resource) = wanted.resource {
            let rows = self.forward.row(resource).map(move |edge| (resource, edge));
            return Box::new(rows.filter(move |row| wanted.takes(self, *row)));
        }
        if let Some(subject) = wanted.subject {
            let turned = move |edge: Edge| (edge.node(), edge.turned(subject.node));
            return Box::new(
                self.reverse.row(subject.node).map(turned).filter(move |row| wanted.takes(self, *row)),
            );
        }
        let kinds = self.resource_kinds(&wanted);
        let nodes = (0..self.nodes.count()).filter_map(|node| NodeId::try_from(node).ok());
        let nodes =
            nodes.filter(move |node| self.nodes.kind(*node).is_some_and(|kind| kinds.contains(&kind)));
        let rows = nodes.flat_map(|node| self.forward.row(node).map(move |edge| (node, edge)));
        Box::new(rows.filter(move |row| wanted.takes(self, *row)))
    }

    /// Calls `each` with every relationship, in key order, expired ones included.
    pub fn for_each(&self, mut each: impl FnMut(Relationship)) {
        self.walk(|resource, edge| self.shown(resource, edge).into_iter().for_each(&mut each));
    }

    /// As [`Graph::for_each`], without copying a text: for millions of relationships.
    pub fn for_each_ref<'a>(&'a self, mut each: impl FnMut(RelationshipRef<'a>)) {
        self.walk(|resource, edge| self.seen(resource, edge).into_iter().for_each(&mut each));
    }

    fn walk(&self, mut each: impl FnMut(NodeId, Edge)) {
        let ranks = Ranks::new(self);
        let mut row = Vec::new();
        for resource in self.kinds_in_order().into_iter().flat_map(|kind| self.nodes.in_order(kind, "")) {
            row.clear();
            let edges = self.forward.row(resource).filter(|edge| self.nodes.is_alive(edge.node()));
            row.extend(edges.map(|edge| (ranks.of(self, edge), edge)));
            row.sort_unstable_by_key(|(rank, _)| *rank);
            row.iter().for_each(|(_, edge)| each(resource, *edge));
        }
    }

    /// The living nodes in key order that may be resources of what is wanted, from the resource of `after`.
    fn resources_in_order<'a>(
        &'a self,
        wanted: &Wanted,
        after: Option<&'a Key>,
    ) -> impl Iterator<Item = NodeId> + use<'a> {
        let kinds = self.resource_kinds(wanted);
        kinds.into_iter().flat_map(move |kind| {
            let name = self.symbols.kind_name(kind).map(TypeName::as_str);
            let from = match after.map(|key| (name.cmp(&Some(key.resource.kind())), key.resource.id())) {
                Some((Ordering::Less, _)) => None,
                Some((Ordering::Equal, id)) => Some(id),
                Some((Ordering::Greater, _)) | None => Some(""),
            };
            from.into_iter().flat_map(move |from| self.nodes.in_order(kind, from))
        })
    }

    /// The types, in order of their names, of which there may be resources of what is wanted.
    fn resource_kinds(&self, wanted: &Wanted) -> Vec<Kind> {
        let fits = |shape: &ShapeId| {
            wanted.relation.is_none_or(|relation| relation == shape.relation)
                && wanted.resource_kind.is_none_or(|kind| kind == shape.kind)
                && wanted.subject_kind.is_none_or(|kind| kind == shape.subject_kind)
        };
        let found: BTreeSet<_> =
            self.shapes.keys().filter(|shape| fits(shape)).map(|shape| shape.kind).collect();
        let mut kinds: Vec<_> = found.into_iter().collect();
        kinds.sort_by_key(|kind| self.symbols.kind_name(*kind));
        kinds
    }

    /// Every type, in order of the names.
    fn kinds_in_order(&self) -> Vec<Kind> {
        let mut kinds: Vec<_> = self.symbols.kinds().collect();
        kinds.sort_by_key(|kind| self.symbols.kind_name(*kind));
        kinds
    }

    /// The living nodes of one type, in order of their ids, from the first one at or after `from`.
    pub(crate) fn of_kind<'a>(&'a self, kind: Kind, from: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.nodes.in_order(kind, from)
    }

    /// The first `limit` rows in key order, as relationships.
    fn page(&self, mut rows: Vec<Row>, limit: usize) -> Vec<Relationship> {
        if limit == 0 {
            return Vec::new();
        }
        // A role may have a million members: find the page first, and sort only that.
        if rows.len() > limit {
            rows.select_nth_unstable_by(limit - 1, |a, b| self.compare(*a, *b));
            rows.truncate(limit);
        }
        rows.sort_unstable_by(|a, b| self.compare(*a, *b));
        rows.into_iter().filter_map(|(resource, edge)| self.shown(resource, edge)).collect()
    }

    /// The relationship that an edge is.
    pub(crate) fn shown(&self, resource: NodeId, edge: Edge) -> Option<Relationship> {
        Some(self.relationship(resource, edge, self.key(resource, edge)?))
    }

    pub(super) fn key(&self, resource: NodeId, edge: Edge) -> Option<Key> {
        Some(Key {
            resource: self.object(resource)?,
            relation: self.symbols.relation_name(edge.relation())?.clone(),
            subject: self.subject(SubjectId::of(edge))?,
        })
    }

    fn seen(&self, resource: NodeId, edge: Edge) -> Option<RelationshipRef<'_>> {
        let terms = self.terms(resource, edge);
        Some(RelationshipRef {
            resource: self.object_ref(resource)?,
            relation: self.symbols.relation_name(edge.relation())?.as_str(),
            subject: self.subject_ref(SubjectId::of(edge))?,
            until: terms.and_then(|terms| terms.until),
            condition: terms.and_then(|terms| terms.condition.as_deref()),
        })
    }

    /// Whether both ends of a relationship are.
    pub(super) fn are_alive(&self, resource: NodeId, edge: Edge) -> bool {
        self.nodes.is_alive(resource) && self.nodes.is_alive(edge.node())
    }

    /// The order of the keys.
    fn compare(&self, a: Row, b: Row) -> Ordering {
        let resource =
            if a.0 == b.0 { Ordering::Equal } else { self.object_ref(a.0).cmp(&self.object_ref(b.0)) };
        let relation = |edge: Edge| self.symbols.relation_name(edge.relation());
        resource
            .then_with(|| relation(a.1).cmp(&relation(b.1)))
            .then_with(|| self.subject_order(a.1).cmp(&self.subject_order(b.1)))
    }

    fn compare_to_key(&self, row: Row, key: &Key) -> Ordering {
        let relation = self.symbols.relation_name(row.1.relation());
        let subject = SubjectOrder::of(key.subject.as_ref());
        (self.object_ref(row.0).cmp(&Some(key.resource.as_ref())))
            .then_with(|| relation.cmp(&Some(&key.relation)))
            .then_with(|| self.subject_order(row.1).cmp(&Some(subject)))
    }

    fn subject_order(&self, edge: Edge) -> Option<SubjectOrder<'_>> {
        self.subject_ref(SubjectId::of(edge)).map(SubjectOrder::of)
    }
}

/// A subject's parts such that they compare as a [`Subject`] does: objects, usersets, wildcards.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SubjectOrder<'a>(u8, &'a str, &'a str, &'a str);

impl<'a> SubjectOrder<'a> {
    fn of(subject: SubjectRef<'a>) -> Self {
        match subject {
            SubjectRef::Object(object) => Self(0, object.kind, object.id, ""),
            SubjectRef::Userset(object, relation) => Self(1, object.kind, object.id, relation),
            SubjectRef::Wildcard(kind) => Self(2, kind, "", ""),
        }
    }
}

/// Where everything is in the key order, so that millions of relationships are sorted without looking at a text.
struct Ranks {
    nodes: Vec<u32>,
    relations: Vec<Relation>,
}

impl Ranks {
    fn new(graph: &Graph) -> Self {
        let mut nodes = vec![0; graph.nodes.count()];
        let kinds = graph.kinds_in_order();
        let mut rank = 0;
        for kind in kinds {
            // The wildcards are compared by their types only: any place among them will do.
            let wildcard = graph.symbols.wildcard(kind);
            for node in graph.nodes.in_order(kind, "").chain(wildcard) {
                if let Some(place) = nodes.get_mut(node as usize) {
                    *place = rank;
                }
                rank += 1;
            }
        }
        let mut names: Vec<_> = graph.symbols.relations().collect();
        names.sort_by_key(|relation| graph.symbols.relation_name(*relation));
        let mut relations = vec![0; names.len()];
        for (rank, relation) in (0..).zip(names) {
            if let Some(place) = relations.get_mut(usize::from(relation)) {
                *place = rank;
            }
        }
        Self { nodes, relations }
    }

    /// A number that compares as the relation and the subject do.
    fn of(&self, graph: &Graph, edge: Edge) -> u128 {
        let relation = |relation| self.relations.get(usize::from(relation)).copied().unwrap_or_default();
        let (node, of_subject) = (edge.node(), edge.subject_relation());
        let form = if of_subject != NO_RELATION { 1 } else { u8::from(graph.is_wildcard(node)) * 2 };
        let rank = self.nodes.get(node as usize).copied().unwrap_or_default();
        u128::from(relation(edge.relation())) << 64
            | u128::from(form) << 56
            | u128::from(rank) << 16
            | u128::from(relation(of_subject))
    }
}

/// A filter by number.
struct Wanted {
    resource: Option<NodeId>,
    relation: Option<Relation>,
    subject: Option<SubjectId>,
    resource_kind: Option<Kind>,
    subject_kind: Option<Kind>,
}

impl Wanted {
    /// None if a name of the filter has no number: then nothing can match.
    fn new(graph: &Graph, filter: &Filter) -> Option<Self> {
        let kind = |name: &Option<TypeName>| match name {
            Some(name) => graph.symbols.kind(name.as_str()).map(Some),
            None => Some(None),
        };
        Some(Self {
            resource: match &filter.resource {
                Some(object) => Some(graph.node(object.as_ref())?),
                None => None,
            },
            relation: match &filter.relation {
                Some(name) => Some(graph.symbols.relation(name.as_str())?),
                None => None,
            },
            subject: match &filter.subject {
                Some(subject) => Some(graph.subject_id(subject.as_ref())?),
                None => None,
            },
            resource_kind: kind(&filter.resource_type)?,
            subject_kind: kind(&filter.subject_type)?,
        })
    }

    fn takes(&self, graph: &Graph, (resource, edge): Row) -> bool {
        let is_kind =
            |node, wanted: Option<Kind>| wanted.is_none_or(|kind| graph.nodes.kind(node) == Some(kind));
        self.relation.is_none_or(|relation| relation == edge.relation())
            && self.subject.is_none_or(|subject| subject == SubjectId::of(edge))
            && graph.are_alive(resource, edge)
            && is_kind(resource, self.resource_kind)
            && is_kind(edge.node(), self.subject_kind)
    }
}
