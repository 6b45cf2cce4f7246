//! Who counts what a node does, for a metrics page that this crate knows nothing of.

use std::time::Duration;

/// How an append ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendEnd {
    /// Its entries are durable.
    Durable,
    /// Somebody else's came first.
    Conflict,
    /// The store does not take it.
    Rejected,
    /// It may be there.
    Unknown,
}

/// What a question came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckEnd {
    /// Yes.
    Allowed,
    /// No.
    Denied,
    /// It depends; said as no.
    Conditional,
    /// It broke a limit; said as no.
    Error,
}

/// How a look at a shared store ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollEnd {
    /// It said where the ledgers end.
    Answered,
    /// It did not.
    Failed,
}

/// Counts what a node does.
pub trait Observer: Send + Sync + 'static {
    /// An append of so many entries ended.
    fn appended(&self, _end: AppendEnd, _entries: usize, _took: Duration) {}
    /// The node looked where the ledgers of its realms end.
    fn polled(&self, _end: PollEnd) {}
    /// Other nodes said that they appended to so many of its realms.
    fn announced(&self, _realms: usize) {}
    /// A question was answered.
    fn checked(&self, _end: CheckEnd) {}
    /// A page of a search was answered.
    fn searched(&self) {}
    /// A record found no room in the decision log's queue.
    fn decision_dropped(&self) {}
}

/// Counts nothing.
impl Observer for () {}
