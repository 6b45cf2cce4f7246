//! One person's view of one state of the realm.

use std::cell::RefCell;

use grantd_node::realm::approval_session::ApprovalSession;
use grantd_node::realm::caller::{Actor, Authority};
use grantd_node::realm::request::{Request, Sight, may_decide};
use grantd_node::realm::{Caller, Micros, State};

/// Whoever is signed in, as who sees and decides.
pub(super) fn caller(login: &str) -> Caller {
    Caller::local(Actor::User(login.to_owned()))
}

/// What somebody sees, at a time.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) now: Micros,
    caller: &'a Caller,
    // It remembers what it was asked.
    sight: RefCell<Sight<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn new(state: &'a State, caller: &'a Caller, now: Micros) -> Self {
        Self { state, now, caller, sight: RefCell::new(Sight::of(caller, state, now)) }
    }

    /// Whether they decide in every session.
    pub(super) fn decides_everywhere(&self) -> bool {
        self.caller.holds(Authority::Approver, self.state, self.now)
    }

    /// Whether they see a session.
    pub(super) fn sees_session(&self, session: &ApprovalSession) -> bool {
        self.sight.borrow_mut().sees_session(session)
    }

    /// Whether they decide in this one.
    pub(super) fn decides_in(&self, session: &str) -> bool {
        may_decide(self.state, self.caller, session, self.now)
    }

    /// Whether they see a request.
    pub(super) fn sees(&self, request: &Request) -> bool {
        self.sight.borrow_mut().sees(request)
    }

    /// Whether they may decide it, as long as it is pending.
    pub(super) fn decides(&self, request: &Request) -> bool {
        self.sight.borrow_mut().decides(request)
    }

    /// Whether they asked for it themselves.
    pub(super) fn is_own(&self, request: &Request) -> bool {
        request.requester == self.caller.actor
    }
}
