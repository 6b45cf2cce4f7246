//! Relationships in key order, by page and all of them.

use std::cmp::Ordering;

use super::index::Edge;
use super::nodes::NodeId;
use super::symbols::Kind;
use super::{Graph, SubjectId};
use crate::name::{RelationName, TypeName};
use crate::object::Object;
use crate::relationship::{Key, Relationship};
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
        for resource in self.resources_in_order(after) {
            if found.len() >= limit {
                break;
            }
            let rows = self.forward.row(resource).map(|edge| (resource, edge));
            let rows = rows.filter(|row| wanted.takes(self, *row) && is_after(row)).collect();
            found.extend(self.page(rows, limit - found.len()));
        }
        found
    }

    /// Calls `each` with every relationship, in key order, expired ones included.
    pub fn for_each(&self, mut each: impl FnMut(Relationship)) {
        for resource in self.resources_in_order(None) {
            let rows = self.forward.row(resource).map(|edge| (resource, edge));
            let rows = rows.filter(|(_, edge)| self.nodes.is_alive(edge.node())).collect();
            self.page(rows, usize::MAX).into_iter().for_each(&mut each);
        }
    }

    /// The living nodes in key order, from the resource of `after`.
    fn resources_in_order<'a>(&'a self, after: Option<&'a Key>) -> impl Iterator<Item = NodeId> + 'a {
        // A type that was never numbered has no place in the order; then every node is looked at.
        let from = after.and_then(|key| Some((self.symbols.kind(key.resource.kind())?, key.resource.id())));
        self.nodes.in_order(|a, b| self.compare_kinds(a, b), from)
    }

    /// The living nodes of one type, in order of their ids, from the first one at or after `from`.
    pub(crate) fn of_kind<'a>(&'a self, kind: Kind, from: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        let nodes = self.nodes.in_order(|a, b| self.compare_kinds(a, b), Some((kind, from)));
        nodes.take_while(move |node| self.nodes.kind(*node) == Some(kind))
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

    pub(crate) fn shown(&self, resource: NodeId, edge: Edge) -> Option<Relationship> {
        let key = Key {
            resource: self.object(resource)?,
            relation: self.symbols.relation_name(edge.relation())?.clone(),
            subject: self.subject(SubjectId::of(edge))?,
        };
        Some(self.relationship(resource, edge, key))
    }

    fn compare_kinds(&self, a: Kind, b: Kind) -> Ordering {
        if a == b { Ordering::Equal } else { self.symbols.kind_name(a).cmp(&self.symbols.kind_name(b)) }
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

/// A filter by number.
struct Wanted {
    resource: Option<NodeId>,
    relation: Option<super::Relation>,
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
            && graph.nodes.is_alive(resource)
            && graph.nodes.is_alive(edge.node())
            && is_kind(resource, self.resource_kind)
            && is_kind(edge.node(), self.subject_kind)
    }
}
