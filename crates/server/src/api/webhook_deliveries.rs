//! `/api/v1/webhooks/{id}/deliveries`: what waits to be sent, and what became of the last messages.

use axum::Json;
use grantd_node::StoreError;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::webhook::{
    Attempt, DELIVERY_ROWS, Delivery as Waiting, Event, FINISHED_ROWS, Finished, SendPing, Subject, rows_of,
};
use serde::Serialize;
use uuid::Uuid;

use super::Call;
use super::errors::Error;
use super::webhooks::id_of;
use crate::edge::EdgeError;
use crate::time::rfc3339;

/// How many that wait are listed. Of those that ended there are never more than some hundreds.
const LISTED: usize = 100;
const FINISHED: usize = 1_000;

/// A message to a webhook.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Delivery {
    /// As in the header `webhook-id`.
    #[schema(example = "msg_5d2c0c1e7f3b4a0f9d7e6c5b4a392817")]
    id: String,
    /// What it tells of.
    r#type: &'static str,
    /// When that happened.
    timestamp: String,
    /// The request that it tells of.
    request: Option<Uuid>,
    /// pending, delivered or dead: given up.
    status: &'static str,
    /// How often it was tried.
    attempts: u32,
    /// When it is tried next.
    next_attempt_at: Option<String>,
    last_attempt_at: Option<String>,
    /// The status of the last answer; null if there was none.
    last_status: Option<u16>,
    /// What was wrong with the last attempt.
    last_problem: Option<String>,
}

impl Delivery {
    fn new(id: Uuid, event: &Event, status: &'static str, attempts: u32, last: Option<Attempt>) -> Self {
        let (last_attempt_at, last_status, last_problem) = match last {
            None => (None, None, None),
            Some(Attempt { at, status, problem }) => (Some(rfc3339(at)), status, problem),
        };
        Self {
            id: format!("msg_{}", id.simple()),
            r#type: event.kind.name(),
            timestamp: rfc3339(event.at),
            request: match &event.subject {
                Subject::Request(request) => Some(request.id),
                Subject::Nothing | Subject::Authorization(_) | Subject::Push(_) => None,
            },
            status,
            attempts,
            next_attempt_at: None,
            last_attempt_at,
            last_status,
            last_problem,
        }
    }

    fn waiting(waiting: Waiting) -> Self {
        let Waiting { id, event, attempts, last, due, .. } = waiting;
        Self { next_attempt_at: Some(rfc3339(due)), ..Self::new(id, &event, "pending", attempts, last) }
    }

    fn finished(finished: Finished) -> Self {
        let Finished { id, event, attempts, last, ending, .. } = finished;
        Self::new(id, &event, ending.name(), attempts, Some(last))
    }
}

/// What waits, and what ended.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Deliveries {
    /// What waits, in the order in which it is tried; then the last that ended, newest first.
    items: Vec<Delivery>,
    /// Whether more wait than are listed.
    more_waiting: bool,
}

fn unavailable(error: &StoreError) -> Error {
    tracing::warn!(%error, "the queue of a webhook cannot be read");
    EdgeError::Unavailable { retry_after_secs: 1 }.into()
}

/// Lists what waits to be sent to a webhook (the first 100), and how the last messages ended (100 that arrived, 100 that were
/// given up).
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Deliveries), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn list_deliveries(call: Call) -> Result<Json<Deliveries>, Error> {
    let published = call.published_for(&[Authority::Admin, Authority::Auditor])?;
    let id = id_of(&call)?;
    if published.state.webhooks().get(id).is_none() {
        return Err(Refusal::not_found(Noun::Webhook, id).into());
    }
    let (prefix, now) = (rows_of(id), call.now());
    let rows = call.realm.rows(DELIVERY_ROWS, &prefix, now, LISTED + 1).await;
    let rows = rows.map_err(|error| unavailable(&error))?;
    let more_waiting = rows.len() > LISTED;
    let waiting = rows.iter().take(LISTED).filter_map(|(key, value)| Waiting::read(key, value).ok());
    let mut items: Vec<_> = waiting.map(Delivery::waiting).collect();
    let rows = call.realm.rows(FINISHED_ROWS, &prefix, now, FINISHED).await;
    let rows = rows.map_err(|error| unavailable(&error))?;
    let mut finished: Vec<_> =
        rows.iter().filter_map(|(key, value)| Finished::read(key, value).ok()).collect();
    finished.sort_by_key(|one| std::cmp::Reverse(one.last.at));
    items.extend(finished.into_iter().map(Delivery::finished));
    Ok(Json(Deliveries { items, more_waiting }))
}

/// The message that was put into the queue.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Sent {
    /// As in the header `webhook-id`.
    id: String,
}

/// Sends a webhook a `ping`. Whether it arrived is in its deliveries.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 202, body = Sent), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn test_webhook(call: Call) -> Result<(http::StatusCode, Json<Sent>), Error> {
    let done = call.submit(SendPing { webhook: id_of(&call)? }).await?;
    call.app.webhooks.wake();
    Ok((http::StatusCode::ACCEPTED, Json(Sent { id: format!("msg_{}", done.answer.simple()) })))
}
