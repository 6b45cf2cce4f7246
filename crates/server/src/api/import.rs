//! POST `/api/v1/relationships/import`: a stream of relationships of any length, written in parts of bounded size.
//!
//! While one part is being made durable the next one is read: no more than two are in memory. Each part is one entry.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::engine::Relationship;
use grantd_node::realm::import::{ImportRelationships, Imported};
use grantd_node::{Done, Realm, Request, SubmitError};
use http::header;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::relationship_lines::{Format, Line, LineReader, Lines, MAX_LINE};
use super::{Api, Call};
use crate::call::Streaming;
use crate::edge::EdgeError;
use crate::face::{CallError, Face as _};

/// How much goes into one part: the longer, the fewer syncs; the shorter, the less others wait behind it.
const PART_LINES: usize = 5_000;
const PART_BYTES: usize = 2 << 20;

/// How many errors are told in full.
const TOLD: usize = 100;

/// The longest text of one error, in bytes.
const ERROR_TEXT: usize = 500;

/// How often, and after how long, a part is handed in again when the writer's queue is full.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// How to import.
#[derive(Deserialize, utoipa::IntoParams)]
pub(super) struct ImportQuery {
    /// `jsonl` or `csv`; without it the content type says which.
    format: Option<String>,
    /// Passes over the lines before this one: `resume_from` of an import that was interrupted.
    from_line: Option<u64>,
    /// Only says what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// What an import came to.
#[derive(Debug, Default, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct ImportAnswer {
    /// The revision at which it holds.
    revision: u64,
    /// How many lines are dealt with, the first lines of the stream, those that were passed over included. What they say is
    /// durable, or told as an error.
    lines: u64,
    /// How many relationships were made or replaced.
    written: u64,
    /// How many were there already, just so.
    unchanged: u64,
    /// How many lines were refused.
    refused: u64,
    /// The first 100 of those.
    errors: Vec<LineError>,
    /// Only in the `progress` of an error: the line to go on with. Nothing from there on was written, or, if the outcome is not
    /// known, writing it again does no harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_from: Option<u64>,
}

/// A line that was refused.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct LineError {
    /// Which, from 1; in CSV the header is line 1.
    line: u64,
    /// As in an error of `POST /api/v1/relationships`.
    code: String,
    /// What is wrong.
    error: String,
}

/// Some lines that follow each other.
#[derive(Default)]
struct Part {
    relationships: Vec<Relationship>,
    /// Where each of them stands.
    lines: Vec<u64>,
    errors: Vec<(u64, Error)>,
    bytes: usize,
    /// The last line that was looked at.
    last: u64,
}

/// A part on its way to the disk.
struct Writing {
    task: JoinHandle<Result<Done<Imported>, SubmitError>>,
    lines: Vec<u64>,
    errors: Vec<(u64, Error)>,
    last: u64,
}

/// Imports relationships. Each line is judged by itself: those that are refused are told and the others are written, several
/// thousand to an entry. To import the same again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/relationships/import", tag = "relationships", params(ImportQuery),
    request_body(
        description = "Relationships as in `POST /api/v1/relationships`, one JSON object a line, or CSV with a header: \
                       resource, relation, subject, until, condition, parameters (a JSON object)",
        content((String = "application/x-ndjson"), (String = "text/csv"))
    ),
    responses(
        (status = 200, body = ImportAnswer), (status = 400), (status = 401), (status = 403), (status = 408),
        (status = 415), (status = 503)
    )
)]
pub(super) async fn import_relationships(
    Streaming { call, body }: Streaming<Api>,
) -> Result<Json<ImportAnswer>, Error> {
    let published = call.published_for(&[Authority::Writer])?;
    let query: ImportQuery = call.query()?;
    let format = match &query.format {
        Some(name) => Format::of_name(name)?,
        None => {
            let content_type = call.header(header::CONTENT_TYPE).unwrap_or_default();
            Format::of_content_type(content_type).ok_or_else(|| {
                Error::from(EdgeError::UnsupportedMediaType).saying(
                    "the body must be `application/x-ndjson` or `text/csv`; or name its `format` in the query",
                )
            })?
        }
    };
    if query.from_line == Some(0) {
        return Err(invalid("from_line", "lines are counted from 1"));
    }
    let mut import = Import {
        reason: call.reason()?,
        account: published.state.account(),
        lines: Lines::new(body),
        reader: LineReader::JsonLines,
        from_line: query.from_line.unwrap_or(1),
        dry_run: query.dry_run,
        last: 0,
        report: ImportAnswer { revision: published.head.revision, ..ImportAnswer::default() },
        call,
    };
    drop(published);
    match import.run(format).await {
        Ok(()) => Ok(Json(import.report)),
        Err(error) => {
            let resume_from = Some(import.report.lines.max(import.from_line - 1) + 1);
            Err(error.after(ImportAnswer { resume_from, ..import.report }))
        }
    }
}

