//! On what terms an organization's members agree to anything.

use super::{Organization, require_admin};
use crate::caller::Authority;
use crate::change::{AppChange, Change};
use crate::command::{Command, Context, Decision};
use crate::refusal::Refusal;
use crate::{Micros, State};

/// The shortest life that a policy can set: a minute.
const SHORTEST: Micros = 60 * 1_000_000;

/// The longest: a hundred years.
const LONGEST: Micros = 36_525 * 24 * 3_600 * 1_000_000;

/// The terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// What is agreed on ends after so many microseconds. What was agreed on before keeps its end.
    pub longest_life: Option<Micros>,
    /// Members agree only to what an admin has approved for the app. Admins need no approval.
    pub approval: bool,
}

/// Sets an organization's terms for what is agreed on from now on.
pub struct SetAuthorizationPolicy {
    /// Whose.
    pub organization: String,
    /// The terms.
    pub policy: Policy,
}

impl Command for SetAuthorizationPolicy {
    /// Whether anything is different now.
    type Answer = bool;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        let organization = Organization::find(state, &self.organization)?;
        if self.policy.longest_life.is_some_and(|life| !(SHORTEST..=LONGEST).contains(&life)) {
            return Err(Refusal::invalid(
                "longest_life_seconds",
                "must be 60 to 3155760000, or null for no end",
            ));
        }
        if organization.policy == self.policy {
            return Ok(Decision::unchanged(false));
        }
        let change = AppChange::PolicySet { organization: self.organization.clone(), policy: self.policy };
        Ok(Decision::one(Change::of(change), true))
    }
}
