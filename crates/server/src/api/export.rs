//! GET `/api/v1/relationships/export`: every relationship, or those that match, as a stream.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use grantd_node::Published;
use grantd_node::realm::Micros;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::engine::{Filter, Key};
use grantd_node::realm::managed::managed_by;
use http::header;
use serde::Deserialize;

use super::Call;
use super::errors::Error;
use super::relationship_lines::{Format, write_header, write_line};
use super::relationships::ReadQuery;
use crate::edge::EdgeError;
use crate::face::CallError;

/// How many relationships are in memory as text at a time.
const PAGE: usize = 20_000;

/// What the stream looks like.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct ExportQuery {
    /// `jsonl` (the default) or `csv`.
    format: Option<String>,
    /// `false` leaves out managed relationships, which an import would refuse.
    managed: Option<bool>,
}

/// The stream between two of its pieces.
struct Export {
    call: Call,
    /// What is exported, however long it takes.
    published: Arc<Published>,
    now: Micros,
    filter: Filter,
    format: Format,
    managed: bool,
    place: Place,
}

enum Place {
    Begin,
    After(Key),
    End,
}

/// Streams relationships in key order, all at one revision, one a line. Those that have ended are left out.
#[utoipa::path(
    get, path = "/api/v1/relationships/export", tag = "relationships", params(ReadQuery, ExportQuery),
    responses(
        (status = 200, description = "One relationship a line.", content(
            (String = "application/x-ndjson"), (String = "text/csv"),
        )),
        (status = 400), (status = 401), (status = 403)
    )
)]
pub(super) async fn export_relationships(call: Call) -> Result<Response, Error> {
    let published = call.published_for(&[Authority::Auditor, Authority::Writer])?;
    let query: ExportQuery = call.query()?;
    let format = query.format.as_deref().map_or(Ok(Format::JsonLines), Format::of_name)?;
    let filter = call.query::<ReadQuery>()?.filter(published.state.graph().schema())?;
    let (now, managed) = (call.now(), query.managed.unwrap_or(true));
    let export = Export { call, published, now, filter, format, managed, place: Place::Begin };
    let body = Body::from_stream(stream::try_unfold(export, Export::piece));
    Ok(([(header::CONTENT_TYPE, format.content_type())], body).into_response())
}

impl Export {
    /// The next piece. An error cuts the connection, so that nobody takes half of it for all.
    async fn piece(mut self) -> Result<Option<(Bytes, Self)>, CallError> {
        let after = match &self.place {
            Place::Begin => None,
            Place::After(key) => Some(key.clone()),
            Place::End => return Ok(None),
        };
        if after.is_some() {
            self.still_allowed().await?;
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut out = Vec::new();
            if after.is_none() {
                write_header(self.format, &mut out);
            }
            let found = self.published.state.relationships(&self.filter, after.as_ref(), PAGE, self.now);
            self.place = match found.last() {
                Some(last) if found.len() == PAGE => Place::After(last.key.clone()),
                _ => Place::End,
            };
            let wanted = found.into_iter().filter(|one| self.managed || managed_by(&one.key).is_none());
            wanted.for_each(|one| write_line(self.format, one, &mut out));
            (Bytes::from(out), self)
        });
        read.await.map(Some).map_err(|_| EdgeError::Internal.into())
    }

    /// Whoever loses the key or the authority on the way sees nothing more, and of a deleted realm nobody does.
    async fn still_allowed(&mut self) -> Result<(), CallError> {
        self.call.recognise().await?;
        let published = self.call.published_for(&[Authority::Auditor, Authority::Writer])?;
        if published.state.account() == self.published.state.account() {
            Ok(())
        } else {
            Err(CallError::UnknownRealm)
        }
    }
}
