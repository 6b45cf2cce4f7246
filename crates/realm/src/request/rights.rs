//! Who decides a request, and who sees it.

use std::collections::HashMap;

use grantd_engine::{Circumstances, Decision, ObjectRef, Question, SubjectRef};

use super::Request;
use crate::approval_session::{ApprovalSession, SESSION_TYPE};
use crate::caller::{Actor, Authority, Caller};
use crate::{Micros, State};

/// Whether somebody may decide the requests of a session: as an approver of the realm, or on the session or one above it. Their
/// own requests nobody may; see [`super::DecideRequest`].
pub fn may_decide(state: &State, caller: &Caller, session: &str, now: Micros) -> bool {
    caller.holds(Authority::Approver, state, now) || is_approver_on(state, caller, session, now)
}

fn is_approver_on(state: &State, caller: &Caller, session: &str, now: Micros) -> bool {
    let Some((kind, id)) = caller.object() else { return false };
    let question = Question {
        subject: SubjectRef::Object(ObjectRef { kind, id: &id }),
        action: "approver",
        resource: ObjectRef { kind: SESSION_TYPE, id: session },
    };
    matches!(state.graph().check(&question, &Circumstances::at(now)), Ok(Decision::Allowed))
}

/// Whether the caller made what somebody of this name made then. A login made again is another user.
pub(crate) fn is_theirs(state: &State, caller: &Caller, by: &Actor, at: Micros) -> bool {
    let is_newer = match by {
        Actor::User(login) => state.users().get(login).is_some_and(|user| user.created_at > at),
        _ => false,
    };
    *by == caller.actor.recorded() && !is_newer
}

/// What of the requests and sessions somebody sees: all of the realm, as approver or auditor; those of sessions that they are an
/// approver on; and what they made themselves.
pub struct Sight<'a> {
    state: &'a State,
    caller: &'a Caller,
    actor: Actor,
    now: Micros,
    all: bool,
    sessions: HashMap<String, bool>,
}

impl<'a> Sight<'a> {
    /// Theirs, on this state, at this time.
    pub fn of(caller: &'a Caller, state: &'a State, now: Micros) -> Self {
        let holds = |authority| caller.holds(authority, state, now);
        let all = holds(Authority::Approver) || holds(Authority::Auditor);
        let actor = caller.actor.recorded();
        Self { state, caller, actor, now, all, sessions: HashMap::new() }
    }

    /// Whether they see everything.
    pub fn is_whole(&self) -> bool {
        self.all
    }

    /// Whether they see this request.
    pub fn sees(&mut self, request: &Request) -> bool {
        self.all
            || is_theirs(self.state, self.caller, &request.requester, request.created_at)
            || self.decides_in(&request.session)
    }

    /// Whether they see this session.
    pub fn sees_session(&mut self, session: &ApprovalSession) -> bool {
        self.all
            || is_theirs(self.state, self.caller, &session.created_by, session.created_at)
            || self.decides_in(&session.id)
    }

    /// Whether they may decide this request, as far as its status allows.
    pub fn decides(&mut self, request: &Request) -> bool {
        request.requester != self.actor
            && (self.caller.holds(Authority::Approver, self.state, self.now)
                || self.decides_in(&request.session))
    }

    fn decides_in(&mut self, session: &str) -> bool {
        if let Some(known) = self.sessions.get(session) {
            return *known;
        }
        let decides = is_approver_on(self.state, self.caller, session, self.now);
        self.sessions.insert(session.to_owned(), decides);
        decides
    }
}
