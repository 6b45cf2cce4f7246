//! Writing, deleting and getting single relationships.

use std::sync::Arc;

use super::index::Edge;
use super::nodes::NodeId;
use super::symbols::{Kind, NO_RELATION, Relation, Symbols};
use super::{Graph, SubjectId, Terms};
use crate::name::{RelationName, TypeName};
use crate::object::Object;
use crate::relationship::{Key, Relationship};
use crate::subject::Subject;

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// There was no relationship with this key.
    Created,
    /// There was one with another `until` or condition.
    Replaced,
    /// The same relationship was there already.
    Unchanged,
    /// Nothing was written: the graph cannot number any more names (2^31 objects, 65,000 types or relations, or
    /// 3 GiB of ids).
    Full,
}

impl Graph {
    /// Writes a relationship. It replaces the one with the same key. The schema is not asked:
    /// see [`Schema::admits`](crate::Schema::admits).
    pub fn write(&mut self, relationship: Relationship) -> Written {
        let Relationship { key, until, condition } = relationship;
        let Some((resource, edge)) = self.place(&key) else { return Written::Full };
        let limited = until.is_some() || condition.is_some();
        let terms = Terms { until, condition: condition.map(Arc::new) };
        let before = self.forward.find(resource, edge);
        if let Some(before) = before {
            if self.terms(resource, before) == limited.then_some(&terms) {
                return Written::Unchanged;
            }
            self.forget_terms(resource, before);
        }
        let edge = edge.with_terms(limited);
        self.count_shape(resource, edge, terms.condition.as_deref(), true);
        if limited {
            if let Some(until) = until {
                self.ends.insert((until, resource, edge.key()));
            }
            self.terms.insert((resource, edge.key()), terms);
        }
        self.forward.insert(resource, edge);
        self.reverse.insert(edge.node(), edge.turned(resource));
        self.stored += u64::from(before.is_none());
        self.keep_overlay_small();
        if before.is_some() { Written::Replaced } else { Written::Created }
    }

    /// Deletes a relationship and says whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        let Some((resource, edge)) = self.find(key) else { return false };
        self.remove(resource, edge);
        self.keep_overlay_small();
        true
    }

    /// The relationship with this key, whatever its `until`.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Relationship> {
        let (resource, edge) = self.find(key)?;
        Some(self.relationship(resource, edge, key.clone()))
    }

    pub(super) fn relationship(&self, resource: NodeId, edge: Edge, key: Key) -> Relationship {
        let terms = self.terms(resource, edge);
        Relationship {
            key,
            until: terms.and_then(|terms| terms.until),
            condition: terms.and_then(|terms| terms.condition.as_deref().cloned()),
        }
    }

    /// Takes an edge that is there out of both indexes.
    pub(super) fn remove(&mut self, resource: NodeId, edge: Edge) {
        self.forget_terms(resource, edge);
        self.forward.remove(resource, edge);
        self.reverse.remove(edge.node(), edge.turned(resource));
        self.stored = self.stored.saturating_sub(1);
    }

    /// Takes what is kept about an edge beside it, before it goes or is replaced.
    fn forget_terms(&mut self, resource: NodeId, edge: Edge) {
        let terms = if edge.has_terms() { self.terms.remove(&(resource, edge.key())) } else { None };
        let (until, condition) = terms.map_or((None, None), |terms| (terms.until, terms.condition));
        if let Some(until) = until {
            self.ends.remove(&(until, resource, edge.key()));
        }
        self.count_shape(resource, edge, condition.as_deref(), false);
    }

    /// Where a relationship is, if it is there.
    fn find(&self, key: &Key) -> Option<(NodeId, Edge)> {
        let resource = self.node(key.resource.as_ref())?;
        let relation = self.symbols.relation(key.relation.as_str())?;
        let subject = self.subject_id(key.subject.as_ref())?;
        let edge = self.forward.find(resource, Edge::new(relation, subject.relation, subject.node))?;
        Some((resource, edge))
    }

    /// Where a relationship goes; names without a number get one.
    fn place(&mut self, key: &Key) -> Option<(NodeId, Edge)> {
        let relation = self.intern_relation(&key.relation)?;
        let resource = self.intern(&key.resource)?;
        let subject = self.intern_subject(&key.subject)?;
        Some((resource, Edge::new(relation, subject.relation, subject.node)))
    }

    fn intern(&mut self, object: &Object) -> Option<NodeId> {
        let kind = self.intern_kind(object.type_name())?;
        self.nodes.intern(kind, object.shared_id())
    }

    // Known names are the rule, and must not copy the symbols.
    fn intern_kind(&mut self, name: &TypeName) -> Option<Kind> {
        self.symbols.kind(name.as_str()).or_else(|| self.symbols_mut().add_kind(name))
    }

    fn intern_relation(&mut self, name: &RelationName) -> Option<Relation> {
        self.symbols.relation(name.as_str()).or_else(|| self.symbols_mut().add_relation(name))
    }

    fn intern_subject(&mut self, subject: &Subject) -> Option<SubjectId> {
        Some(match subject {
            Subject::Object(object) => SubjectId { node: self.intern(object)?, relation: NO_RELATION },
            Subject::Userset(object, relation) => {
                SubjectId { node: self.intern(object)?, relation: self.intern_relation(relation)? }
            }
            Subject::Wildcard(name) => {
                let kind = self.intern_kind(name)?;
                let node = match self.symbols.wildcard(kind) {
                    Some(node) => node,
                    None => {
                        let node = self.nodes.add_wildcard(kind)?;
                        self.symbols_mut().set_wildcard(kind, node);
                        node
                    }
                };
                SubjectId { node, relation: NO_RELATION }
            }
        })
    }

    /// The symbols for a change; copied if a snapshot shares them, which only happens when a model grows.
    fn symbols_mut(&mut self) -> &mut Symbols {
        Arc::make_mut(&mut self.symbols)
    }
}
