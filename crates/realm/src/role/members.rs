//! Who is in a role, and who says so.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use grantd_engine::{Key, ObjectRef, Relationship, Standing, SubjectRef};

use super::{ROLE_TYPE, Role, check_key};
use crate::basis::Basis;
use crate::caller::Authority;
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::managed::{SUPER_USERS, conferred_by_role, require_held};
use crate::pulp::{Operation, PulpUri};
use crate::refusal::Refusal;
use crate::relationship::{exists, key};
use crate::reserved::require_for_members;
use crate::user::User;
use crate::{Micros, State};

/// The relation of members.
const MEMBER: &str = "member";

/// Who can be in a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// A user, by login.
    User(String),
    /// Everybody who is in another role, by its key.
    Role(String),
}

impl Member {
    pub(crate) fn find(&self, state: &State) -> Result<(), Refusal> {
        match self {
            Self::User(login) => User::find(state, login).map(|_| ()),
            Self::Role(key) => Role::find(state, key).map(|_| ()),
        }
    }

    pub(crate) fn subject(&self) -> SubjectRef<'_> {
        match self {
            Self::User(login) => SubjectRef::Object(ObjectRef { kind: "user", id: login }),
            Self::Role(key) => members_of(key),
        }
    }
}

/// As in relationships: `user:alice`, `role:dev#member`.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subject().fmt(f)
    }
}

impl FromStr for Member {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let unfit = || Refusal::invalid("member", "must be `user:<login>` or `role:<key>#member`");
        match text.split_once(':') {
            Some(("user", login)) if !login.is_empty() => Ok(Self::User(login.into())),
            Some(("role", rest)) => {
                let key = rest.strip_suffix("#member").ok_or_else(unfit)?;
                check_key("member", key)?;
                Ok(Self::Role(key.into()))
            }
            _ => Err(unfit()),
        }
    }
}

/// Everybody in a role, as a subject.
pub fn members_of(role: &str) -> SubjectRef<'_> {
    SubjectRef::Userset(ObjectRef { kind: ROLE_TYPE, id: role }, MEMBER)
}

/// Whether something is so for the members of a role, or of one that it is in.
pub(crate) fn any_above(
    state: &State,
    role: &str,
    now: Micros,
    is_so: impl Fn(SubjectRef<'_>) -> bool,
) -> bool {
    let mut seen = BTreeSet::from([role.to_owned()]);
    let mut open = vec![role.to_owned()];
    while let Some(role) = open.pop() {
        let members = members_of(&role);
        if is_so(members) {
            return true;
        }
        for above in state.graph().resources_of(members, ROLE_TYPE) {
            if above.relation == MEMBER && lasts(above.until, now) && seen.insert(above.object.id.to_owned())
            {
                open.push(above.object.id.to_owned());
            }
        }
    }
    false
}

fn lasts(until: Option<Micros>, now: Micros) -> bool {
    until.is_none_or(|until| now < until)
}

fn standing<'a>(state: &'a State, role: &str, now: Micros) -> impl Iterator<Item = Standing<'a>> + use<'a> {
    let role = ObjectRef { kind: ROLE_TYPE, id: role };
    state.graph().subjects_of(role, MEMBER).filter(move |one| lasts(one.until, now))
}

/// Who is in a role themselves, users first, in order of logins and keys.
pub fn members(state: &State, role: &str, now: Micros) -> Vec<Member> {
    let mut members: Vec<Member> = standing(state, role, now)
        .filter_map(|one| match one.subject {
            SubjectRef::Object(user) if user.kind == "user" => Some(Member::User(user.id.into())),
            SubjectRef::Userset(role, _) => Some(Member::Role(role.id.into())),
            _ => None,
        })
        .collect();
    members.sort_unstable();
    members
}

/// The logins of everybody in a role, also by way of roles that are in it.
pub fn everyone_in(state: &State, role: &str, now: Micros) -> BTreeSet<Arc<str>> {
    let mut logins = BTreeSet::new();
    let mut seen = BTreeSet::from([role.to_owned()]);
    let mut open = vec![role.to_owned()];
    while let Some(role) = open.pop() {
        for one in standing(state, &role, now) {
            match one.subject {
                SubjectRef::Object(user) if user.kind == "user" => {
                    logins.insert(Arc::from(user.id));
                }
                SubjectRef::Userset(inner, _) if inner.kind == ROLE_TYPE && seen.insert(inner.id.into()) => {
                    open.push(inner.id.into());
                }
                _ => {}
            }
        }
    }
    logins
}

/// The keys of the roles that a user is in themselves, in order.
pub(crate) fn roles_of(state: &State, login: &str, now: Micros) -> Vec<String> {
    let found = state.graph().resources_of(ObjectRef { kind: "user", id: login }, ROLE_TYPE);
    let lasting = found.filter(|found| found.relation == MEMBER && lasts(found.until, now));
    let mut roles: Vec<String> = lasting.map(|found| found.object.id.to_owned()).collect();
    roles.sort_unstable();
    roles
}

