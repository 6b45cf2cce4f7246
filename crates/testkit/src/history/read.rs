//! Histories and ledgers from lines of JSON.

use std::collections::HashSet;
use std::io::BufRead;

use serde::de::DeserializeOwned;

use super::{Change, Operation};

/// Why a file is no history or no ledger.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read.
    #[error("line {line}: {source}")]
    Io {
        /// Counted from 1.
        line: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not JSON, or not of this form.
    #[error("line {line}: {source}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// Where and what.
        source: serde_json::Error,
    },
    /// Two operations have one name.
    #[error(
        "line {line}: there is an operation `{id}` already; write one line for each, with its last outcome"
    )]
    SameId {
        /// Counted from 1.
        line: usize,
        /// The name.
        id: String,
    },
    /// The entries are not in the order of their revisions.
    #[error("line {line}: revision {revision} comes after a later one; sort the lines by revision")]
    Order {
        /// Counted from 1.
        line: usize,
        /// The one that is too low.
        revision: u64,
    },
}

/// Reads a history.
///
/// # Errors
///
/// If a line is no operation, or has the name of another.
pub fn operations(text: impl BufRead) -> Result<Vec<Operation>, Unreadable> {
    let mut ids = HashSet::new();
    let mut operations = Vec::new();
    for line in lines::<Operation>(text) {
        let (line, operation) = line?;
        if !ids.insert(operation.id.clone()) {
            return Err(Unreadable::SameId { line, id: operation.id });
        }
        operations.push(operation);
    }
    Ok(operations)
}

/// Reads a ledger.
///
/// # Errors
///
/// If a line is no change, or the revisions fall.
pub fn ledger(text: impl BufRead) -> Result<Vec<Change>, Unreadable> {
    let mut changes: Vec<Change> = Vec::new();
    for line in lines::<Change>(text) {
        let (line, change) = line?;
        if changes.last().is_some_and(|last| last.revision > change.revision) {
            return Err(Unreadable::Order { line, revision: change.revision });
        }
        changes.push(change);
    }
    Ok(changes)
}

/// Each line that is not empty, with its number.
fn lines<T: DeserializeOwned>(text: impl BufRead) -> impl Iterator<Item = Result<(usize, T), Unreadable>> {
    (1..).zip(text.lines()).filter_map(|(line, text)| match text {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(
            serde_json::from_str(&text)
                .map(|read| (line, read))
                .map_err(|source| Unreadable::Form { line, source }),
        ),
        Err(source) => Some(Err(Unreadable::Io { line, source })),
    })
}
