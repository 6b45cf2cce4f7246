//! The relationships of one realm, in memory.

use std::sync::Arc;

use crate::Micros;
use crate::name::{RelationName, TypeName};
use crate::object::{Object, ObjectRef};
use crate::relationship::{Condition, Key, Relationship};
use crate::schema::Schema;
use crate::subject::{Subject, SubjectRef};

/// The relationships of one realm. A clone costs O(1) and is both a snapshot and a fork: neither sees what is later
/// written to the other. Readers never lock.
#[derive(Clone, Debug)]
pub struct Graph {
    schema: Arc<Schema>,
}

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Written {
    /// There was no relationship with this key.
    Created,
    /// There was one with another `until` or condition.
    Replaced,
    /// The same relationship was there already.
    Unchanged,
    /// Nothing was written: the graph cannot number any more names (2^31 objects, 65,000 relations).
    Full,
}

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
    /// No relationships under a schema.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        Self { schema }
    }

    /// The schema that questions are answered by.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Answers by another schema from now on. The relationships stay, also those that the schema would not admit:
    /// these are read, and give nobody anything.
    pub fn set_schema(&mut self, schema: Arc<Schema>) {
        self.schema = schema;
    }

    /// Writes a relationship. It replaces the one with the same key. The schema is not asked:
    /// see [`Schema::admits`].
    pub fn write(&mut self, relationship: Relationship) -> Written {
        let _ = relationship;
        todo!()
    }

    /// Deletes a relationship and says whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        let _ = key;
        todo!()
    }

    /// The relationship with this key, whatever its `until`.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Relationship> {
        let _ = key;
        todo!()
    }

    /// Gives an object a new incarnation, in O(1): every relationship that names the old one, as resource, as subject
    /// or in a userset, is gone from every answer at once. Says whether any relationship ever named it.
    pub fn retire(&mut self, object: ObjectRef<'_>) -> bool {
        let _ = object;
        todo!()
    }

    /// Removes up to `budget` relationships of retired objects for good and says how many. No answer changes.
    pub fn sweep(&mut self, budget: usize) -> usize {
        let _ = budget;
        todo!()
    }

    /// How many relationships there are, expired ones included.
    #[must_use]
    pub fn len(&self) -> u64 {
        todo!()
    }

    /// Whether there is no relationship.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `limit` relationships that match, in key order, from the first one after `after`.
    #[must_use]
    pub fn read(&self, filter: &Filter, after: Option<&Key>, limit: usize) -> Vec<Relationship> {
        let _ = (filter, after, limit);
        todo!()
    }

    /// Calls `each` with every relationship, in key order.
    pub fn for_each(&self, each: impl FnMut(Relationship)) {
        let _ = each;
        todo!()
    }

    /// The resources of type `kind` that name exactly this subject, in no particular order.
    pub fn resources_of<'a>(
        &'a self,
        subject: impl Into<SubjectRef<'a>>,
        kind: &'a str,
    ) -> impl Iterator<Item = Resource<'a>> {
        let _ = (subject.into(), kind);
        std::iter::empty()
    }

    /// The subjects of a relation of a resource, as stored, in no particular order.
    pub fn subjects_of<'a>(
        &'a self,
        resource: ObjectRef<'a>,
        relation: &'a str,
    ) -> impl Iterator<Item = Standing<'a>> {
        let _ = (resource, relation);
        std::iter::empty()
    }
}