/// The keys of the roles that a user is in, also by way of other roles.
pub(crate) fn roles_above(state: &State, login: &str, now: Micros) -> BTreeSet<String> {
    let mut seen: BTreeSet<String> = roles_of(state, login, now).into_iter().collect();
    let mut open: Vec<String> = seen.iter().cloned().collect();
    while let Some(role) = open.pop() {
        for above in state.graph().resources_of(members_of(&role), ROLE_TYPE) {
            if above.relation == MEMBER && lasts(above.until, now) && seen.insert(above.object.id.to_owned())
            {
                open.push(above.object.id.to_owned());
            }
        }
    }
    seen
}

/// `role:<role> # member @ <member>`.
fn membership(role: &str, member: SubjectRef<'_>) -> Result<Key, Refusal> {
    key("roles", ObjectRef { kind: ROLE_TYPE, id: role }, MEMBER, member)
}

/// Whoever says who is in a role gives, or takes away, what it is worth on grantd itself, so they must hold that. It keeps
/// everybody but super users from changing who is one.
fn require_worth(state: &State, role: &str, cx: &Context<'_>) -> Result<(), Refusal> {
    require_for_members(state, role, cx)?;
    require_held(cx.caller, conferred_by_role(state, role, cx.now), state, cx.now)
}

/// Refuses to take away the last user who can administer the realm.
pub(crate) fn refuse_last_super_user(state: &State, login: &str, now: Micros) -> Result<(), Refusal> {
    let logins = || {
        standing(state, SUPER_USERS, now).filter_map(|one| match one.subject {
            SubjectRef::Object(user) if user.kind == "user" => Some(user.id),
            _ => None,
        })
    };
    let stays = |one: &str| one != login && state.users().get(one).is_some_and(|user| user.active);
    if logins().any(|one| one == login) && !logins().any(stays) {
        return Err(Refusal::LastSuperUser { login: login.into() });
    }
    Ok(())
}

/// Makes a user a member of exactly these roles. The caller needs the right to each that is joined or left.
pub(crate) fn set_roles(
    state: &State,
    cx: &Context<'_>,
    basis: &Basis,
    login: &str,
    wanted: &[String],
) -> Result<Vec<Change>, Refusal> {
    wanted.iter().try_for_each(|role| check_key("roles", role))?;
    let user = SubjectRef::Object(ObjectRef { kind: "user", id: login });
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let held = roles_of(state, login, cx.now);
    let held: BTreeSet<&str> = held.iter().map(String::as_str).collect();
    for role in wanted.symmetric_difference(&held) {
        basis.require_on(Operation::Update, &PulpUri::of_role(role), state, cx)?;
        require_worth(state, role, cx)?;
    }
    let mut changes = Vec::new();
    for role in held.difference(&wanted) {
        if *role == SUPER_USERS {
            refuse_last_super_user(state, login, cx.now)?;
        }
        changes.push(Change::RelationshipDeleted { key: membership(role, user)? });
    }
    for role in wanted.difference(&held) {
        Role::find(state, role)?;
        changes.push(Change::grant(membership(role, user)?));
    }
    Ok(changes)
}

/// Puts somebody into a role. Somebody who is in it already stays, without end.
pub struct AddMember {
    /// Which.
    pub role: String,
    /// Who.
    pub member: Member,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for AddMember {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        Role::find(state, &self.role)?;
        self.member.find(state)?;
        if self.member == Member::Role(self.role.clone()) {
            return Err(Refusal::invalid("member", "a role cannot be a member of itself"));
        }
        require_worth(state, &self.role, cx)?;
        let grant = Relationship::lasting(membership(&self.role, self.member.subject())?);
        if state.graph().get(&grant.key).as_ref() == Some(&grant) {
            return Ok(Decision::unchanged(()));
        }
        Ok(Decision::one(Change::RelationshipWritten { relationship: grant }, ()))
    }
}

/// Takes somebody out of a role. Somebody who is not in it is no error.
pub struct RemoveMember {
    /// Which.
    pub role: String,
    /// Who.
    pub member: Member,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for RemoveMember {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        Role::find(state, &self.role)?;
        let key = membership(&self.role, self.member.subject())?;
        if !exists(state, &key, cx.now) {
            self.member.find(state)?;
            return Ok(Decision::unchanged(()));
        }
        require_worth(state, &self.role, cx)?;
        if let (SUPER_USERS, Member::User(login)) = (self.role.as_str(), &self.member) {
            refuse_last_super_user(state, login, cx.now)?;
        }
        Ok(Decision::one(Change::RelationshipDeleted { key }, ()))
    }
}
