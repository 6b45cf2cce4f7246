//! The list of realms, kept in the realm `system`, and the making of a realm.

use std::sync::Arc;

use grantd_engine::{Key, ObjectRef, SubjectRef};
use imbl::OrdMap;

use crate::caller::Authority;
use crate::change::{Change, Stamp, shared};
use crate::command::{Command, Context, Decision};
use crate::managed::SUPER_USERS;
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::{Micros, State};

/// The realm that holds realms, system keys and settings.
pub const SYSTEM: &str = "system";

/// The realm that a call without a realm means.
pub const DEFAULT: &str = "default";

/// The realms of a store.
#[derive(Clone, Default)]
pub struct Realms {
    pub(crate) created: OrdMap<Arc<str>, Micros>,
}

impl Realms {
    /// Their names, in order, each with the time at which it was listed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Micros)> {
        self.created.iter().map(|(name, created)| (name.as_ref(), *created))
    }

    /// Whether a realm of that name is listed.
    pub fn contains(&self, name: &str) -> bool {
        self.created.contains_key(name)
    }

    pub(crate) fn list(&mut self, name: &str, stamp: Stamp) {
        self.created.insert(shared(name), stamp.time);
    }
}

/// A realm's name: 1 to 64 of `[a-z0-9-]`, not starting with a hyphen.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (1..=64).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid("realm", "must be 1 to 64 of `a-z`, `0-9` and `-`, not starting with `-`"))
    }
}

/// The first command of a realm's ledger: gives it its name and its account id, and its super users every authority.
pub struct CreateRealm {
    /// Its name.
    pub name: String,
}

impl Command for CreateRealm {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        check_name(&self.name)?;
        if !state.name().is_empty() {
            return Err(Refusal::exists(Noun::Realm, &self.name));
        }
        let account = cx.entropy.uuid();
        let created = Change::RealmCreated { name: self.name.clone(), account };
        Ok(Decision::all(vec![created, Change::grant(super_users_administer(&self.name)?)], ()))
    }
}

/// `grantd:<realm> # admin @ role:super-users#member`.
fn super_users_administer(realm: &str) -> Result<Key, Refusal> {
    let super_users = ObjectRef { kind: "role", id: SUPER_USERS };
    let grantd = ObjectRef { kind: "grantd", id: realm };
    key("realm", grantd, Authority::Admin.name(), SubjectRef::Userset(super_users, "member"))
}

/// Lists a realm in the realm `system`.
pub struct ListRealm {
    /// Its name.
    pub name: String,
}

impl Command for ListRealm {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        check_name(&self.name)?;
        if state.realms().contains(&self.name) {
            return Ok(Decision::unchanged(()));
        }
        Ok(Decision::one(Change::RealmListed { name: self.name.clone() }, ()))
    }
}
