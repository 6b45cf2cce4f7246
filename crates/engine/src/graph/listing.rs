//! Cheap lists from one end of relationships.

use super::symbols::Kind;
use super::{Graph, SubjectId};
use crate::Micros;
use crate::object::ObjectRef;
use crate::relationship::Condition;
use crate::subject::SubjectRef;

/// A resource on which a subject stands in a relation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resource<'a> {
    /// The resource.
    pub object: ObjectRef<'a>,
    /// The relation.
    pub relation: &'a str,
    /// Until when.
    pub until: Option<Micros>,
    /// Under which condition.
    pub condition: Option<&'a Condition>,
}

/// A subject that stands in a relation to a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing<'a> {
    /// The subject.
    pub subject: SubjectRef<'a>,
    /// Until when.
    pub until: Option<Micros>,
    /// Under which condition.
    pub condition: Option<&'a Condition>,
}

impl Graph {
    /// The resources of type `kind` with a relationship to exactly this subject, in no particular order, expired ones
    /// included. Nothing is computed: see [`Graph::check`] for what follows.
    pub fn resources_of<'a, 's, S: Into<SubjectRef<'s>>>(
        &'a self,
        subject: S,
        kind: &str,
    ) -> impl Iterator<Item = Resource<'a>> + use<'a, 's, S> {
        let ends = self.subject_id(subject.into()).zip(self.symbols.kind(kind));
        ends.into_iter().flat_map(move |(subject, kind)| self.resources(subject, kind))
    }

    /// The subjects with a relationship to this resource, in no particular order, expired ones included. Nothing is
    /// computed: see [`Graph::check`] for what follows.
    pub fn subjects_of<'a>(
        &'a self,
        resource: ObjectRef<'_>,
        relation: &str,
    ) -> impl Iterator<Item = Standing<'a>> + use<'a> {
        let ends = self.node(resource).zip(self.symbols.relation(relation));
        ends.into_iter().flat_map(move |(resource, relation)| {
            let edges = self.forward.row(resource).filter(move |edge| edge.relation() == relation);
            edges.filter(|edge| self.nodes.is_alive(edge.node())).filter_map(move |edge| {
                let terms = self.terms(resource, edge);
                Some(Standing {
                    subject: self.subject_ref(SubjectId::of(edge))?,
                    until: terms.and_then(|terms| terms.until),
                    condition: terms.and_then(|terms| terms.condition.as_deref()),
                })
            })
        })
    }

    fn resources(&self, subject: SubjectId, kind: Kind) -> impl Iterator<Item = Resource<'_>> {
        let edges = self.reverse.row(subject.node);
        edges.filter(move |edge| edge.subject_relation() == subject.relation).filter_map(move |edge| {
            let resource = edge.node();
            if !self.nodes.is_alive(resource) || self.nodes.kind(resource) != Some(kind) {
                return None;
            }
            let terms = self.terms(resource, edge.turned(subject.node));
            Some(Resource {
                object: self.object_ref(resource)?,
                relation: self.symbols.relation_name(edge.relation())?.as_str(),
                until: terms.and_then(|terms| terms.until),
                condition: terms.and_then(|terms| terms.condition.as_deref()),
            })
        })
    }
}
