//! Who belongs to an organization.

use std::collections::BTreeMap;
use std::sync::Arc;

use grantd_engine::{Circumstances, Decision as Verdict, Key, ObjectRef, Question, SubjectRef};

use super::{ORGANIZATION_TYPE, Organization};
use crate::caller::{Actor, Authority, Caller};
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::refusal::Refusal;
use crate::relationship::{exists, key};
use crate::role::{Member, roles_above};
use crate::{Micros, State};

/// A place in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// Speaks for it: its terms, its tokens, its members, and agrees without an approval.
    Admin,
    /// Agrees to what an app may do, as far as its terms allow.
    Member,
}

impl Seat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Member];

    /// The relation's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The seat of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|seat| seat.name() == name)
    }
}

/// The higher seat that a user has in an organization, also by a role.
pub fn seat_of(state: &State, organization: &str, login: &str, now: Micros) -> Option<Seat> {
    let has = |seat: &Seat| {
        let question = Question {
            subject: SubjectRef::Object(ObjectRef { kind: "user", id: login }),
            action: seat.name(),
            resource: ObjectRef { kind: ORGANIZATION_TYPE, id: organization },
        };
        matches!(state.graph().check(&question, &Circumstances::at(now)), Ok(Verdict::Allowed))
    };
    state.organizations().get(organization)?;
    Seat::ALL.into_iter().find(has)
}

/// The organizations that a user has a seat in, in the order of their making.
pub fn organizations_of(state: &State, login: &str, now: Micros) -> Vec<(Arc<Organization>, Seat)> {
    let mut found: BTreeMap<u64, (Arc<Organization>, Seat)> = BTreeMap::new();
    let mut look = |subject: SubjectRef<'_>| {
        for standing in state.graph().resources_of(subject, ORGANIZATION_TYPE) {
            let seat = Seat::of_name(standing.relation);
            let lasts = standing.until.is_none_or(|until| now < until);
            let (Some(seat), true) = (seat, lasts) else { continue };
            let Some(organization) = state.organizations().get(standing.object.id) else { continue };
            let place = found.entry(organization.number).or_insert_with(|| (organization.clone(), seat));
            place.1 = place.1.min(seat);
        }
    };
    look(SubjectRef::Object(ObjectRef { kind: "user", id: login }));
    for role in roles_above(state, login, now) {
        look(crate::role::members_of(&role));
    }
    found.into_values().collect()
}

/// Who has a seat themselves, admins first.
pub fn members(state: &State, organization: &str, now: Micros) -> Vec<(Member, Seat)> {
    let mut members: Vec<(Seat, Member)> = Vec::new();
    for seat in Seat::ALL {
        let object = ObjectRef { kind: ORGANIZATION_TYPE, id: organization };
        for standing in state.graph().subjects_of(object, seat.name()) {
            if standing.until.is_some_and(|until| until <= now) {
                continue;
            }
            match standing.subject {
                SubjectRef::Object(user) if user.kind == "user" => {
                    members.push((seat, Member::User(user.id.into())));
                }
                SubjectRef::Userset(role, _) => members.push((seat, Member::Role(role.id.into()))),
                _ => {}
            }
        }
    }
    members.sort_unstable();
    members.into_iter().map(|(seat, member)| (member, seat)).collect()
}

/// Refuses who is neither an admin of the organization nor holds an authority on grantd.
pub(crate) fn require_admin(
    state: &State,
    organization: &str,
    authority: Authority,
    cx: &Context<'_>,
) -> Result<(), Refusal> {
    if let Caller { actor: Actor::User(login), conferred: None } = cx.caller
        && seat_of(state, organization, login, cx.now) == Some(Seat::Admin)
    {
        return Ok(());
    }
    cx.require(state, authority)
}

fn seat_key(organization: &str, seat: Seat, member: &Member) -> Result<Key, Refusal> {
    key("member", ObjectRef { kind: ORGANIZATION_TYPE, id: organization }, seat.name(), member.subject())
}

/// Gives somebody a seat, in place of the other one.
pub struct SeatMember {
    /// Where.
    pub organization: String,
    /// Who.
    pub member: Member,
    /// Which.
    pub seat: Seat,
}

impl Command for SeatMember {
    /// Whether anything is different now.
    type Answer = bool;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        Organization::find(state, &self.organization)?;
        self.member.find(state)?;
        let mut changes = Vec::new();
        for seat in Seat::ALL {
            let key = seat_key(&self.organization, seat, &self.member)?;
            match (seat == self.seat, exists(state, &key, cx.now)) {
                (true, false) => changes.push(Change::grant(key)),
                (false, true) => changes.push(Change::RelationshipDeleted { key }),
                _ => {}
            }
        }
        let changed = !changes.is_empty();
        Ok(Decision::all(changes, changed))
    }
}

/// Takes somebody's seat. Who has none is no error.
pub struct UnseatMember {
    /// Where.
    pub organization: String,
    /// Who.
    pub member: Member,
}

impl Command for UnseatMember {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        Organization::find(state, &self.organization)?;
        let mut changes = Vec::new();
        for seat in Seat::ALL {
            let key = seat_key(&self.organization, seat, &self.member)?;
            if exists(state, &key, cx.now) {
                changes.push(Change::RelationshipDeleted { key });
            }
        }
        Ok(Decision::all(changes, ()))
    }
}
