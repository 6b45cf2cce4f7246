//! What every catalogue begins with, and a state that several changes are drafted on.

use super::DEFAULT_TYPE;
use super::content_type::{make_type, make_with_defaults};
use crate::State;
use crate::change::{Change, Stamp};
use crate::command::Context;
use crate::refusal::Refusal;
use crate::reserved::ADMIN_ROLE;

/// The content types that are there from the start, each with its default permissions.
const FIRST_TYPES: [&str; 3] = ["permission", "group", "user"];

/// Changes drafted one after the other: each is decided on the state that those before it make.
pub(super) struct Draft {
    pub(super) state: State,
    pub(super) changes: Vec<Change>,
}

impl Draft {
    /// Nothing yet. A fork of the state costs the same at any size.
    pub(super) fn on(state: &State) -> Self {
        Self { state: state.clone(), changes: Vec::new() }
    }

    /// Takes one more change.
    pub(super) fn push(&mut self, change: Change, cx: &Context<'_>) -> Result<(), Refusal> {
        // No change of the catalogue keeps the revision.
        let stamp = Stamp { revision: 0, time: cx.now };
        let unfit = |misfit: crate::state::Misfit| Refusal::invalid("catalogue", misfit.problem);
        self.state.apply(&change, stamp).map_err(unfit)?;
        self.changes.push(change);
        Ok(())
    }
}

/// A draft on a state whose catalogue has begun: a realm that was made before there were any begins its own with the first change
/// of it.
pub(super) fn begun(state: &State, cx: &mut Context<'_>) -> Result<Draft, Refusal> {
    let mut draft = Draft::on(state);
    if !state.catalogue().has_begun() {
        begin(&mut draft, cx)?;
    }
    Ok(draft)
}

/// What a new realm's catalogue begins with.
pub(crate) fn beginning(state: &State, cx: &mut Context<'_>) -> Result<Vec<Change>, Refusal> {
    let mut draft = Draft::on(state);
    begin(&mut draft, cx)?;
    Ok(draft.changes)
}

fn begin(draft: &mut Draft, cx: &mut Context<'_>) -> Result<(), Refusal> {
    for model in FIRST_TYPES {
        make_with_defaults(draft, "auth", model, None, cx)?;
    }
    let (_, made) = make_type(&draft.state, DEFAULT_TYPE.0, DEFAULT_TYPE.1)?;
    draft.push(made, cx)?;
    if draft.state.roles().get(ADMIN_ROLE).is_none() {
        let made = Change::RoleCreated {
            uuid: cx.entropy.uuid(),
            number: draft.state.roles().next_number.max(1),
            key: ADMIN_ROLE.into(),
            display_name: None,
            description: None,
        };
        draft.push(made, cx)?;
    }
    Ok(())
}
