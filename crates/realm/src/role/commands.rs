//! Roles made, changed and deleted.

use uuid::Uuid;

use super::{Role, check_key};
use crate::basis::Basis;
use crate::caller::Authority;
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::managed::{SUPER_USERS, conferred_by_role, require_held};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::reserved::{require_for_members, require_for_role};
use crate::{Micros, State};

/// A role as every face shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleView {
    /// Alias.
    pub uuid: Uuid,
    /// Alias.
    pub number: u64,
    /// The name by which everything refers to it.
    pub key: String,
    /// What people call it, if not by its key.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Micros,
}

impl From<&Role> for RoleView {
    fn from(role: &Role) -> Self {
        let text = |field: &Option<Personal>| field.as_ref().and_then(Personal::text).map(Into::into);
        Self {
            uuid: role.uuid,
            number: role.number,
            key: role.key.to_string(),
            display_name: text(&role.display_name),
            description: text(&role.description),
            created_at: role.created_at,
        }
    }
}

impl Answer for RoleView {
    /// The texts are left out: a remembered answer must not keep what an erasure removes.
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.uuid);
        w.u64(self.number);
        w.text(&self.key);
        w.i64(self.created_at);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            uuid: r.uuid()?,
            number: r.u64()?,
            key: r.text()?.into(),
            display_name: None,
            description: None,
            created_at: r.i64()?,
        })
    }
}

fn check_text(field: &'static str, text: Option<&String>, most: usize) -> Result<(), Refusal> {
    let is_control = |c: char| c.is_control() && c != '\n';
    if text.is_some_and(|text| text.len() > most || text.chars().any(is_control)) {
        return Err(Refusal::invalid(
            field,
            format!("must be at most {most} bytes without control characters"),
        ));
    }
    Ok(())
}

fn check_texts(display_name: Option<&String>, description: Option<&String>) -> Result<(), Refusal> {
    check_text("display_name", display_name, 255)?;
    check_text("description", description, 4_096)
}

/// Makes a role. Relationships may have named it before: then those are its members from the start.
#[derive(Default)]
pub struct CreateRole {
    /// The name by which everything will refer to it.
    pub key: String,
    /// What people call it, if not by its key.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for CreateRole {
    type Answer = RoleView;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<RoleView>, Refusal> {
        check_key("key", &self.key)?;
        check_texts(self.display_name.as_ref(), self.description.as_ref())?;
        require_for_role(state, &self.key, cx)?;
        if state.roles().get(&self.key).is_some() {
            return Err(Refusal::exists(Noun::Role, &self.key));
        }
        let answer = RoleView {
            uuid: cx.entropy.uuid(),
            number: state.roles().next_number.max(1),
            key: self.key.clone(),
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            created_at: cx.now,
        };
        let created = Change::RoleCreated {
            uuid: answer.uuid,
            number: answer.number,
            key: self.key.clone(),
            display_name: self.display_name.as_deref().map(|text| cx.personal(text)),
            description: self.description.as_deref().map(|text| cx.personal(text)),
        };
        Ok(Decision::one(created, answer))
    }
}

/// Changes what a role is called; what is `None` stays.
#[derive(Default)]
pub struct UpdateRole {
    /// Which.
    pub key: String,
    /// What people call it; `Some(None)`: by its key.
    pub display_name: Option<Option<String>>,
    /// What it is for; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for UpdateRole {
    type Answer = RoleView;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<RoleView>, Refusal> {
        let role = Role::find(state, &self.key)?;
        require_for_role(state, &self.key, cx)?;
        let mut answer = RoleView::from(role);
        let before = (answer.display_name.clone(), answer.description.clone());
        if let Some(display_name) = &self.display_name {
            answer.display_name.clone_from(display_name);
        }
        if let Some(description) = &self.description {
            answer.description.clone_from(description);
        }
        check_texts(answer.display_name.as_ref(), answer.description.as_ref())?;
        if before == (answer.display_name.clone(), answer.description.clone()) {
            return Ok(Decision::unchanged(answer));
        }
        let changed = Change::RoleChanged {
            key: self.key.clone(),
            display_name: answer.display_name.as_deref().map(|text| cx.personal(text)),
            description: answer.description.as_deref().map(|text| cx.personal(text)),
        };
        Ok(Decision::one(changed, answer))
    }
}

/// Deletes a role with everything that names it: one change, however many are in it. One made again under the same key starts
/// empty. What its members were granted themselves stays.
pub struct DeleteRole {
    /// Which.
    pub key: String,
    /// What the caller's right to it rests on.
    pub basis: Basis,
}

impl Command for DeleteRole {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        self.basis.authorize(Self::REQUIRES, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        if self.key == SUPER_USERS {
            return Err(Refusal::SuperUsersFixed);
        }
        Role::find(state, &self.key)?;
        require_for_members(state, &self.key, cx)?;
        require_held(cx.caller, conferred_by_role(state, &self.key, cx.now), state, cx.now)?;
        Ok(Decision::one(Change::RoleDeleted { key: self.key.clone() }, ()))
    }
}
