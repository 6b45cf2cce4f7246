//! Requests that end without a decision.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::decide::find;
use super::rights::is_theirs;
use super::{Decider, Outcome, Settlement, Status, may_decide};
use crate::State;
use crate::caller::{Actor, Authority};
use crate::command::{Command, Context, Decision};
use crate::refusal::Refusal;

/// Takes a request back: whoever made it, or who may decide it.
#[derive(Debug, Clone)]
pub struct CancelRequest {
    /// Which.
    pub id: Uuid,
}

impl Command for CancelRequest {
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Requester;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        let request = find(state, cx, self.id)?;
        let is_theirs = is_theirs(state, cx.caller, &request.requester, request.created_at);
        if is_theirs || may_decide(state, cx.caller, &request.session, cx.now) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed(Authority::Approver))
        }
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let request = find(state, cx, self.id)?;
        match request.status_at(cx.now) {
            Status::Pending => {}
            Status::Cancelled => return Ok(Decision::unchanged(self.id)),
            status => return Err(Refusal::RequestSettled { id: self.id, status }),
        }
        let settlement = Settlement::by_actor(request, Outcome::Cancelled, cx.caller.actor.recorded());
        Ok(Decision::one(settlement.into_change(), self.id))
    }
}

/// Puts on record that requests were not decided in time, as far as that is so. No answer waits for it: what is over is over.
#[derive(Debug, Clone)]
pub struct ExpireRequests {
    /// Which; see [`super::Requests::overdue`].
    pub ids: Vec<Uuid>,
}

impl Command for ExpireRequests {
    /// How many it was so for.
    type Answer = u64;
    const REQUIRES: Authority = Authority::Admin;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        match cx.caller.actor {
            Actor::System(_) => cx.require(state, Self::REQUIRES),
            _ => Err(Refusal::NotAllowed(Self::REQUIRES)),
        }
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<u64>, Refusal> {
        let named: BTreeSet<Uuid> = self.ids.iter().copied().collect();
        let pending = named.into_iter().filter_map(|id| state.requests().get(id));
        let over =
            pending.filter(|request| request.status == Status::Pending && request.expires_at <= cx.now);
        let expire = |request| Settlement::new(request, Outcome::Expired, Decider::Timeout).into_change();
        let changes: Vec<_> = over.map(|request| expire(request)).collect();
        let count = changes.len() as u64;
        Ok(Decision::all(changes, count))
    }
}
