//! Relationships as lines of a stream: JSON objects as in `POST /api/v1/relationships`, or CSV.

use std::collections::VecDeque;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use grantd_node::realm::engine::{Relationship, Schema};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};

use super::errors::{Error, invalid};
use super::names::Named;
use super::relationships::{ConditionInput, RelationshipInput, RelationshipOutput};
use crate::edge::layers::BodyFault;
use crate::edge::{EdgeError, JsonRules, parse_json};

/// The longest line, in bytes.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// The columns of CSV, in the order in which they are written. The first three must be there when they are read.
const COLUMNS: [&str; 6] = ["resource", "relation", "subject", "until", "condition", "parameters"];
const REQUIRED: usize = 3;

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values (RFC 4180) with a header, each record on one line.
    Csv,
}

impl Format {
    /// As a query names it.
    pub(super) fn of_name(name: &str) -> Result<Self, Error> {
        match name {
            "jsonl" => Ok(Self::JsonLines),
            "csv" => Ok(Self::Csv),
            _ => Err(invalid("format", "must be `jsonl` or `csv`")),
        }
    }

    /// As a content type names it.
    pub(super) fn of_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines" => Some(Self::JsonLines),
            "text/csv" => Some(Self::Csv),
            _ => None,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// A line without its end, or `None` in place of one that is too long.
pub(super) type Line = Option<Bytes>;

/// Cuts a body into lines; holds no more of it than one frame and one line.
pub(super) struct Lines {
    body: Body,
    ready: VecDeque<Line>,
    /// The begin of a line whose end has not come yet.
    begun: BytesMut,
    /// The line that is coming is too long, and is being passed over.
    passing: bool,
    ended: bool,
}

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        Self { body, ready: VecDeque::new(), begun: BytesMut::new(), passing: false, ended: false }
    }

    /// The next line; the last one may lack its end.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, EdgeError> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.cut(data);
                    }
                }
                Some(Err(error)) => {
                    let gone = || EdgeError::BadRequest("the body ended before its announced end".into());
                    return Err(BodyFault::find(&error).map_or_else(gone, EdgeError::from));
                }
                None => {
                    self.ended = true;
                    if self.passing || !self.begun.is_empty() {
                        self.end_line(Bytes::new());
                    }
                }
            }
        }
    }

    fn cut(&mut self, mut data: Bytes) {
        while let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            let line = data.split_to(end);
            drop(data.split_to(1));
            self.end_line(line);
        }
        if self.passing || self.begun.len() + data.len() > MAX_LINE {
            self.passing = true;
            self.begun.clear();
        } else {
            self.begun.extend_from_slice(&data);
        }
    }

    fn end_line(&mut self, rest: Bytes) {
        let line = if self.begun.is_empty() {
            rest
        } else {
            self.begun.extend_from_slice(&rest);
            self.begun.split().freeze()
        };
        let fits = !std::mem::take(&mut self.passing) && line.len() <= MAX_LINE;
        let line = if line.last() == Some(&b'\r') { line.slice(..line.len() - 1) } else { line };
        self.ready.push_back(fits.then_some(line));
    }
}

/// Reads the lines of one stream.
pub(super) enum LineReader {
    /// JSON lines.
    JsonLines,
    /// Which field of a record is which column.
    Csv(Vec<usize>),
}

impl LineReader {
    /// A reader for CSV by the stream's first line.
    pub(super) fn csv(header: &[u8]) -> Result<Self, Error> {
        // Spreadsheets put a byte order mark in front.
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        let named = |name: &String| {
            let at = COLUMNS.iter().position(|column| column == name);
            at.ok_or_else(|| {
                invalid(
                    "header",
                    format!("the first line names the columns, of these: {}", COLUMNS.join(",")),
                )
            })
        };
        let columns: Vec<usize> = record(text(header)?)?.iter().map(named).collect::<Result<_, _>>()?;
        let twice =
            columns.iter().enumerate().any(|(at, column)| columns.iter().take(at).any(|c| c == column));
        if twice || (0..REQUIRED).any(|column| !columns.contains(&column)) {
            return Err(invalid("header", "needs the columns resource, relation and subject, each once"));
        }
        Ok(Self::Csv(columns))
    }

