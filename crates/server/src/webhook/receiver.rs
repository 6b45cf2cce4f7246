//! Who is told: a webhook, or a trigger of a repository.

use std::sync::Arc;

use grantd_node::realm::State;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::trigger::Trigger;
use grantd_node::realm::webhook::Webhook;
use uuid::Uuid;

/// One of them, as a state has it.
#[derive(Debug, Clone)]
pub(super) enum Receiver {
    /// Is told of what happens in a realm, signed by a secret of its own.
    Webhook(Arc<Webhook>),
    /// Is told of pushes, signed by the key that everybody can look up.
    Trigger(Arc<Trigger>),
}

impl Receiver {
    /// By which its deliveries are queued.
    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::Webhook(webhook) => webhook.id,
            Self::Trigger(trigger) => trigger.form.id,
        }
    }

    /// Where to.
    pub(super) fn url(&self) -> &Personal {
        match self {
            Self::Webhook(webhook) => &webhook.url,
            Self::Trigger(trigger) => &trigger.form.endpoint,
        }
    }

    /// Whether anything is sent.
    pub(super) fn is_enabled(&self) -> bool {
        match self {
            Self::Webhook(webhook) => webhook.enabled,
            Self::Trigger(_) => true,
        }
    }

    /// Whether somebody waits for it all the time; else only while there is something to send.
    pub(super) fn is_attended(&self) -> bool {
        matches!(self, Self::Webhook(_))
    }

    /// The same in another state, if it is there.
    pub(super) fn in_state(&self, state: &State) -> Option<Self> {
        match self {
            Self::Webhook(webhook) => state.webhooks().get(webhook.id).cloned().map(Self::Webhook),
            Self::Trigger(trigger) => {
                let form = &trigger.form;
                state.triggers().get(form.repository, form.id).cloned().map(Self::Trigger)
            }
        }
    }

    /// Whether it is not only the same, but has not changed.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Webhook(one), Self::Webhook(other)) => Arc::ptr_eq(one, other),
            (Self::Trigger(one), Self::Trigger(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}
