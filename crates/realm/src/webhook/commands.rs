//! Webhooks made, changed, deleted, and given another secret.

use uuid::Uuid;

use super::event::{EventKind, EventSet};
use super::{
    MAX_DESCRIPTION, MAX_URL, MAX_WEBHOOKS, OVERLAP, SECRET_PREFIX, Webhook, WebhookForm, WebhookUpdate,
    signing_secret,
};
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, SealedWrite, Secret};
use crate::refusal::{Noun, Refusal};
use crate::{Micros, State};

/// Of a secret: 44 letters and digits, which are Base64 for 33 bytes.
const SECRET_LETTERS: usize = 44;

fn check_url(url: &str) -> Result<(), Refusal> {
    if (1..=MAX_URL).contains(&url.len()) && !url.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refusal::invalid("url", format!("must be 1 to {MAX_URL} bytes without control characters")))
}

fn check_description(description: &str) -> Result<(), Refusal> {
    if description.len() <= MAX_DESCRIPTION && !description.chars().any(|c| c.is_control() && c != '\n') {
        return Ok(());
    }
    Err(Refusal::invalid(
        "description",
        format!("must be at most {MAX_DESCRIPTION} bytes without control characters"),
    ))
}

fn find(state: &State, id: Uuid) -> Result<&Webhook, Refusal> {
    state.webhooks().get(id).map(|webhook| &**webhook).ok_or_else(|| Refusal::not_found(Noun::Webhook, id))
}

fn new_secret(cx: &mut Context<'_>) -> Secret {
    Secret(cx.entropy.letters(SECRET_PREFIX, SECRET_LETTERS))
}

/// Makes a webhook. Whether its address may be reached at all is for who sends to say.
#[derive(Debug, Clone)]
pub struct CreateWebhook {
    /// Where to.
    pub url: String,
    /// Of what; empty: of everything.
    pub events: Vec<EventKind>,
    /// What it is for.
    pub description: Option<String>,
    /// Whose it is: an app is told only of what concerns it.
    pub app: Option<String>,
}

/// A webhook at the moment of its making.
#[derive(Debug, Clone)]
pub struct WebhookCreated {
    /// Its id.
    pub id: Uuid,
    /// What signs, shown this one time; `None` when the answer is a repeated one.
    pub secret: Option<Secret>,
}

impl Answer for WebhookCreated {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.id);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { id: r.uuid()?, secret: None })
    }
}

impl Command for CreateWebhook {
    type Answer = WebhookCreated;
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<WebhookCreated>, Refusal> {
        check_url(&self.url)?;
        let description = self.description.as_deref().filter(|description| !description.is_empty());
        description.map_or(Ok(()), check_description)?;
        if self.app.as_deref().is_some_and(|app| state.apps().get(app).is_none()) {
            return Err(Refusal::invalid("app", "must be the client id of an app of this realm"));
        }
        if state.webhooks().len() >= MAX_WEBHOOKS {
            return Err(Refusal::TooMany { what: "webhooks", most: MAX_WEBHOOKS as u64 });
        }
        let id = cx.entropy.uuid();
        let secret = new_secret(cx);
        let webhook = Box::new(WebhookForm {
            id,
            number: state.webhooks().next_number.max(1),
            url: cx.personal(&self.url),
            events: self.events.iter().copied().collect(),
            description: description.map(|description| cx.personal(description)),
            app: self.app.as_deref().map(shared),
            by: cx.caller.actor.recorded(),
        });
        let sealed = SealedWrite::Put { name: signing_secret(id, 1), version: 1, value: secret.clone() };
        let answer = WebhookCreated { id, secret: Some(secret) };
        Ok(Decision { sealed: vec![sealed], ..Decision::one(Change::WebhookCreated { webhook }, answer) })
    }
}

/// Changes a webhook; `None`: as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateWebhook {
    /// Which.
    pub id: Uuid,
    /// Where to.
    pub url: Option<String>,
    /// Of what; empty: of everything.
    pub events: Option<Vec<EventKind>>,
    /// What it is for; `Some(None)`: nothing is said of that any more.
    pub description: Option<Option<String>>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

impl Command for UpdateWebhook {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let webhook = find(state, self.id)?;
        self.url.as_deref().map_or(Ok(()), check_url)?;
        let description =
            self.description.as_ref().map(|text| text.as_deref().filter(|text| !text.is_empty()));
        description.flatten().map_or(Ok(()), check_description)?;
        if self.enabled == Some(true) && self.url.is_none() && webhook.url.text().is_none() {
            return Err(Refusal::invalid("url", "was erased: give one to enable the webhook"));
        }
        let events: Option<EventSet> = self.events.as_ref().map(|events| events.iter().copied().collect());
        let said = webhook.description.as_ref().map(|text| text.text());
        let url = self.url.as_deref().filter(|url| webhook.url.text() != Some(url));
        let events = events.filter(|events| *events != webhook.events);
        let description = description.filter(|text| text.map(Some) != said);
        let enabled = self.enabled.filter(|enabled| *enabled != webhook.enabled);
        if (url, events, description, enabled) == (None, None, None, None) {
            return Ok(Decision::unchanged(()));
        }
        let update = Box::new(WebhookUpdate {
            id: self.id,
            url: url.map(|url| cx.personal(url)),
            events,
            description: description.map(|text| text.map(|text| cx.personal(text))),
            enabled,
        });
        Ok(Decision::one(Change::WebhookChanged { update }, ()))
    }
}

/// Deletes a webhook, with its secrets and what waits to be sent.
#[derive(Debug, Clone)]
pub struct DeleteWebhook {
    /// Which.
    pub id: Uuid,
}

impl Command for DeleteWebhook {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let webhook = find(state, self.id)?;
        let versions = [Some(webhook.secret), webhook.previous.map(|previous| previous.version)];
        let delete = |version| SealedWrite::Delete { name: signing_secret(self.id, version) };
        let sealed = versions.into_iter().flatten().map(delete).collect();
        Ok(Decision { sealed, ..Decision::one(Change::WebhookDeleted { id: self.id }, ()) })
    }
}

/// Gives a webhook another secret. The one so far signs beside it for [`OVERLAP`]; one from before that signs no more.
#[derive(Debug, Clone)]
pub struct RotateWebhookSecret {
    /// Which.
    pub id: Uuid,
}

/// A secret at the moment of its making.
#[derive(Debug, Clone)]
pub struct SecretRotated {
    /// What signs, shown this one time; `None` when the answer is a repeated one.
    pub secret: Option<Secret>,
    /// Until when the one before signs too.
    pub previous_until: Micros,
}

impl Answer for SecretRotated {
    fn encode(&self, w: &mut Writer) {
        w.i64(self.previous_until);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { secret: None, previous_until: r.i64()? })
    }
}

impl Command for RotateWebhookSecret {
    type Answer = SecretRotated;
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<SecretRotated>, Refusal> {
        let webhook = find(state, self.id)?;
        let (version, until) = (webhook.secret.saturating_add(1), cx.now.saturating_add(OVERLAP));
        let secret = new_secret(cx);
        let mut sealed =
            vec![SealedWrite::Put { name: signing_secret(self.id, version), version, value: secret.clone() }];
        if let Some(previous) = webhook.previous {
            sealed.push(SealedWrite::Delete { name: signing_secret(self.id, previous.version) });
        }
        let change = Change::WebhookSecretRotated { id: self.id, version, until };
        let answer = SecretRotated { secret: Some(secret), previous_until: until };
        Ok(Decision { sealed, ..Decision::one(change, answer) })
    }
}