    /// The relationship of a line.
    pub(super) fn read(&self, line: &[u8], schema: &Schema) -> Result<Relationship, Error> {
        let input = match self {
            Self::JsonLines => parse_json::<RelationshipInput>(line, JsonRules::default())?,
            Self::Csv(columns) => of_record(columns, &record(text(line)?)?)?,
        };
        input.relationship(schema)
    }
}

fn text(line: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(line).map_err(|_| invalid("line", "is not UTF-8"))
}

fn of_record(columns: &[usize], fields: &[String]) -> Result<RelationshipInput, Error> {
    if fields.len() != columns.len() {
        return Err(invalid("line", format!("has {} fields, the header {}", fields.len(), columns.len())));
    }
    let field = |column: usize| {
        let at = columns.iter().position(|found| *found == column)?;
        fields.get(at).filter(|field| !field.is_empty()).cloned()
    };
    let required = |column: usize, name| field(column).ok_or_else(|| invalid(name, "is missing"));
    let condition = match (field(4), field(5)) {
        (None, None) => None,
        (None, Some(_)) => return Err(invalid("condition", "is missing; there are parameters for it")),
        (Some(name), parameters) => {
            let read = parameters.map_or_else(|| Ok(Map::new()), |text| serde_json::from_str(&text));
            let parameters = read.map_err(|_| invalid("parameters", "must be a JSON object"))?;
            Some(ConditionInput { name, parameters })
        }
    };
    Ok(RelationshipInput {
        resource: Named::Text(required(0, "resource")?),
        relation: required(1, "relation")?,
        subject: Named::Text(required(2, "subject")?),
        until: field(3),
        condition,
    })
}

/// The fields of a record of CSV. A quoted one holds commas, and quotes doubled; an end of line it cannot hold here.
fn record(line: &str) -> Result<Vec<String>, Error> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, behind) = rest.split_at(end);
                if field.contains('"') {
                    return Err(invalid("line", "has a quote in a field that does not begin with one"));
                }
                (field.to_owned(), behind)
            }
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(fields),
            None => return Err(invalid("line", "has text behind a quoted field")),
        }
    }
}

/// A field up to its closing quote, and what is behind that.
fn quoted_field(quoted: &str) -> Result<(String, &str), Error> {
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let (part, behind) = rest.split_once('"').ok_or_else(|| {
            invalid("line", "has a quoted field without an end; a record must stand on one line")
        })?;
        field.push_str(part);
        match behind.strip_prefix('"') {
            Some(behind) => {
                field.push('"');
                rest = behind;
            }
            None => return Ok((field, behind)),
        }
    }
}

/// Writes lines, the header of CSV first.
pub(super) fn write_header(format: Format, out: &mut Vec<u8>) {
    if format == Format::Csv {
        out.extend_from_slice(COLUMNS.join(",").as_bytes());
        out.push(b'\n');
    }
}

/// Writes one line.
pub(super) fn write_line(format: Format, relationship: Relationship, out: &mut Vec<u8>) {
    let output = RelationshipOutput::from(relationship);
    match format {
        Format::JsonLines => {
            // Into memory, and of texts alone: nothing of it can fail.
            let _ = serde_json::to_writer(&mut *out, &output);
        }
        Format::Csv => {
            let (name, parameters) = match output.condition {
                None => (String::new(), String::new()),
                Some(ConditionInput { name, parameters }) if parameters.is_empty() => (name, String::new()),
                Some(ConditionInput { name, parameters }) => (name, Value::Object(parameters).to_string()),
            };
            let until = output.until.unwrap_or_default();
            let fields = [output.resource, output.relation, output.subject, until, name, parameters];
            for (at, field) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_field(field, out);
            }
        }
    }
    out.push(b'\n');
}

fn write_field(field: &str, out: &mut Vec<u8>) {
    if field.contains(['"', ',', '\n', '\r']) {
        out.push(b'"');
        out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(field.as_bytes());
    }
}

#[cfg(test)]
#[path = "relationship_lines_tests.rs"]
mod tests;
