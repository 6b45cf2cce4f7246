//! Who, what and which: searches that agree with [`Graph::check`].
//!
//! A search ranges over what relationships and entities name. It first collects who or what could be an answer if every
//! condition held and no `but not` took anybody away, which only needs to follow relationships, and then asks
//! [`Graph::check`] about each, in key order, until the page is full. So results are complete over the pages, never cut
//! silently, and the same as single checks would give.

mod resources;
mod subjects;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::check::Question;
use crate::graph::{Edge, Graph, NodeId};
use crate::name::RelationName;
use crate::object::{Object, ObjectRef};
use crate::subject::{Subject, SubjectRef};
use crate::{CheckError, Circumstances};

/// How many relations of objects one search may look at.
pub const MAX_CANDIDATES: usize = 20_000_000;

/// A resource that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundResource {
    /// The resource.
    pub object: Object,
    /// It is a node of a path type, and the answer counts for every path below it that nothing names. It need not, where a
    /// condition reads what is stored about the node.
    pub covers_subtree: bool,
}

impl Graph {
    /// The subjects of type `kind` that may do `action` to `resource`: objects in order of their ids, then `kind:*` if
    /// objects that nothing names may as well. Up to `limit` of them, from the first one after `after`.
    pub fn search_subjects(
        &self,
        kind: &str,
        action: &str,
        resource: ObjectRef<'_>,
        circumstances: &Circumstances<'_>,
        after: Option<SubjectRef<'_>>,
        limit: usize,
    ) -> Result<Vec<Subject>, CheckError> {
        let (Some(name), Some(candidates)) = (
            self.schema().type_name(kind),
            subjects::candidates(self, kind, action, resource, circumstances)?,
        ) else {
            return Ok(Vec::new());
        };
        let may = |subject| self.may(subject, action, resource, circumstances);
        let after = match after {
            None => None,
            Some(SubjectRef::Object(object)) => Some(object.id),
            // Nothing comes after the wildcard.
            Some(SubjectRef::Userset(..) | SubjectRef::Wildcard(_)) => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for id in in_order(candidates.ids, after) {
            if found.len() == limit {
                return Ok(found);
            }
            if may(SubjectRef::Object(ObjectRef { kind, id })) {
                found.push(Subject::Object(Object::stored(name.clone(), id.into())));
            }
        }
        if found.len() < limit && candidates.everyone && may(SubjectRef::Wildcard(kind)) {
            found.push(Subject::Wildcard(name.clone()));
        }
        Ok(found)
    }

    /// The resources of type `kind` that `subject` may do `action` to, in order of their ids. Up to `limit` of them, from
    /// the first one whose id comes after `after`.
    pub fn search_resources(
        &self,
        subject: SubjectRef<'_>,
        action: &str,
        kind: &str,
        circumstances: &Circumstances<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<FoundResource>, CheckError> {
        let (Some(name), Some(candidates)) = (
            self.schema().type_name(kind),
            resources::candidates(self, subject, action, kind, circumstances)?,
        ) else {
            return Ok(Vec::new());
        };
        let is_path = self.schema().is_path(kind);
        let may = |id: &&str| self.may(subject, action, ObjectRef { kind, id }, circumstances);
        let found = in_order(candidates, after).filter(may).take(limit);
        let object = |id: &str| Object::stored(name.clone(), id.into());
        let covers = |id: &str| {
            let below = self.unnamed_below(kind, id, circumstances);
            self.may(subject, action, ObjectRef { kind, id: &below }, circumstances)
        };
        let found =
            found.map(|id| FoundResource { object: object(id), covers_subtree: is_path && covers(id) });
        Ok(found.collect())
    }

    /// What `subject` may do to `resource`, in order of the names. Up to `limit`, from the first one after `after`.
    pub fn search_actions(
        &self,
        subject: SubjectRef<'_>,
        resource: ObjectRef<'_>,
        circumstances: &Circumstances<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<RelationName>, CheckError> {
        let actions = self.schema().relations(resource.kind);
        let actions = actions.filter(|action| after.is_none_or(|after| action.as_str() > after));
        let may = |action: &&RelationName| self.may(subject, action.as_str(), resource, circumstances);
        Ok(actions.filter(may).take(limit).cloned().collect())
    }

    /// A path just below one that nothing names: everything below that nothing names has its answer.
    fn unnamed_below(&self, kind: &str, id: &str, circumstances: &Circumstances<'_>) -> String {
        let mut below = format!("{id}~/");
        let is_named = |id: &str| {
            let object = ObjectRef { kind, id };
            self.node(object).is_some() || circumstances.entities.properties(object).is_some()
        };
        while is_named(&below) {
            below.insert(id.len(), '~');
        }
        below
    }

    /// A question that breaks a limit is a no here as it is for every face.
    fn may(
        &self,
        subject: SubjectRef<'_>,
        action: &str,
        resource: ObjectRef<'_>,
        circumstances: &Circumstances<'_>,
    ) -> bool {
        let decision = self.check(&Question { subject, action, resource }, circumstances);
        decision.is_ok_and(|decision| decision.is_allowed())
    }

    /// Whether a relationship is there for searches to follow: between living objects, and not ended.
    fn is_there(&self, resource: NodeId, edge: Edge, circumstances: &Circumstances<'_>) -> bool {
        self.nodes().is_alive(resource)
            && self.nodes().is_alive(edge.node())
            && self.terms(resource, edge).is_none_or(|terms| terms.exist(circumstances.now))
    }

    /// Whether a relationship that is there, or an entity, names the object.
    fn is_named(&self, node: NodeId, object: ObjectRef<'_>, circumstances: &Circumstances<'_>) -> bool {
        let as_resource = || self.forward().row(node).any(|edge| self.is_there(node, edge, circumstances));
        let as_subject = || {
            let mut row = self.reverse().row(node);
            row.any(|edge| self.is_there(edge.node(), edge.turned(node), circumstances))
        };
        circumstances.entities.properties(object).is_some() || as_resource() || as_subject()
    }
}

/// Ids in order, each once, from the first one after `after`. A page needs few of them, so that they are not all sorted.
fn in_order<'a>(ids: Vec<&'a str>, after: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    let ids = ids.into_iter().filter(move |id| after.is_none_or(|after| *id > after));
    let mut heap: BinaryHeap<_> = ids.map(Reverse).collect();
    std::iter::from_fn(move || {
        let Reverse(next) = heap.pop()?;
        while heap.peek().is_some_and(|Reverse(other)| *other == next) {
            heap.pop();
        }
        Some(next)
    })
}

/// Counts what a search has looked at.
struct Budget(usize);

impl Budget {
    fn step(&mut self) -> Result<(), CheckError> {
        self.0 += 1;
        if self.0 > MAX_CANDIDATES { Err(CheckError::TooManyCandidates) } else { Ok(()) }
    }
}
