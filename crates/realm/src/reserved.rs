//! The two roles that are not anybody's to change who may change roles: `super-users`, and `admin`, whose members keep the catalogue.
//!
//! What is asked here is asked by every command that changes a role, what it holds or who is in it, so that it does not matter
//! through which face the command came.

use grantd_engine::{Circumstances, Decision, Key, ObjectRef, Question, Subject, SubjectRef};

use crate::caller::{Actor, Authority, Caller};
use crate::catalogue::PERMISSION_TYPE;
use crate::command::Context;
use crate::managed::SUPER_USERS;
use crate::pulp::URI_TYPE;
use crate::refusal::Refusal;
use crate::role::{ROLE_TYPE, any_above, members_of};
use crate::{Micros, State};

/// The key of the role whose members keep the catalogue: its permissions, its content types and the roles.
pub const ADMIN_ROLE: &str = "admin";

/// Whether a caller keeps the catalogue: a super user, or a member of [`ADMIN_ROLE`].
pub fn keeps_catalogue(state: &State, caller: &Caller, now: Micros) -> bool {
    let is_member = || match caller {
        Caller { actor: Actor::User(login), conferred: None } => is_admin(state, login, now),
        _ => false,
    };
    caller.holds(Authority::Admin, state, now) || is_member()
}

/// Whether a user is in [`ADMIN_ROLE`], themselves or by a role that is in it.
fn is_admin(state: &State, login: &str, now: Micros) -> bool {
    let question = Question {
        subject: SubjectRef::Object(ObjectRef { kind: "user", id: login }),
        action: "member",
        resource: ObjectRef { kind: ROLE_TYPE, id: ADMIN_ROLE },
    };
    matches!(state.graph().check(&question, &Circumstances::at(now)), Ok(Decision::Allowed))
}

/// Refuses who may not change a role itself: make it, delete it, call it otherwise, or say what it holds.
pub(crate) fn require_for_role(state: &State, role: &str, cx: &Context<'_>) -> Result<(), Refusal> {
    let may = match role {
        SUPER_USERS => cx.caller.holds(Authority::Admin, state, cx.now),
        ADMIN_ROLE => keeps_catalogue(state, cx.caller, cx.now),
        _ => true,
    };
    if may { Ok(()) } else { Err(Refusal::ReservedRole { role: role.into() }) }
}

/// Refuses who may not say who is in a role, where being in it is being an admin. Of `super-users` that says what it is worth.
pub(crate) fn require_for_members(state: &State, role: &str, cx: &Context<'_>) -> Result<(), Refusal> {
    let admins = members_of(ADMIN_ROLE);
    if any_above(state, role, cx.now, |members| members == admins)
        && !keeps_catalogue(state, cx.caller, cx.now)
    {
        return Err(Refusal::ReservedRole { role: ADMIN_ROLE.into() });
    }
    Ok(())
}

/// Refuses who may not act on an admin in a way that would let them act as one, or make one an admin no longer.
pub(crate) fn require_for_user(state: &State, login: &str, cx: &Context<'_>) -> Result<(), Refusal> {
    if is_admin(state, login, cx.now) && !keeps_catalogue(state, cx.caller, cx.now) {
        return Err(Refusal::ReservedRole { role: ADMIN_ROLE.into() });
    }
    Ok(())
}

/// Refuses who may not write or delete a relationship as such, where it changes one of the two.
pub(crate) fn require_for_relationship(state: &State, key: &Key, cx: &Context<'_>) -> Result<(), Refusal> {
    match (key.resource.kind(), &key.subject) {
        (ROLE_TYPE, _) => require_for_members(state, key.resource.id(), cx),
        (PERMISSION_TYPE | URI_TYPE, Subject::Userset(role, _)) if role.kind() == ROLE_TYPE => {
            require_for_role(state, role.id(), cx)
        }
        _ => Ok(()),
    }
}
