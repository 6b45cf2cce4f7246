//! What the caller's right to a command rests on.
//!
//! Commands that two faces share are authorized by each in its own terms. The right is looked at on the state that the
//! command is decided on, together with it: a right that was taken away a moment ago is gone.

use crate::caller::{Authority, Caller};
use crate::command::Context;
use crate::pulp::{Operation, PulpUri, may};
use crate::refusal::Refusal;
use crate::reserved::keeps_catalogue;
use crate::{Micros, State};

/// What the caller's right to a command rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Basis {
    /// An authority on grantd itself: the command's own.
    #[default]
    Grantd,
    /// Keeping the catalogue: see [`keeps_catalogue`].
    Catalogue,
    /// An operation on the URI of the call.
    Pulp {
        /// The call's own path.
        uri: PulpUri,
        /// What its method needs.
        operation: Operation,
        /// What may be granted.
        delegation: Delegation,
    },
}

/// What who may grant operations at all may grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delegation {
    /// Everything.
    #[default]
    Free,
    /// Only what they hold there themselves.
    Held,
}

impl Basis {
    /// Refuses a caller without the right to the call itself.
    pub(crate) fn authorize(
        &self,
        authority: Authority,
        state: &State,
        cx: &Context<'_>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Grantd => cx.require(state, authority),
            Self::Catalogue if keeps_catalogue(state, cx.caller, cx.now) => Ok(()),
            Self::Catalogue => Err(Refusal::NotAllowed(Authority::Admin)),
            Self::Pulp { uri, operation, .. } => require(*operation, uri, state, cx.caller, cx.now),
        }
    }

    /// Refuses a caller who lacks an operation on something else that the call changes. An authority on grantd covers it.
    pub(crate) fn require_on(
        &self,
        operation: Operation,
        uri: &PulpUri,
        state: &State,
        cx: &Context<'_>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Grantd | Self::Catalogue => Ok(()),
            Self::Pulp { .. } => require(operation, uri, state, cx.caller, cx.now),
        }
    }

    /// Refuses a caller who may not hand on an operation.
    pub(crate) fn require_to_grant(
        &self,
        operation: Operation,
        uri: &PulpUri,
        state: &State,
        cx: &Context<'_>,
    ) -> Result<(), Refusal> {
        match self {
            // What is granted has no end, so that it must be held without one: at the end of time.
            Self::Pulp { delegation: Delegation::Held, .. } => {
                require(operation, uri, state, cx.caller, Micros::MAX)
            }
            _ => Ok(()),
        }
    }
}

fn require(
    operation: Operation,
    uri: &PulpUri,
    state: &State,
    caller: &Caller,
    now: Micros,
) -> Result<(), Refusal> {
    if may(state, caller, operation, uri, now) { Ok(()) } else { Err(Refusal::OperationDenied { operation }) }
}
