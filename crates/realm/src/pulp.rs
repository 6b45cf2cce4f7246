//! Operations on URIs: what the users-and-roles dialect grants, and what it is authorized by itself.
//!
//! Each is a relationship: `pulp_uri:/v2/users/ # read @ user:alice`, or `@ role:qa#member`. What is granted on a URI counts
//! for everything below it, by whole segments; `schemas/pulp.fga` says so, and the engine answers. Direct grants and those of
//! roles are kept apart, and what somebody holds is both together.

mod grant;
mod operation;
mod uri;

pub use grant::{GrantOperations, Grantee, RevokeOperations};
pub use operation::Operation;
pub use uri::{BadUri, MAX_URI, PulpUri};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grantd_engine::{Circumstances, Decision, Key, ObjectRef, Question, SubjectRef};

use crate::caller::{Authority, Caller};
use crate::refusal::Refusal;
use crate::relationship::key;
use crate::role::{any_above, everyone_in, members_of};
use crate::{Micros, State};

/// The type of URIs.
pub const URI_TYPE: &str = "pulp_uri";

/// Whether a caller may do this to a URI, now: a question to the engine. Who comes from outside the realm holds what their
/// authority gives: everything, if it is `admin`.
pub fn may(state: &State, caller: &Caller, operation: Operation, uri: &PulpUri, now: Micros) -> bool {
    if let Some(conferred) = caller.conferred {
        return conferred.contains(Authority::Admin);
    }
    let Some((kind, id)) = caller.object() else { return false };
    let question = Question {
        subject: SubjectRef::Object(ObjectRef { kind, id: &id }),
        action: operation.relation(),
        resource: ObjectRef { kind: URI_TYPE, id: uri.as_str() },
    };
    matches!(state.graph().check(&question, &Circumstances::at(now)), Ok(Decision::Allowed))
}

/// `pulp_uri:<uri> # <operation> @ <subject>`.
pub(crate) fn grant_key(
    uri: &PulpUri,
    operation: Operation,
    subject: SubjectRef<'_>,
) -> Result<Key, Refusal> {
    key("resource", ObjectRef { kind: URI_TYPE, id: uri.as_str() }, operation.relation(), subject)
}

/// What users hold on exactly one URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionRecord {
    /// The URI.
    pub resource: PulpUri,
    /// Who holds something on it, themselves or by a role, in order of the logins; with what, in the order of
    /// [`Operation::ALL`].
    pub users: Vec<(Arc<str>, Vec<Operation>)>,
}

/// The records of all URIs on which a user holds anything, or of this one alone, in order of the URIs. What is granted on a
/// URI above is not repeated.
pub fn permissions(state: &State, filter: Option<&PulpUri>, now: Micros) -> Vec<PermissionRecord> {
    let mut roles = BTreeMap::new();
    let record = |uri: &str| record(state, uri, &mut roles, now);
    match filter {
        Some(uri) => std::iter::once(uri.as_str()).filter_map(record).collect(),
        None => state.graph().named(URI_TYPE, "").filter_map(record).collect(),
    }
}

/// Everybody in a role, by its key: looked up once for all URIs.
type Roles = BTreeMap<String, BTreeSet<Arc<str>>>;

fn record(state: &State, uri: &str, roles: &mut Roles, now: Micros) -> Option<PermissionRecord> {
    let resource = ObjectRef { kind: URI_TYPE, id: uri };
    let mut held: BTreeMap<Arc<str>, Vec<Operation>> = BTreeMap::new();
    for operation in Operation::ALL {
        let mut holders = BTreeSet::new();
        for standing in state.graph().subjects_of(resource, operation.relation()) {
            if standing.until.is_some_and(|until| until <= now) {
                continue;
            }
            match standing.subject {
                SubjectRef::Object(user) if user.kind == "user" => {
                    holders.insert(Arc::from(user.id));
                }
                SubjectRef::Userset(role, _) if role.kind == "role" => {
                    let members =
                        roles.entry(role.id.to_owned()).or_insert_with(|| everyone_in(state, role.id, now));
                    holders.extend(members.iter().cloned());
                }
                _ => {}
            }
        }
        for login in holders {
            held.entry(login).or_default().push(operation);
        }
    }
    let resource = PulpUri::stored(uri);
    (!held.is_empty()).then(|| PermissionRecord { resource, users: held.into_iter().collect() })
}

/// What a role was granted itself, in order of the URIs.
pub fn role_permissions(state: &State, role: &str, now: Micros) -> Vec<(PulpUri, Vec<Operation>)> {
    granted_to(state, members_of(role), now)
}

/// What a user was granted themselves, in order of the URIs; what their roles give is not in it.
pub fn user_permissions(state: &State, login: &str, now: Micros) -> Vec<(PulpUri, Vec<Operation>)> {
    granted_to(state, SubjectRef::Object(ObjectRef { kind: "user", id: login }), now)
}

fn granted_to(state: &State, subject: SubjectRef<'_>, now: Micros) -> Vec<(PulpUri, Vec<Operation>)> {
    let mut granted: BTreeMap<&str, BTreeSet<Operation>> = BTreeMap::new();
    for found in state.graph().resources_of(subject, URI_TYPE) {
        if let Some(operation) = Operation::of_relation(found.relation)
            && found.until.is_none_or(|until| now < until)
        {
            granted.entry(found.object.id).or_default().insert(operation);
        }
    }
    granted.into_iter().map(|(uri, held)| (PulpUri::stored(uri), held.into_iter().collect())).collect()
}

/// Whether being a member of this role, or of one that it is in, is worth an operation on grantd's own users, roles or
/// permissions.
pub(crate) fn role_administers(state: &State, role: &str, now: Micros) -> bool {
    let lasts = |until: Option<Micros>| until.is_none_or(|until| now < until);
    any_above(state, role, now, |members| {
        let mut granted = state.graph().resources_of(members, URI_TYPE);
        granted.any(|found| lasts(found.until) && administers(found.object.id))
    })
}

pub(crate) use uri::administers;
