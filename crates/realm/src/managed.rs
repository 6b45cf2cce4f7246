//! Managed relations, and the rule that nobody raises anybody above themselves.

use grantd_engine::{Key, Subject, SubjectRef};

use crate::approval_session::{PARENT, SESSION_TYPE};
use crate::authorization::{GRANTED, SCOPE_TYPE};
use crate::caller::{Authorities, Authority, Caller};
use crate::pulp::{URI_TYPE, administers, role_administers};
use crate::refusal::Refusal;
use crate::role::{any_above, members_of};
use crate::{Micros, State};

/// The role whose members hold every authority.
pub const SUPER_USERS: &str = "super-users";

/// Refuses a generic write or delete of a relationship that a record or a rule stands behind.
pub(crate) fn refuse_managed(key: &Key) -> Result<(), Refusal> {
    let Some(instead) = managed_by(key) else { return Ok(()) };
    let relation = format!("{}#{}", key.resource.kind(), key.relation);
    Err(Refusal::ManagedRelation { relation, instead })
}

/// The call that a relationship changes by, if a record or a rule stands behind it.
pub fn managed_by(key: &Key) -> Option<&'static str> {
    Some(match (key.resource.kind(), key.relation.as_str(), &key.subject) {
        ("grantd", "admin", _) => "POST /api/v1/keys with grants, or the role `super-users`",
        ("role", "member", _) if key.resource.id() == SUPER_USERS => {
            "PUT or DELETE /api/v1/roles/super-users/members/{member}"
        }
        (URI_TYPE, _, Subject::Userset(role, _)) if role.kind() == "role" && role.id() == SUPER_USERS => {
            "another role: what `super-users` may do is fixed"
        }
        (SESSION_TYPE, PARENT, _) => "POST /api/v1/approval-sessions with parent",
        (SCOPE_TYPE, GRANTED, _) => "consent, or POST and DELETE /api/v1/authorizations",
        ("fs_vm", "login", _) => "the identities API: .../permissions/vm/{vm_id}",
        ("fs_repo", "read", Subject::Wildcard(_)) => "PUT /git/v1/repo/{repo}/visibility",
        _ => return None,
    })
}

/// What a relationship would give its subject of grantd's own authorities: a role's membership gives what the
/// role holds.
pub(crate) fn conferred(state: &State, key: &Key, now: Micros) -> Authorities {
    match key.resource.kind() {
        "grantd" => Authority::of_name(key.relation.as_str()).map_or_else(Authorities::default, implied),
        "role" => conferred_by_role(state, key.resource.id(), now),
        // Who says who decides decides in the end.
        SESSION_TYPE => implied(Authority::Approver),
        _ => Authorities::default(),
    }
}

/// What being in a role is worth of grantd's own authorities.
pub(crate) fn conferred_by_role(state: &State, role: &str, now: Micros) -> Authorities {
    let lasts = |until: Option<Micros>| until.is_none_or(|until| now < until);
    let decides = |members: SubjectRef<'_>| {
        state.graph().resources_of(members, SESSION_TYPE).any(|found| lasts(found.until))
    };
    let holds = |a: &Authority| {
        state.subject_holds(members_of(role), *a, now)
            || *a == Authority::Approver && any_above(state, role, now, decides)
    };
    Authority::ALL.into_iter().filter(holds).collect()
}

/// What somebody must hold to write or delete a relationship as such: what it confers; and to run the realm, where it is about
/// operations on the users, roles and permissions of the realm itself, which the dialect's own calls ask for.
pub(crate) fn at_stake(state: &State, key: &Key, now: Micros) -> Authorities {
    let conferred = conferred(state, key, now);
    let administers = match key.resource.kind() {
        URI_TYPE => administers(key.resource.id()),
        "role" => role_administers(state, key.resource.id(), now),
        _ => false,
    };
    let is_at_stake = |a: &Authority| conferred.contains(*a) || administers && *a == Authority::Operator;
    Authority::ALL.into_iter().filter(is_at_stake).collect()
}

/// An authority and those that follow from it by `schemas/grantd.fga`; held to that file by a test.
pub(crate) fn implied(authority: Authority) -> Authorities {
    match authority {
        Authority::Admin => Authorities::all(),
        Authority::Writer => [Authority::Writer, Authority::Checker].into_iter().collect(),
        other => [other].into_iter().collect(),
    }
}

/// Refuses when the caller would give (or take over) authorities that they do not hold themselves.
pub(crate) fn require_held(
    caller: &Caller,
    given: Authorities,
    state: &State,
    now: Micros,
) -> Result<(), Refusal> {
    match given.missing_from(caller.authorities(state, now)).next() {
        None => Ok(()),
        Some(missing) => Err(Refusal::NotHeld(missing)),
    }
}
