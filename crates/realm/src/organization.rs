//! Organizations: who agrees to what an app may do. Who belongs to one is in relationships (`mollie_organization:<id> # admin` or
//! `# member @ user:ann`, or `@ role:finance#member`); this is the record.

mod approvals;
mod commands;
mod policy;
mod seats;
mod tokens;

pub use approvals::{Approval, ApproveApp, WithdrawApproval};
pub use commands::{CreateOrganization, DeleteOrganization, OrganizationCreated, RenameOrganization};
pub use policy::{Policy, SetAuthorizationPolicy};
pub(crate) use seats::require_admin;
pub use seats::{Seat, SeatMember, UnseatMember, members, organizations_of, seat_of};
pub use tokens::{
    IssueOrganizationToken, MAX_TOKENS, OrganizationToken, OrganizationTokenIssued, RevokeOrganizationToken,
};

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::change::{Stamp, shared};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::{Micros, State};

/// The type of organizations.
pub const ORGANIZATION_TYPE: &str = "mollie_organization";

/// An organization.
#[derive(Debug, Clone)]
pub struct Organization {
    /// `org_` and 8 digits.
    pub id: Arc<str>,
    /// Counts up in the order of their making; never used again.
    pub number: u64,
    /// What people call it.
    pub name: Personal,
    /// When it was made.
    pub created_at: Micros,
    /// On what terms its members agree to anything.
    pub policy: Policy,
    pub(crate) approvals: OrdMap<Arc<str>, Approval>,
    pub(crate) tokens: OrdMap<Uuid, OrganizationToken>,
}

impl Organization {
    /// The organization, or the refusal that says there is none.
    pub fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<Self>, Refusal> {
        state.organizations().get(id).ok_or_else(|| Refusal::not_found(Noun::Organization, id))
    }

    /// What an admin of it has approved for an app.
    pub fn approval(&self, client_id: &str) -> Option<&Approval> {
        self.approvals.get(client_id)
    }

    /// All that its admins have approved, in order of the client ids.
    pub fn approvals(&self) -> impl Iterator<Item = (&str, &Approval)> {
        self.approvals.iter().map(|(client_id, approval)| (&**client_id, approval))
    }

    /// One of the tokens of its own.
    pub fn token(&self, id: Uuid) -> Option<&OrganizationToken> {
        self.tokens.get(&id)
    }

    /// The tokens of its own, in order of their ids.
    pub fn tokens(&self) -> impl Iterator<Item = &OrganizationToken> {
        self.tokens.values()
    }
}

/// The organizations of a realm.
#[derive(Clone, Default)]
pub struct Organizations {
    pub(crate) by_id: OrdMap<Arc<str>, Arc<Organization>>,
    pub(crate) by_number: OrdMap<u64, Arc<str>>,
    pub(crate) next_number: u64,
}

impl Organizations {
    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Arc<Organization>> {
        self.by_id.get(id)
    }

    /// One of them by number.
    pub fn by_number(&self, number: u64) -> Option<&Arc<Organization>> {
        self.by_id.get(self.by_number.get(&number)?)
    }

    /// All, in the order of their making, from the one behind this number on.
    pub fn iter_after(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<Organization>> {
        self.by_number.range(number.saturating_add(1)..).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Result<&mut Organization, String> {
        let found = self.by_id.get_mut(id).map(Arc::make_mut);
        found.ok_or_else(|| format!("there is no organization `{id}`"))
    }

    pub(crate) fn create(
        &mut self,
        id: &str,
        number: u64,
        name: &Personal,
        stamp: Stamp,
    ) -> Result<(), String> {
        self.insert(Organization {
            id: shared(id),
            number,
            name: name.stored(),
            created_at: stamp.time,
            policy: Policy::default(),
            approvals: OrdMap::new(),
            tokens: OrdMap::new(),
        })
    }

    pub(crate) fn insert(&mut self, organization: Organization) -> Result<(), String> {
        let (id, number) = (organization.id.clone(), organization.number);
        self.next_number = self.next_number.max(number + 1);
        let known = self.by_number.insert(number, id.clone()).is_some();
        if self.by_id.insert(id.clone(), Arc::new(organization)).is_some() || known {
            return Err(format!("organization `{id}` or its number exists already"));
        }
        Ok(())
    }

    pub(crate) fn delete(&mut self, id: &str) -> Result<Arc<Organization>, String> {
        let gone = self.by_id.remove(id).ok_or_else(|| format!("there is no organization `{id}`"))?;
        self.by_number.remove(&gone.number);
        Ok(gone)
    }

    /// What people call it, and its tokens.
    pub(crate) fn erase_names(&mut self, id: &str) {
        if let Ok(organization) = self.get_mut(id) {
            organization.name = organization.name.erased();
            let tokens = organization.tokens.iter();
            let nameless =
                |token: &OrganizationToken| OrganizationToken { name: token.name.erased(), ..token.clone() };
            organization.tokens = tokens.map(|(id, token)| (*id, nameless(token))).collect();
        }
    }
}

/// What people call an organization, an app or a token.
pub(crate) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(Refusal::invalid("name", "must be 1 to 255 bytes without control characters"));
    }
    Ok(())
}
