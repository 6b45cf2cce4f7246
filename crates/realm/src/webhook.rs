//! Webhooks: what happens is told to others by signed HTTP requests.
//!
//! The record says where to and of what. What is to be sent waits in ephemeral rows, which are written in the transaction of
//! the entry that they speak of: so nothing is told that did not happen, and nothing that happened is forgotten.

mod authorization_event;
mod commands;
mod delivery;
mod event;
mod finished;
mod retries;
mod sending;

pub use authorization_event::AuthorizationEvent;
pub use commands::{
    CreateWebhook, DeleteWebhook, RotateWebhookSecret, SecretRotated, UpdateWebhook, WebhookCreated,
};
pub use delivery::{Attempt, DELIVERY_ROWS, Delivery, rows_of};
pub(crate) use event::is_event;
pub use event::{Event, EventKind, EventSet, PushEvent, RequestEvent, Subject, events};
pub use finished::{Ending, FINISHED_ROWS, Finished, Slots};
pub use retries::{RETRIES, Retries};
pub use sending::{DropDeliveries, Fate, LeaseDeliveries, Leased, SendPing, SettleDelivery, Verdict};
pub(crate) use sending::{queued, require_sender};

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::Micros;
use crate::caller::Actor;
use crate::change::Stamp;
use crate::personal::Personal;

/// How many webhooks a realm can have.
pub const MAX_WEBHOOKS: usize = 100;

/// The most bytes of an address.
pub const MAX_URL: usize = 2_048;

/// The most bytes of a description.
pub const MAX_DESCRIPTION: usize = 1_024;

/// Begins a signing secret, as Standard Webhooks has it.
pub const SECRET_PREFIX: &str = "whsec_";

/// How long a secret still signs after another one took its place: 24 hours.
pub const OVERLAP: Micros = 24 * 3_600 * 1_000_000;

/// The name of the sealed secret that signs.
pub fn signing_secret(webhook: Uuid, version: u32) -> String {
    format!("webhook/{webhook}/{version}")
}

/// A new webhook as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookForm {
    /// Its id.
    pub id: Uuid,
    /// Counts up in the order of their making.
    pub number: u64,
    /// Where to: http or https.
    pub url: Personal,
    /// Of what.
    pub events: EventSet,
    /// What it is for.
    pub description: Option<Personal>,
    /// Whose it is: an app is told only of what concerns it.
    pub app: Option<Arc<str>>,
    /// Who made it.
    pub by: Actor,
}

/// What changes about a webhook; `None`: nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUpdate {
    /// Which.
    pub id: Uuid,
    /// Where to.
    pub url: Option<Personal>,
    /// Of what.
    pub events: Option<EventSet>,
    /// What it is for; `Some(None)`: nothing is said of that any more.
    pub description: Option<Option<Personal>>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

/// A secret that signs beside the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Previous {
    /// Its version.
    pub version: u32,
    /// From then on it signs no more.
    pub until: Micros,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// Counts up in the order of their making; never used again.
    pub number: u64,
    /// Where to.
    pub url: Personal,
    /// Of what.
    pub events: EventSet,
    /// What it is for.
    pub description: Option<Personal>,
    /// Whose it is: an app is told only of what concerns it.
    pub app: Option<Arc<str>>,
    /// Whether anything is sent. What happens while it is not is never told.
    pub enabled: bool,
    /// The version of the secret in force; see [`signing_secret`].
    pub secret: u32,
    /// The one before, for a while.
    pub previous: Option<Previous>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created_at: Micros,
}

impl Webhook {
    /// The versions of the secrets that sign at a time, newest first.
    pub fn secrets(&self, now: Micros) -> impl Iterator<Item = u32> {
        let previous = self.previous.filter(|previous| now < previous.until);
        [Some(self.secret), previous.map(|previous| previous.version)].into_iter().flatten()
    }

    /// Whether it is told of this.
    pub fn wants(&self, event: &Event) -> bool {
        self.enabled && self.events.contains(event.kind) && (self.app.is_none() || self.app == event.app)
    }
}

/// The webhooks of a realm.
#[derive(Clone, Default)]
pub struct Webhooks {
    pub(crate) by_number: OrdMap<u64, Arc<Webhook>>,
    by_id: OrdMap<Uuid, u64>,
    pub(crate) next_number: u64,
    told: u64,
}

impl Webhooks {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Webhook>> {
        self.by_number.get(self.by_id.get(&id)?)
    }

    /// All, in the order of their making, from the one behind this number on.
    pub fn iter_after(&self, number: u64) -> impl Iterator<Item = &Arc<Webhook>> {
        self.by_number.range(number.saturating_add(1)..).map(|(_, webhook)| webhook)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// The last revision that told of anything, as far as this process has folded; 0: none.
    pub fn told(&self) -> u64 {
        self.told
    }

    pub(crate) fn note_event(&mut self, stamp: Stamp) {
        self.told = stamp.revision;
    }

    pub(crate) fn create(&mut self, form: &WebhookForm, stamp: Stamp) -> Result<(), String> {
        self.insert(Webhook {
            id: form.id,
            number: form.number,
            url: form.url.stored(),
            events: form.events,
            description: form.description.as_ref().map(Personal::stored),
            app: form.app.clone(),
            enabled: true,
            secret: 1,
            previous: None,
            created_by: form.by.clone(),
            created_at: stamp.time,
        })
    }

    pub(crate) fn insert(&mut self, webhook: Webhook) -> Result<(), String> {
        let (id, number) = (webhook.id, webhook.number);
        self.next_number = self.next_number.max(number.saturating_add(1));
        self.by_number.insert(number, Arc::new(webhook));
        match self.by_id.insert(id, number) {
            None => Ok(()),
            Some(_) => Err(format!("webhook {id} exists already")),
        }
    }

    fn change(&mut self, id: Uuid, change: impl FnOnce(&mut Webhook)) -> Result<(), String> {
        let number = self.by_id.get(&id).copied();
        let webhook = number.and_then(|number| self.by_number.get_mut(&number));
        change(Arc::make_mut(webhook.ok_or_else(|| format!("there is no webhook {id}"))?));
        Ok(())
    }

    pub(crate) fn update(&mut self, update: &WebhookUpdate) -> Result<(), String> {
        self.change(update.id, |webhook| {
            if let Some(url) = &update.url {
                webhook.url = url.stored();
            }
            webhook.events = update.events.unwrap_or(webhook.events);
            if let Some(description) = &update.description {
                webhook.description = description.as_ref().map(Personal::stored);
            }
            webhook.enabled = update.enabled.unwrap_or(webhook.enabled);
        })
    }

    pub(crate) fn rotate(&mut self, id: Uuid, version: u32, until: Micros) -> Result<(), String> {
        self.change(id, |webhook| {
            webhook.previous = Some(Previous { version: webhook.secret, until });
            webhook.secret = version;
        })
    }

    pub(crate) fn delete(&mut self, id: Uuid) -> Result<(), String> {
        let number = self.by_id.remove(&id).ok_or_else(|| format!("there is no webhook {id}"))?;
        self.by_number.remove(&number);
        Ok(())
    }

    pub(crate) fn erase(&mut self, id: Uuid) {
        // One that is not there any more has nothing left to erase.
        let _gone = self.change(id, |webhook| {
            webhook.url = webhook.url.erased();
            webhook.description = webhook.description.as_ref().map(Personal::erased);
        });
    }
}
