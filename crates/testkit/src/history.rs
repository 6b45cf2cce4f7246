//! What clients saw of a cluster, held against the ledger that the cluster was left with.
//!
//! A history has a line of JSON for each [`Operation`], a ledger one for each [`Change`]; [`check`] finds what the two say
//! against each other. Nothing of the server is used here, so that it is a witness of its own.

mod check;
mod read;
#[cfg(test)]
mod tests;
mod violation;

use serde::Deserialize;

pub use check::{Rules, check};
pub use read::{Unreadable, ledger, operations};
pub use violation::Violation;

/// One call of a client, from its first attempt to its last answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    /// Its name; a write carries it into the ledger as its reason.
    pub id: String,
    /// The node that answered.
    pub node: String,
    /// Who called: two calls of one process to one node see that node only move forward.
    pub process: u64,
    /// Whether it sets or asks.
    pub kind: Kind,
    /// The relationship that it is about.
    pub key: String,
    /// What a write set, what a read saw; none if it saw nothing.
    pub value: Option<bool>,
    /// The revision that the caller had seen and sent along.
    #[serde(default)]
    pub at_least: Option<u64>,
    /// Whether the caller asked for the newest state there is.
    #[serde(default)]
    pub full: bool,
    /// When it began: nanoseconds of the one monotonic clock of the run.
    pub invoked: u64,
    /// When its answer was there; none if none came.
    pub returned: Option<u64>,
    /// What the answer was.
    pub outcome: Outcome,
    /// The revision that the answer named.
    pub revision: Option<u64>,
    /// The seconds by which the answer said it may be behind.
    #[serde(default)]
    pub stale: Option<f64>,
    /// Whether the answer to a write said that it changed something; none if it did not say.
    #[serde(default)]
    pub changed: Option<bool>,
}

/// What an [`Operation`] does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Grants or revokes.
    Write,
    /// Checks.
    Read,
}

/// How an [`Operation`] ended, as far as its caller knows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Ok,
    /// The answer said that it is not allowed or not possible.
    Refused,
    /// The answer said that nothing was done.
    Failed,
    /// No answer came, or one that could not tell.
    Unknown,
}

/// One relationship set by one entry of the ledger. What was never set is false.
#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    /// The entry's revision.
    pub revision: u64,
    /// The [`Operation`] that did it; none if it was done outside of the history.
    pub reason: Option<String>,
    /// The relationship.
    pub key: String,
    /// Whether it holds from here on.
    pub value: bool,
}

impl Operation {
    fn is_done_write(&self) -> bool {
        self.kind == Kind::Write && self.outcome == Outcome::Ok
    }

    fn is_done_read(&self) -> bool {
        self.kind == Kind::Read && self.outcome == Outcome::Ok
    }
}
