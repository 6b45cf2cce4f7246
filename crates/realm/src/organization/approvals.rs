//! What an organization's admins let its members agree to.

use std::sync::Arc;

use super::{Organization, require_admin};
use crate::app::App;
use crate::caller::{Actor, Authority};
use crate::change::{AppChange, Change};
use crate::command::{Command, Context, Decision};
use crate::refusal::{Noun, Refusal};
use crate::scope::check_list;
use crate::{Micros, State};

/// That members may agree to these scopes for an app, and to no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// In order.
    pub scopes: Vec<Arc<str>>,
    /// Who approved it.
    pub by: Actor,
    /// When.
    pub at: Micros,
}

impl Approval {
    /// Whether all of these are approved.
    pub fn covers(&self, scopes: &[String]) -> bool {
        scopes.iter().all(|scope| self.scopes.iter().any(|approved| **approved == **scope))
    }
}

/// Approves exactly these scopes for an app, in place of what was approved before. What an app asks for beyond needs another approval.
pub struct ApproveApp {
    /// For whose members.
    pub organization: String,
    /// Which app, by client id.
    pub app: String,
    /// Which scopes.
    pub scopes: Vec<String>,
}

impl Command for ApproveApp {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let organization = Organization::find(state, &self.organization)?;
        App::find(state, &self.app)?;
        if self.scopes.is_empty() {
            return Err(Refusal::invalid(
                "scopes",
                "must name at least one; to approve nothing, delete the approval",
            ));
        }
        let scopes = check_list(state, "scopes", &self.scopes)?;
        if organization.approval(&self.app).is_some_and(|known| known.scopes == scopes) {
            return Ok(Decision::unchanged(()));
        }
        let (organization, app) = (self.organization.clone(), self.app.clone());
        let by = cx.caller.actor.recorded();
        Ok(Decision::one(Change::of(AppChange::AppApproved { organization, app, scopes, by }), ()))
    }
}

/// Takes an approval back. What was agreed on by it stays agreed on.
pub struct WithdrawApproval {
    /// For whose members.
    pub organization: String,
    /// Which app, by client id.
    pub app: String,
}

impl Command for WithdrawApproval {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_admin(state, &self.organization, Self::REQUIRES, cx)
    }

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let organization = Organization::find(state, &self.organization)?;
        if organization.approval(&self.app).is_none() {
            return Err(Refusal::not_found(Noun::Approval, &self.app));
        }
        let (organization, app) = (self.organization.clone(), self.app.clone());
        Ok(Decision::one(Change::of(AppChange::ApprovalWithdrawn { organization, app }), ()))
    }
}
