//! `/api/v1/webhooks`: who is told of what happens.

use axum::Json;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::webhook::{
    CreateWebhook, DeleteWebhook, EventKind, RotateWebhookSecret, UpdateWebhook, Webhook as Record,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::users::present;
use super::{Call, read};
use crate::time::rfc3339;

/// A webhook to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewWebhook {
    /// Where to: `https:`, and a public address, unless the operator allows others.
    #[schema(example = "https://example.com/hooks/grantd")]
    url: String,
    /// Of what: request.created, request.decided, request.expired, request.cancelled. Without any: of everything.
    #[serde(default)]
    #[schema(example = json!(["request.created"]))]
    events: Vec<String>,
    /// What it is for.
    description: Option<String>,
    /// The id of an app: it is told only of what concerns that.
    app: Option<String>,
}

/// A change of a webhook; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct ChangedWebhook {
    url: Option<String>,
    /// Of what, in place of those before. None: of everything.
    events: Option<Vec<String>>,
    /// Null removes it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Whether anything is sent. What happens while it is not is never told.
    enabled: Option<bool>,
}

/// A webhook.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Webhook {
    id: Uuid,
    number: u64,
    /// Null if it was erased.
    url: Option<String>,
    /// Of what; empty: of everything.
    events: Vec<&'static str>,
    description: Option<String>,
    app: Option<String>,
    enabled: bool,
    /// Until when the secret before the present one signs too.
    previous_secret_until: Option<String>,
    created_at: String,
    created_by: String,
}

impl Webhook {
    fn new(webhook: &Record, now: i64) -> Self {
        Self {
            id: webhook.id,
            number: webhook.number,
            url: webhook.url.text().map(Into::into),
            events: webhook.events.chosen().map(EventKind::name).collect(),
            description: webhook.description.as_ref().and_then(Personal::text).map(Into::into),
            app: webhook.app.as_deref().map(Into::into),
            enabled: webhook.enabled,
            previous_secret_until: webhook
                .previous
                .filter(|previous| now < previous.until)
                .map(|previous| rfc3339(previous.until)),
            created_at: rfc3339(webhook.created_at),
            created_by: webhook.created_by.to_string(),
        }
    }
}

/// A webhook at the moment of its making.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct CreatedWebhook {
    #[serde(flatten)]
    webhook: Webhook,
    /// By which the receiver knows that a message is from here, shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_...")]
    secret: Option<String>,
}

/// A secret at the moment of its making.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewSecret {
    /// Shown this one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_...")]
    secret: Option<String>,
    /// Until then messages are signed by the secret before too.
    previous_secret_until: String,
}

fn kinds(names: &[String]) -> Result<Vec<EventKind>, Error> {
    let known = || EventKind::CHOSEN.map(EventKind::name).join(", ");
    let kind = |name: &String| {
        EventKind::of_name(name).ok_or_else(|| invalid("events", format!("each must be one of {}", known())))
    };
    names.iter().map(kind).collect()
}

/// Who sends has to say whether an address may be reached.
fn check_url(call: &Call, url: &str) -> Result<(), Error> {
    call.app.webhooks.targets().check(url).map(drop).map_err(|bad| invalid("url", bad.to_string()))
}

pub(super) fn id_of(call: &Call) -> Result<Uuid, Error> {
    let text = call.param("id");
    Uuid::parse_str(text).map_err(|_| Refusal::not_found(Noun::Webhook, text).into())
}

/// The webhook after a change by this caller.
fn found(call: &Call, id: Uuid) -> Result<Webhook, Error> {
    let published = call.realm.published();
    let webhook = published.state.webhooks().get(id).ok_or_else(|| Refusal::not_found(Noun::Webhook, id))?;
    Ok(Webhook::new(webhook, call.now()))
}

/// Makes a webhook.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, body = CreatedWebhook), (status = 400), (status = 401), (status = 403), (status = 429))
)]
pub(super) async fn create_webhook(call: Call) -> Result<(http::StatusCode, Json<CreatedWebhook>), Error> {
    call.published_for(&[Authority::Admin])?;
    let NewWebhook { url, events, description, app } = read(&call)?;
    check_url(&call, &url)?;
    let events = kinds(&events)?;
    let done = call.submit(CreateWebhook { url, events, description, app }).await?;
    call.app.webhooks.wake();
    let webhook = found(&call, done.answer.id)?;
    let secret = done.answer.secret.map(|secret| secret.0);
    Ok((http::StatusCode::CREATED, Json(CreatedWebhook { webhook, secret })))
}

/// Lists the webhooks, oldest first.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", params(Paging),
    responses((status = 200, body = Page<Webhook>), (status = 401), (status = 403))
)]
pub(super) async fn list_webhooks(call: Call) -> Result<Json<Page<Webhook>>, Error> {
    let published = call.published_for(&[Authority::Admin, Authority::Auditor])?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "webhooks")?;
    let after = wanted.after.as_ref().and_then(|number| number.parse().ok()).unwrap_or(0);
    let now = wanted.time;
    let webhooks = wanted.published.state.webhooks().iter_after(after).take(wanted.sought());
    let items = webhooks.map(|webhook| Webhook::new(webhook, now)).collect();
    Ok(Json(wanted.page(&call, items, |webhook: &Webhook| webhook.number.to_string())))
}

/// Reads a webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Webhook), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn get_webhook(call: Call) -> Result<Json<Webhook>, Error> {
    let published = call.published_for(&[Authority::Admin, Authority::Auditor])?;
    let id = id_of(&call)?;
    let webhook = published.state.webhooks().get(id).ok_or_else(|| Refusal::not_found(Noun::Webhook, id))?;
    Ok(Json(Webhook::new(webhook, call.now())))
}

/// Changes a webhook.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    request_body = ChangedWebhook,
    responses((status = 200, body = Webhook), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn update_webhook(call: Call) -> Result<Json<Webhook>, Error> {
    call.published_for(&[Authority::Admin])?;
    let id = id_of(&call)?;
    let ChangedWebhook { url, events, description, enabled } = read(&call)?;
    url.as_deref().map_or(Ok(()), |url| check_url(&call, url))?;
    let events = events.as_deref().map(kinds).transpose()?;
    call.submit(UpdateWebhook { id, url, events, description, enabled }).await?;
    call.app.webhooks.wake();
    found(&call, id).map(Json)
}

/// Deletes a webhook, with what waits to be sent to it.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_webhook(call: Call) -> Result<Json<serde_json::Value>, Error> {
    call.submit(DeleteWebhook { id: id_of(&call)? }).await?;
    Ok(Json(serde_json::json!({})))
}

/// Gives a webhook another secret. The one before signs beside it for 24 hours; one from before that signs no more.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/secret", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = NewSecret), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn rotate_webhook_secret(call: Call) -> Result<Json<NewSecret>, Error> {
    let rotated = call.submit(RotateWebhookSecret { id: id_of(&call)? }).await?.answer;
    let previous_secret_until = rfc3339(rotated.previous_until);
    Ok(Json(NewSecret { secret: rotated.secret.map(|secret| secret.0), previous_secret_until }))
}