struct Import {
    call: Call,
    reason: Option<String>,
    /// The realm's; see [`ImportRelationships`].
    account: Uuid,
    lines: Lines,
    reader: LineReader,
    from_line: u64,
    dry_run: bool,
    /// The last line that came.
    last: u64,
    report: ImportAnswer,
}

impl Import {
    async fn run(&mut self, format: Format) -> Result<(), Error> {
        if format == Format::Csv {
            let Some(header) = self.next_line().await? else { return Ok(()) };
            self.reader = LineReader::csv(&header.ok_or_else(too_long)?)?;
        }
        let mut writing: Option<Writing> = None;
        loop {
            let part = self.part().await;
            if let Some(before) = writing.take() {
                self.settle(before).await?;
            }
            let part = part?;
            if part.last == self.report.lines {
                return Ok(());
            }
            writing = Some(self.begin(part).await?);
        }
    }

    async fn next_line(&mut self) -> Result<Option<Line>, Error> {
        let line = self.lines.next().await?;
        self.last += u64::from(line.is_some());
        Ok(line)
    }

    /// The next lines, as many as make a part.
    async fn part(&mut self) -> Result<Part, Error> {
        let mut part = Part::default();
        // One schema for the part; what it does not admit any more is refused when it is decided.
        let published = self.call.published();
        let schema = published.state.graph().schema();
        while part.relationships.len() + part.errors.len() < PART_LINES && part.bytes < PART_BYTES {
            let Some(line) = self.next_line().await? else { break };
            if self.last < self.from_line {
                continue;
            }
            match line {
                None => part.errors.push((self.last, too_long())),
                Some(line) if line.trim_ascii().is_empty() => {}
                Some(line) => {
                    part.bytes += line.len();
                    match self.reader.read(&line, schema) {
                        Ok(relationship) => {
                            part.relationships.push(relationship);
                            part.lines.push(self.last);
                        }
                        Err(error) => part.errors.push((self.last, error)),
                    }
                }
            }
        }
        part.last = self.last;
        Ok(part)
    }

    async fn begin(&mut self, part: Part) -> Result<Writing, Error> {
        // Keys are revoked and expire.
        self.call.recognise().await?;
        let Part { relationships, lines, errors, last, .. } = part;
        let (account, dry_run) = (self.account, self.dry_run);
        let command = Arc::new(ImportRelationships { relationships, account, dry_run });
        let (realm, caller) = (self.call.realm.clone(), self.call.caller.clone());
        let task = tokio::spawn(write(realm, command, caller, self.reason.clone()));
        Ok(Writing { task, lines, errors, last })
    }

    /// Waits for a part and adds it to the report.
    async fn settle(&mut self, writing: Writing) -> Result<(), Error> {
        let Writing { task, lines, mut errors, last } = writing;
        let done = task.await.map_err(|_| EdgeError::Internal)?.map_err(CallError::from)?;
        self.call.note_revision(done.revision);
        self.report.revision = done.revision;
        self.report.written += done.answer.written;
        self.report.unchanged += done.answer.unchanged;
        self.report.refused += (errors.len() + done.answer.refused.len()) as u64;
        let refused = done.answer.refused.into_iter();
        errors.extend(refused.filter_map(|(place, refusal)| Some((*lines.get(place)?, refusal.into()))));
        errors.sort_by_key(|(line, _)| *line);
        let room = TOLD.saturating_sub(self.report.errors.len());
        self.report.errors.extend(errors.into_iter().take(room).map(|(line, error)| told(line, &error)));
        self.report.lines = last;
        Ok(())
    }
}

async fn write(
    realm: Arc<Realm>,
    command: Arc<ImportRelationships>,
    caller: Caller,
    reason: Option<String>,
) -> Result<Done<Imported>, SubmitError> {
    for _ in 0..TRIES {
        let command = command.clone();
        let (caller, reason) = (caller.clone(), reason.clone());
        let request = Request { command, caller, via: Api::VIA, reason, idempotency: None };
        match realm.submit(request).await {
            // An import can wait.
            Err(SubmitError::Overloaded) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
    Err(SubmitError::Overloaded)
}

fn too_long() -> Error {
    invalid("line", format!("is longer than {MAX_LINE} bytes"))
}

fn told(line: u64, error: &Error) -> LineError {
    let (code, mut error) = error.told();
    if error.len() > ERROR_TEXT {
        let end = (0..=ERROR_TEXT).rev().find(|at| error.is_char_boundary(*at)).unwrap_or_default();
        error.truncate(end);
        error.push_str(" ...");
    }
    LineError { line, code, error }
}
