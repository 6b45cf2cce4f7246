//! Who may agree for an organization, and what is kept of their agreement.

use std::sync::Arc;

use super::{Authorization, authorization_of, is_granted};
use crate::organization::{Organization, Seat, seat_of};
use crate::personal::Personal;
use crate::refusal::{ConsentProblem, Refusal};
use crate::{Micros, State};

/// That somebody agreed: evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who, by login.
    pub user: Arc<str>,
    /// The version of the texts that they were shown.
    pub text_version: u32,
    /// In which language.
    pub locale: Arc<str>,
    /// From which address.
    pub address: Personal,
    /// When.
    pub at: Micros,
}

/// What of these scopes an app does not have at an organization: what a consent would add. In the order given.
pub fn missing(state: &State, app: &str, organization: &str, scopes: &[String], now: Micros) -> Vec<String> {
    let authorization = authorization_of(state, app, organization, now);
    let has = |scope: &str| authorization.is_some_and(|found| is_granted(state, found, scope, now));
    scopes.iter().filter(|scope| !has(scope)).cloned().collect()
}

/// Whether a user may agree that an app has these scopes at an organization: an admin may, and a member if the organization's
/// terms ask for no approval, or these are approved.
pub fn may_consent(
    state: &State,
    login: &str,
    organization: &str,
    app: &str,
    scopes: &[String],
    now: Micros,
) -> Result<(), Refusal> {
    let organization = Organization::find(state, organization)?;
    let is_approved = || organization.approval(app).is_some_and(|approval| approval.covers(scopes));
    match seat_of(state, &organization.id, login, now) {
        None => Err(Refusal::Consent(ConsentProblem::NotMember)),
        Some(Seat::Admin) => Ok(()),
        Some(Seat::Member) if !organization.policy.approval || is_approved() => Ok(()),
        Some(Seat::Member) => Err(Refusal::Consent(ConsentProblem::ApprovalNeeded)),
    }
}

/// Whether a user may take away what an app has at an organization: an admin may, and a member if the organization's terms ask for no
/// approval, or they agreed to it themselves.
pub fn may_end(state: &State, login: &str, authorization: &Authorization, now: Micros) -> bool {
    let Some(organization) = state.organizations().get(&authorization.organization) else { return false };
    let agreed = || authorization.consent.as_ref().is_some_and(|consent| *consent.user == *login);
    match seat_of(state, &organization.id, login, now) {
        None => false,
        Some(Seat::Admin) => true,
        Some(Seat::Member) => !organization.policy.approval || agreed(),
    }
}
