//! Organizations made, renamed and deleted.

use super::{Organization, check_name};
use crate::State;
use crate::caller::Authority;
use crate::change::{AppChange, Change};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::Refusal;

/// Makes an organization.
pub struct CreateOrganization {
    /// What people call it.
    pub name: String,
}

/// An organization as it was made.
#[derive(Debug, Clone)]
pub struct OrganizationCreated {
    /// Its id.
    pub id: String,
}

impl Answer for OrganizationCreated {
    fn encode(&self, w: &mut Writer) {
        w.text(&self.id);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { id: r.text()?.into() })
    }
}

impl Command for CreateOrganization {
    type Answer = OrganizationCreated;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<OrganizationCreated>, Refusal> {
        check_name(&self.name)?;
        let id = unused_id(state, cx)?;
        let number = state.organizations().next_number.max(1);
        let change = AppChange::OrganizationCreated { id: id.clone(), number, name: cx.personal(&self.name) };
        Ok(Decision::one(Change::of(change), OrganizationCreated { id }))
    }
}

/// The documented form has room for 90 million.
fn unused_id(state: &State, cx: &mut Context<'_>) -> Result<String, Refusal> {
    const MOST: usize = 10_000_000;
    if state.organizations().len() >= MOST {
        return Err(Refusal::TooMany { what: "organizations", most: MOST as u64 });
    }
    loop {
        let drawn = u64::from_le_bytes(cx.entropy.bytes());
        let id = format!("org_{}", 10_000_000 + drawn % 90_000_000);
        if state.organizations().get(&id).is_none() {
            return Ok(id);
        }
    }
}

/// Says what people call it from now on.
pub struct RenameOrganization {
    /// Which.
    pub id: String,
    /// What people call it.
    pub name: String,
}

impl Command for RenameOrganization {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        check_name(&self.name)?;
        let organization = Organization::find(state, &self.id)?;
        if organization.name.text() == Some(&self.name) {
            return Ok(Decision::unchanged(()));
        }
        let change = AppChange::OrganizationRenamed { id: self.id.clone(), name: cx.personal(&self.name) };
        Ok(Decision::one(Change::of(change), ()))
    }
}

/// Deletes an organization, with its tokens and with every authorization that it gave: one change.
pub struct DeleteOrganization {
    /// Which.
    pub id: String,
}

impl Command for DeleteOrganization {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        Organization::find(state, &self.id)?;
        Ok(Decision::one(Change::of(AppChange::OrganizationDeleted { id: self.id.clone() }), ()))
    }
}
