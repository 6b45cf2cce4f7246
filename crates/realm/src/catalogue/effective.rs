//! What a user holds of the catalogue, themselves and by roles, as applications ask for it: in one piece.

use std::collections::BTreeSet;

use grantd_engine::{ObjectRef, SubjectRef};

use super::catalogue_permission::{HOLDER, PERMISSION_TYPE};
use crate::caller::Authority;
use crate::role::{ROLE_TYPE, members_of};
use crate::{Micros, State};

/// What a user holds of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Whether they may sign in. Who may not holds nothing.
    pub active: bool,
    /// Whether they are a super user, who holds everything without being told so here.
    pub superuser: bool,
    /// `app_label.codename` of each permission.
    pub texts: BTreeSet<String>,
    /// 32 hexadecimal digits; the same as long as all of this is.
    pub version: String,
}

/// What a user holds of the catalogue; `None` if there is no such user.
pub fn effective(state: &State, login: &str, now: Micros) -> Option<Effective> {
    let user = state.users().get(login)?;
    let active = user.active;
    let superuser = active && state.holds(ObjectRef { kind: "user", id: login }, Authority::Admin, now);
    let texts = permission_texts(state, login, now);
    let mut hasher = blake3::Hasher::new_derive_key("grantd catalogue permissions 1");
    hasher.update(user.uuid.as_bytes()).update(&[u8::from(active), u8::from(superuser)]);
    for text in &texts {
        // No text holds a NUL.
        hasher.update(text.as_bytes()).update(&[0]);
    }
    let version = hasher.finalize().to_hex().chars().take(32).collect();
    Some(Effective { active, superuser, texts, version })
}

/// `app_label.codename` of each permission that a user holds, themselves or by roles. Empty for who may not sign in.
pub fn permission_texts(state: &State, login: &str, now: Micros) -> BTreeSet<String> {
    if !state.users().get(login).is_some_and(|user| user.active) {
        return BTreeSet::new();
    }
    let user = SubjectRef::Object(ObjectRef { kind: "user", id: login });
    let roles = roles_above(state, user, now);
    let subjects = std::iter::once(user).chain(roles.iter().map(|role| members_of(role)));
    let catalogue = state.catalogue();
    let texts = subjects.flat_map(|subject| held(state, subject, now)).filter_map(|number| {
        let one = catalogue.permission(number)?;
        let kind = catalogue.content_type(one.content_type)?;
        Some(format!("{}.{}", kind.app_label, one.codename))
    });
    texts.collect()
}

/// The numbers of the permissions that a subject was granted itself.
pub(super) fn held<'a>(
    state: &'a State,
    subject: SubjectRef<'_>,
    now: Micros,
) -> impl Iterator<Item = u64> + use<'a> {
    let found = state.graph().resources_of(subject, PERMISSION_TYPE);
    let lasting: Vec<u64> = found
        .filter(|found| found.relation == HOLDER && found.until.is_none_or(|until| now < until))
        .filter_map(|found| found.object.id.parse().ok())
        .collect();
    lasting.into_iter()
}

/// The roles that a subject is in, also by way of others.
fn roles_above(state: &State, subject: SubjectRef<'_>, now: Micros) -> BTreeSet<String> {
    let above = |subject: SubjectRef<'_>| -> Vec<String> {
        let found = state.graph().resources_of(subject, ROLE_TYPE);
        let lasting =
            found.filter(|found| found.relation == "member" && found.until.is_none_or(|until| now < until));
        lasting.map(|found| found.object.id.to_owned()).collect()
    };
    let mut open = above(subject);
    let mut seen = BTreeSet::new();
    while let Some(role) = open.pop() {
        if !seen.contains(&role) {
            open.extend(above(members_of(&role)));
            seen.insert(role);
        }
    }
    seen
}
