//! GET `/api/v1/ledger`: the entries, waiting for the next one if asked to.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use grantd_node::entry::{Disclosed, changes, reason};
use grantd_node::ledger::store::StoreError;
use grantd_node::realm::caller::Authority;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Call;
use super::errors::{Error, invalid};
use crate::edge::{EdgeError, Problem};
use crate::ledger_view::change_as_json;
use crate::time::rfc3339;

/// Which entries.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct LedgerQuery {
    /// Entries after this revision; 0 without it.
    #[serde(default)]
    after: u64,
    /// At most so many, 1 to 1000; 100 without it.
    limit: Option<usize>,
    /// Waits up to so many seconds (at most 30) for an entry if there is none yet.
    #[serde(default)]
    wait: u64,
}

/// An entry.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Entry {
    revision: u64,
    time: String,
    /// Who did it.
    actor: String,
    /// Through which face.
    via: String,
    /// Names the command.
    command_id: String,
    /// In the caller's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What changed, each with its `kind`.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<serde_json::Value>,
    /// Hash of the entry, in hexadecimal.
    hash: String,
}

/// A page of entries.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Entries {
    items: Vec<Entry>,
    /// The `after` of the next page; null when the newest entry is on this one.
    next: Option<String>,
}

/// Why no entries are answered.
pub(super) enum ReadError {
    /// As other calls.
    Other(Error),
    /// They are in an archive.
    Archived {
        /// The first entry that is here.
        first: u64,
    },
}

impl<E: Into<Error>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for ReadError {
    fn into_response(self) -> Response {
        match self {
            Self::Other(error) => error.into_response(),
            Self::Archived { first } => Problem::new(StatusCode::GONE, "archived")
                .detail(format!(
                    "the entries before revision {first} are in an archive; ask with `after={}`",
                    first.saturating_sub(1)
                ))
                .with("first", first)
                .into_response(),
        }
    }
}

/// Reads entries, in order.
#[utoipa::path(
    get, path = "/api/v1/ledger", tag = "ledger", params(LedgerQuery),
    responses(
        (status = 200, body = Entries), (status = 400), (status = 401), (status = 403),
        (status = 410, description = "`archived`: the entries were taken out into an archive; `first` is the first one here")
    )
)]
pub(super) async fn read_ledger(mut call: Call) -> Result<Json<Entries>, ReadError> {
    call.published_for(&[Authority::Auditor])?;
    let query: LedgerQuery = call.query()?;
    let limit = match query.limit.unwrap_or(100) {
        0 => return Err(invalid("limit", "must be 1 to 1000").into()),
        limit => limit.min(1_000),
    };
    if query.wait > 0 {
        let patience = Duration::from_secs(query.wait.min(30));
        call.realm.wait_for(query.after.saturating_add(1), patience).await;
        // Whoever lost the key or the authority while waiting sees nothing more.
        call.recognise().await?;
        call.published_for(&[Authority::Auditor])?;
    }
    let published = call.published();
    let entries = call.realm.entries(query.after, limit).await.map_err(|error| match error {
        StoreError::Archived { first } => ReadError::Archived { first },
        error => {
            tracing::error!(%error, "the ledger cannot be read");
            EdgeError::Unavailable { retry_after_secs: 1 }.into()
        }
    })?;
    let items: Vec<Entry> = entries
        .iter()
        .filter(|disclosed| disclosed.entry.revision <= published.head.revision)
        .map(entry)
        .collect();
    let last = items.last().map(|entry| entry.revision);
    let next = last.filter(|last| *last < published.head.revision).map(|last| last.to_string());
    Ok(Json(Entries { items, next }))
}

fn entry(disclosed: &Disclosed) -> Entry {
    let entry = &disclosed.entry;
    let read = changes(disclosed).unwrap_or_default();
    Entry {
        revision: entry.revision,
        time: rfc3339(entry.time),
        actor: entry.actor.clone(),
        via: entry.via.clone(),
        command_id: uuid::Uuid::from_bytes(entry.command_id.0).to_string(),
        reason: reason(disclosed),
        changes: read.iter().map(change_as_json).collect(),
        hash: format!("{:?}", entry.hash),
    }
}
