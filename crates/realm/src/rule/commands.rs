//! Rules made and deleted.

use uuid::Uuid;

use super::pattern::{CommandPattern, PathPattern, ToolPattern};
use super::{Effect, MAX_RULES, Rule, RuleForm, Scope};
use crate::approval_session::find;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::command::{Command, Context, Decision};
use crate::refusal::{Noun, Refusal};
use crate::request::may_decide;
use crate::{Micros, State};

/// A rule to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDraft {
    /// What it answers.
    pub effect: Effect,
    /// Which tools: a name, in which `*` stands for anything.
    pub tool: String,
    /// Which shell commands: see [`CommandPattern`]. It speaks of tools only that have a parameter `command` or `cmd`.
    pub command: Option<String>,
    /// Which paths: see [`PathPattern`].
    pub path: Option<String>,
    /// Where it counts.
    pub scope: Scope,
    /// From then on it counts no more.
    pub expires: Option<Micros>,
}

impl RuleDraft {
    /// Refuses what no rule can be made of.
    pub fn check(&self, now: Micros) -> Result<(), Refusal> {
        ToolPattern::check(&self.tool)?;
        self.command.as_deref().map_or(Ok(()), CommandPattern::check)?;
        self.path.as_deref().map_or(Ok(()), PathPattern::check)?;
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::invalid("expires", "must be in the future"));
        }
        Ok(())
    }

    fn form(&self, id: Uuid, number: u64, cx: &Context<'_>) -> RuleForm {
        RuleForm {
            id,
            number,
            effect: self.effect,
            tool: shared(&self.tool),
            command: self.command.as_deref().map(shared),
            path: self.path.as_deref().map(shared),
            scope: self.scope.clone(),
            expires: self.expires,
            by: cx.caller.actor.recorded(),
        }
    }

    /// The same rule as if it were there already, to be tried.
    pub fn tried(&self, id: Uuid) -> Rule {
        let form = RuleForm {
            id,
            number: u64::MAX - 1,
            effect: self.effect,
            tool: shared(&self.tool),
            command: self.command.as_deref().map(shared),
            path: self.path.as_deref().map(shared),
            scope: self.scope.clone(),
            expires: self.expires,
            by: crate::Actor::System("system"),
        };
        Rule::of(&form, 0)
    }
}

/// Refuses who may not make or delete rules of this scope.
fn require(scope: &Scope, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
    match scope {
        Scope::Realm => cx.require(state, Authority::Approver),
        Scope::Session(session) if may_decide(state, cx.caller, session, cx.now) => Ok(()),
        Scope::Session(_) => Err(Refusal::NotAllowed(Authority::Approver)),
    }
}

/// The changes that make a rule, for whatever command makes one, and its id. A rule that is there already is made no second time.
pub(crate) fn create_rule(
    draft: &RuleDraft,
    state: &State,
    cx: &mut Context<'_>,
) -> Result<(Uuid, Vec<Change>), Refusal> {
    require(&draft.scope, state, cx)?;
    draft.check(cx.now)?;
    if let Scope::Session(session) = &draft.scope {
        find(state, session)?;
    }
    let id = cx.entropy.uuid();
    let rules = state.rules();
    let wanted = draft.form(id, 0, cx);
    let is_same = |rule: &&std::sync::Arc<Rule>| RuleForm { id, number: 0, ..rule.form() } == wanted;
    if let Some(rule) = rules.iter_after(0).find(is_same) {
        return Ok((rule.id, Vec::new()));
    }
    let over = rules.iter_after(0).filter(|rule| !rule.is_live(cx.now));
    let mut changes: Vec<Change> = over.map(|rule| Change::RuleDeleted { id: rule.id }).collect();
    if rules.len() - changes.len() >= MAX_RULES {
        return Err(Refusal::TooMany { what: "rules", most: MAX_RULES as u64 });
    }
    let rule = Box::new(draft.form(id, rules.next_number.max(1), cx));
    changes.push(Change::RuleCreated { rule });
    Ok((id, changes))
}

/// Makes a rule: an approver of the realm, or for a session one of that.
#[derive(Debug, Clone)]
pub struct CreateRule {
    /// The rule.
    pub draft: RuleDraft,
}

impl Command for CreateRule {
    /// Its id.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Approver;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require(&self.draft.scope, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let (id, changes) = create_rule(&self.draft, state, cx)?;
        Ok(Decision::all(changes, id))
    }
}

/// Deletes a rule: who could make it.
#[derive(Debug, Clone)]
pub struct DeleteRule {
    /// Which.
    pub id: Uuid,
}

impl Command for DeleteRule {
    type Answer = ();
    const REQUIRES: Authority = Authority::Approver;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        match state.rules().get(self.id) {
            Some(rule) => require(&rule.scope, state, cx),
            None => cx.require(state, Authority::Approver),
        }
    }

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        match state.rules().get(self.id) {
            Some(_) => Ok(Decision::one(Change::RuleDeleted { id: self.id }, ())),
            None => Err(Refusal::not_found(Noun::Rule, self.id)),
        }
    }
}
