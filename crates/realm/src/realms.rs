//! The list of realms, kept in the realm `system`, and the making of a realm.

use std::ops::Bound;
use std::sync::Arc;

use grantd_engine::{Key, ObjectRef};
use imbl::OrdMap;

use crate::caller::Authority;
use crate::catalogue::beginning;
use crate::change::{Change, Stamp, shared};
use crate::command::{Command, Context, Decision, SealedWrite};
use crate::managed::SUPER_USERS;
use crate::pulp::{Operation, PulpUri, grant_key};
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::role::members_of;
use crate::sealed::sealed_secrets;
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

    pub(crate) fn unlist(&mut self, name: &str) -> Result<(), String> {
        self.created.remove(name).map(|_| ()).ok_or_else(|| format!("realm `{name}` is not listed"))
    }

    /// Those behind a name, in order, each with the time at which it was listed.
    pub fn iter_after<'a>(
        &'a self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, Micros)> + use<'a> {
        let from = after.map_or(Bound::Unbounded, |name| Bound::Excluded(Arc::from(name)));
        self.created
            .range::<_, Arc<str>>((from, Bound::Unbounded))
            .map(|(name, created)| (name.as_ref(), *created))
    }

    /// When a realm was listed, if it is.
    pub fn listed_at(&self, name: &str) -> Option<Micros> {
        self.created.get(name).copied()
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

/// The first command of a realm's ledger: gives it its name and its account id, its super users every authority, and, but for
/// `system`, what its catalogue begins with.
pub struct CreateRealm {
    /// Its name.
    pub name: String,
}

impl Command for CreateRealm {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;
    const FOUNDS_REALM: bool = true;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        check_name(&self.name)?;
        if !state.name().is_empty() {
            return Err(Refusal::exists(Noun::Realm, &self.name));
        }
        let account = cx.entropy.uuid();
        let mut changes = vec![Change::RealmCreated { name: self.name.clone(), account }];
        changes.extend(held_by_super_users(&self.name)?.into_iter().map(Change::grant));
        if self.name != SYSTEM {
            let mut made = state.clone();
            let stamp = Stamp { revision: 1, time: cx.now };
            for change in &changes {
                made.apply(change, stamp).map_err(|misfit| Refusal::invalid("realm", misfit.problem))?;
            }
            changes.extend(beginning(&made, cx)?);
        }
        Ok(Decision::all(changes, ()))
    }
}

/// What super users hold in every realm: `admin` on `grantd:<realm>`, and every operation on `pulp_uri:/`.
pub fn held_by_super_users(realm: &str) -> Result<Vec<Key>, Refusal> {
    let super_users = members_of(SUPER_USERS);
    let grantd = ObjectRef { kind: "grantd", id: realm };
    let mut held = vec![key("realm", grantd, Authority::Admin.name(), super_users)?];
    for operation in Operation::ALL {
        held.push(grant_key(&PulpUri::root(), operation, super_users)?);
    }
    Ok(held)
}

/// Lists a realm in the realm `system`.
pub struct ListRealm {
    /// Its name.
    pub name: String,
}

/// Whether it changed the list.
impl Command for ListRealm {
    type Answer = bool;
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        check_name(&self.name)?;
        if state.realms().contains(&self.name) {
            return Ok(Decision::unchanged(false));
        }
        Ok(Decision::one(Change::RealmListed { name: self.name.clone() }, true))
    }
}

/// Takes a realm off the list in the realm `system`.
pub struct UnlistRealm {
    /// Its name.
    pub name: String,
}

/// Whether it changed the list.
impl Command for UnlistRealm {
    type Answer = bool;
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        if !state.realms().contains(&self.name) {
            return Ok(Decision::unchanged(false));
        }
        Ok(Decision::one(Change::RealmUnlisted { name: self.name.clone() }, true))
    }
}

/// The last command of a realm: of everything in it nothing is left but the ledger.
pub struct DeleteRealm {
    /// Its name, so that a mistake in the address deletes nothing.
    pub name: String,
}

impl Command for DeleteRealm {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        // A realm's own administrators rule in it, not over it.
        if cx.caller.conferred.is_none() {
            return Err(Refusal::NotAllowed(Authority::Admin));
        }
        if is_fixed(&self.name) {
            return Err(Refusal::invalid("name", "`system` and `default` cannot be deleted"));
        }
        if *self.name != *state.name() {
            return Err(Refusal::not_found(Noun::Realm, &self.name));
        }
        let sealed =
            sealed_secrets(state).into_iter().map(|(name, _)| SealedWrite::Delete { name }).collect();
        let changes = vec![Change::RealmDeleted { name: self.name.clone() }];
        Ok(Decision { changes, sealed, rows: Vec::new(), answer: () })
    }
}

/// The realms that every store has.
pub fn is_fixed(name: &str) -> bool {
    [SYSTEM, DEFAULT].contains(&name)
}
