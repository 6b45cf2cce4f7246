//! Roles: named sets of people. Who is in one is in relationships: `role:qa # member @ user:alice`, or `@ role:dev#member` for
//! everybody in another role.

mod commands;
mod members;

pub use commands::{CreateRole, DeleteRole, RoleView, UpdateRole};
pub use members::{AddMember, Member, RemoveMember, everyone_in, members, members_of};
pub(crate) use members::{any_above, refuse_last_super_user, roles_above, roles_of, set_roles};

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::change::{Stamp, shared};
use crate::managed::SUPER_USERS;
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::{Micros, State};

/// The type of roles.
pub const ROLE_TYPE: &str = "role";

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Alias, never used again.
    pub uuid: Uuid,
    /// Alias, never used again.
    pub number: u64,
    /// The immutable, case-sensitive name by which everything refers to it.
    pub key: Arc<str>,
    /// What people call it, if not by its key.
    pub display_name: Option<Personal>,
    /// What it is for.
    pub description: Option<Personal>,
    /// When it was made.
    pub created_at: Micros,
}

impl Role {
    /// The role, or the refusal that says there is none.
    pub fn find<'a>(state: &'a State, key: &str) -> Result<&'a Self, Refusal> {
        state.roles().get(key).ok_or_else(|| Refusal::not_found(Noun::Role, key))
    }

    /// Whether it is as every realm has it from its making.
    fn is_founding(&self) -> bool {
        *self.key == *SUPER_USERS && self.display_name.is_none() && self.description.is_none()
    }
}

/// The roles of a realm.
#[derive(Clone, Default)]
pub struct Roles {
    pub(crate) by_key: OrdMap<Arc<str>, Role>,
    pub(crate) next_number: u64,
}

impl Roles {
    /// One of them.
    pub fn get(&self, key: &str) -> Option<&Role> {
        self.by_key.get(key)
    }

    /// All, in order of their keys, from the one behind `after` on.
    pub fn iter_after(&self, after: Option<&str>) -> impl Iterator<Item = &Role> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_key.range::<_, str>((from, std::ops::Bound::Unbounded)).map(|(_, role)| role)
    }

    /// Whether they are those that every realm has from its making.
    pub(crate) fn are_founding(&self) -> bool {
        self.next_number <= 2 && self.by_key.values().all(Role::is_founding)
    }

    /// Makes `super-users`, which a realm has from its making, with no change of its own. Its uuid follows from the realm's.
    pub(crate) fn found(&mut self, account: Uuid, stamp: Stamp) -> Result<(), String> {
        let bytes = blake3::derive_key("grantd super-users 1", account.as_bytes());
        let first = bytes.first_chunk::<16>().copied().unwrap_or_default();
        let uuid = uuid::Builder::from_random_bytes(first).into_uuid();
        self.create(uuid, 1, SUPER_USERS, (None, None), stamp)
    }

    pub(crate) fn create(
        &mut self,
        uuid: Uuid,
        number: u64,
        key: &str,
        (display_name, description): (Option<&Personal>, Option<&Personal>),
        stamp: Stamp,
    ) -> Result<(), String> {
        let role = Role {
            uuid,
            number,
            key: shared(key),
            display_name: display_name.map(Personal::stored),
            description: description.map(Personal::stored),
            created_at: stamp.time,
        };
        self.next_number = self.next_number.max(number + 1);
        match self.by_key.insert(shared(key), role) {
            None => Ok(()),
            Some(_) => Err(format!("role `{key}` exists already")),
        }
    }

    pub(crate) fn change(
        &mut self,
        key: &str,
        display_name: Option<&Personal>,
        description: Option<&Personal>,
    ) -> Result<(), String> {
        let role = self.by_key.get_mut(key).ok_or_else(|| format!("there is no role `{key}`"))?;
        role.display_name = display_name.map(Personal::stored);
        role.description = description.map(Personal::stored);
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: &str) -> Result<(), String> {
        self.by_key.remove(key).map(|_| ()).ok_or_else(|| format!("there is no role `{key}`"))
    }

    pub(crate) fn erase_texts(&mut self, key: &str) {
        if let Some(role) = self.by_key.get_mut(key) {
            role.display_name = role.display_name.as_ref().map(Personal::erased);
            role.description = role.description.as_ref().map(Personal::erased);
        }
    }
}

pub(crate) fn check_key(field: &'static str, key: &str) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if (1..=255).contains(&key.len()) && key.bytes().all(fits) {
        Ok(())
    } else {
        Err(Refusal::invalid(field, "a role's key must be 1 to 255 of letters, digits, `-` and `_`"))
    }
}
