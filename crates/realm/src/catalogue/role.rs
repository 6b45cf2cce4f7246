//! Roles as the catalogue has them: with a name that is theirs alone, and the permissions that they hold.

use std::collections::{BTreeMap, BTreeSet};

use grantd_engine::{Key, ObjectRef};

use super::catalogue_permission::{CataloguePermission, HOLDER, PERMISSION_TYPE, check_text};
use super::effective::held;
use crate::basis::Basis;
use crate::caller::Authority;
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::managed::SUPER_USERS;
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::reserved::require_for_role;
use crate::role::{Role, RoleView, members_of};
use crate::{Micros, State};

/// The longest name of a role, in characters.
pub const MAX_ROLE_NAME: usize = 150;

/// The names that roles are shown by, by number: what people call it, or its key. Where two share one, the later one has its key
/// behind it in parentheses.
pub fn shown_names(state: &State) -> BTreeMap<u64, String> {
    let mut by_number: Vec<&Role> = state.roles().iter_after(None).collect();
    by_number.sort_by_key(|role| role.number);
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for role in by_number {
        let own = role.display_name.as_ref().and_then(Personal::text).unwrap_or(&role.key);
        let name = if taken.contains(own) { format!("{own} ({})", role.key) } else { own.to_owned() };
        taken.insert(name.clone());
        names.insert(role.number, name);
    }
    names
}

/// The permissions that a role was granted itself, by app label, model and codename.
pub fn held_by_role(state: &State, role: &str, now: Micros) -> Vec<u64> {
    let held: BTreeSet<u64> = held(state, members_of(role), now).collect();
    let catalogue = state.catalogue();
    let mut found: Vec<_> = held.into_iter().filter_map(|number| catalogue.permission(number)).collect();
    found.sort_by_cached_key(|one| {
        let kind = catalogue.content_type(one.content_type);
        (kind.map(|kind| (kind.app_label.clone(), kind.model.clone())), one.codename.clone())
    });
    found.into_iter().map(|one| one.number).collect()
}

/// Refuses a name that another role is shown by. This is the one decision that reads texts: an erased name is nobody's.
fn check_name(state: &State, name: &str, own: Option<u64>) -> Result<(), Refusal> {
    check_text("name", name, MAX_ROLE_NAME)?;
    if name.chars().any(char::is_control) {
        return Err(Refusal::invalid("name", "must not hold control characters"));
    }
    let is_taken = |(number, shown): (&u64, &String)| Some(*number) != own && shown == name;
    if shown_names(state).iter().any(is_taken) {
        return Err(Refusal::exists(Noun::Role, name));
    }
    Ok(())
}

/// A key for a role of this name that no role has.
fn free_key(state: &State, name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let plain: String = name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let is_free = |key: &String| state.roles().get(key).is_none();
    let numbered = (2_u64..).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or_default()
}

/// `tdp_permission:<number> # holder @ role:<role>#member`.
fn holding(number: u64, role: &str) -> Result<Key, Refusal> {
    let id = number.to_string();
    key("permissions", ObjectRef { kind: PERMISSION_TYPE, id: &id }, HOLDER, members_of(role))
}

/// The changes that make a role hold exactly these.
fn set_held(
    state: &State,
    role: &str,
    wanted: &BTreeSet<u64>,
    cx: &Context<'_>,
) -> Result<Vec<Change>, Refusal> {
    let found = |number: &u64| CataloguePermission::find(state.catalogue(), *number).map(|_| ());
    wanted.iter().try_for_each(found)?;
    let held: BTreeSet<u64> = held(state, members_of(role), cx.now).collect();
    if held == *wanted {
        return Ok(Vec::new());
    }
    if role == SUPER_USERS {
        return Err(Refusal::SuperUsersFixed);
    }
    require_for_role(state, role, cx)?;
    let taken = held.difference(wanted).map(|number| holding(*number, role));
    let taken = taken.map(|key| key.map(|key| Change::RelationshipDeleted { key }));
    let given = wanted.difference(&held).map(|number| holding(*number, role).map(Change::grant));
    taken.chain(given).collect()
}

/// Makes a role by its name, with what it holds. Its key follows from the name.
#[derive(Debug, Default)]
pub struct CreateCatalogueRole {
    /// What people call it; no other role may be shown by it.
    pub name: String,
    /// The numbers of the permissions that it holds.
    pub permissions: BTreeSet<u64>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for CreateCatalogueRole {
    type Answer = RoleView;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<RoleView>, Refusal> {
        check_name(state, &self.name, None)?;
        let key = free_key(state, &self.name);
        require_for_role(state, &key, cx)?;
        let answer = RoleView {
            uuid: cx.entropy.uuid(),
            number: state.roles().next_number.max(1),
            display_name: (key != self.name).then(|| self.name.clone()),
            key,
            description: None,
            created_at: cx.now,
        };
        let made = Change::RoleCreated {
            uuid: answer.uuid,
            number: answer.number,
            key: answer.key.clone(),
            display_name: answer.display_name.as_deref().map(|name| cx.personal(name)),
            description: None,
        };
        let mut changes = vec![made];
        changes.extend(set_held(state, &answer.key, &self.permissions, cx)?);
        Ok(Decision::all(changes, answer))
    }
}

/// Changes what a role is called and what it holds; what is `None` stays.
#[derive(Debug, Default)]
pub struct UpdateCatalogueRole {
    /// Which, by its key.
    pub key: String,
    /// What people call it; no other role may be shown by it.
    pub name: Option<String>,
    /// The numbers of the permissions that it holds from now on.
    pub permissions: Option<BTreeSet<u64>>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for UpdateCatalogueRole {
    type Answer = RoleView;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<RoleView>, Refusal> {
        let role = Role::find(state, &self.key)?;
        let mut answer = RoleView::from(role);
        let mut changes = Vec::new();
        let shown = shown_names(state).remove(&role.number);
        if let Some(name) = self.name.as_ref().filter(|name| Some(*name) != shown.as_ref()) {
            require_for_role(state, &self.key, cx)?;
            check_name(state, name, Some(role.number))?;
            answer.display_name = Some(name.clone()).filter(|name| **name != *self.key);
            changes.push(Change::RoleChanged {
                key: self.key.clone(),
                display_name: answer.display_name.as_deref().map(|name| cx.personal(name)),
                description: answer.description.as_deref().map(|text| cx.personal(text)),
            });
        }
        if let Some(wanted) = &self.permissions {
            changes.extend(set_held(state, &self.key, wanted, cx)?);
        }
        Ok(Decision::all(changes, answer))
    }
}
