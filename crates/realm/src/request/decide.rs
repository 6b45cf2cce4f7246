//! Requests decided.

use uuid::Uuid;

use super::act::check_params;
use super::create::check_text;
use super::{MAX_PARAMS, MAX_REASON, Outcome, Request, Settlement, Status, may_decide, size_of};
use crate::caller::{Authority, Caller};
use crate::command::{Command, Context, Decision};
use crate::refusal::{Noun, Refusal};
use crate::rule::{Effect, RuleDraft, Scope, create_rule};
use crate::{Micros, State};

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The tool may be used.
    Grant {
        /// With these parameters instead of those asked for: the text of a JSON object.
        edited_params: Option<String>,
    },
    /// It may not.
    Deny,
}

impl Verdict {
    /// Yes, with the parameters asked for.
    pub const GRANT: Self = Self::Grant { edited_params: None };

    fn outcome(&self) -> Outcome {
        match self {
            Self::Grant { .. } => Outcome::Granted,
            Self::Deny => Outcome::Denied,
        }
    }
}

/// What the same decision is to be for from now on: a rule, which allows after a grant and denies after a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remember {
    /// Which tool; see [`crate::rule::Rule`] for the patterns.
    pub tool: String,
    /// Which commands.
    pub command: Option<String>,
    /// Where.
    pub path: Option<String>,
    /// In which sessions.
    pub scope: Scope,
    /// Until when.
    pub expires: Option<Micros>,
}

impl Remember {
    /// What suits a request: this very command, or else the tool, there where it was asked for, in its session. To be changed
    /// before it is used.
    pub fn like(request: &Request) -> Self {
        let command = request.params.text().and_then(super::act::command_pattern);
        Self {
            tool: request.tool.to_string(),
            command,
            path: request.path.as_deref().map(Into::into),
            scope: Scope::Session(request.session.clone()),
            expires: None,
        }
    }

    fn draft(&self, effect: Effect) -> RuleDraft {
        RuleDraft {
            effect,
            tool: self.tool.clone(),
            command: self.command.clone(),
            path: self.path.clone(),
            scope: self.scope.clone(),
            expires: self.expires,
        }
    }
}

/// Decides a request, as an approver of its session or of the realm; never one's own. To say again what was said before is no
/// error and changes nothing, a rule to remember it by included.
#[derive(Debug, Clone)]
pub struct DecideRequest {
    /// Which.
    pub id: Uuid,
    /// Yes or no.
    pub verdict: Verdict,
    /// Why, for the agent and for the record; at most [`MAX_REASON`] bytes.
    pub reason: Option<String>,
    /// A rule to make of it, in the same entry.
    pub remember: Option<Remember>,
}

/// The request, or why somebody is not told of it.
pub(super) fn find<'a>(state: &'a State, cx: &Context<'_>, id: Uuid) -> Result<&'a Request, Refusal> {
    if let Some(request) = state.requests().get(id) {
        return Ok(request);
    }
    // Ids are random: nobody learns anything from one that is not there.
    let concerned = [Authority::Approver, Authority::Requester];
    if concerned.into_iter().any(|authority| cx.caller.holds(authority, state, cx.now)) {
        Err(Refusal::not_found(Noun::Request, id))
    } else {
        Err(Refusal::NotAllowed(Authority::Approver))
    }
}

/// Refuses who may not decide this request.
fn require_approver(state: &State, caller: &Caller, request: &Request, now: Micros) -> Result<(), Refusal> {
    if !may_decide(state, caller, &request.session, now) {
        return Err(Refusal::NotAllowed(Authority::Approver));
    }
    if request.requester == caller.actor.recorded() {
        return Err(Refusal::OwnRequest);
    }
    Ok(())
}

impl Command for DecideRequest {
    /// Its id; what became of it is in the state from this revision on.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Approver;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_approver(state, cx.caller, find(state, cx, self.id)?, cx.now)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let request = find(state, cx, self.id)?;
        let outcome = self.verdict.outcome();
        match request.status_at(cx.now) {
            Status::Pending => {}
            status if status == outcome.status() => return Ok(Decision::unchanged(self.id)),
            status => return Err(Refusal::RequestSettled { id: self.id, status }),
        }
        let edited = match &self.verdict {
            Verdict::Grant { edited_params: Some(params) } => {
                check_text("edited_params", params, MAX_PARAMS)?;
                check_params("edited_params", params)?;
                Some(params.as_str())
            }
            _ => None,
        };
        let reason = self.reason.as_deref().filter(|reason| !reason.is_empty());
        if let Some(reason) = reason {
            check_text("reason", reason, MAX_REASON)?;
        }
        let settlement = Settlement {
            reason: reason.map(|reason| cx.personal(reason)),
            edited_params: edited.map(|params| cx.personal(params)),
            size: size_of(reason.into_iter().chain(edited)),
            ..Settlement::by_actor(request, outcome, cx.caller.actor.recorded())
        };
        let mut changes = vec![settlement.into_change()];
        if let Some(remember) = &self.remember {
            let effect = if outcome == Outcome::Granted { Effect::Allow } else { Effect::Deny };
            let (_, made) = create_rule(&remember.draft(effect), state, cx)?;
            changes.extend(made);
        }
        Ok(Decision::all(changes, self.id))
    }
}
