//! What a cluster must never do.

use std::fmt;

/// A promise that was broken, with the operations that show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Violation {
    /// A write was acknowledged and is not in the ledger.
    Lost {
        /// The write.
        write: String,
    },
    /// A write is in the ledger more than once.
    Twice {
        /// The write.
        write: String,
        /// Where it is.
        revisions: Vec<u64>,
    },
    /// The answer said that nothing was done, and the ledger has it.
    Denied {
        /// The write.
        write: String,
        /// Where it is.
        revision: u64,
    },
    /// An acknowledged write is in the ledger, but not where its answer said.
    Misplaced {
        /// The write.
        write: String,
        /// What the answer said.
        told: u64,
        /// Where it is.
        revision: u64,
    },
    /// The ledger has something else than the write asked for.
    Altered {
        /// The write.
        write: String,
        /// Where it is.
        revision: u64,
    },
    /// The ledger has a change that no operation of the history made.
    Stranger {
        /// What the entry gives as its reason.
        reason: String,
        /// Where it is.
        revision: u64,
    },
    /// A write began when somebody had already seen a later revision than its own.
    Unordered {
        /// The write.
        write: String,
        /// Where it is.
        revision: u64,
        /// Whose answer showed a later revision before.
        after: String,
        /// That revision.
        seen: u64,
    },
    /// An answer is not the truth of the revision that it names.
    Untrue {
        /// The read, or a write that said that it had nothing to change.
        operation: String,
        /// The revision.
        revision: u64,
    },
    /// A read answered without a revision, so that nobody can tell what it saw.
    Untold {
        /// The read.
        read: String,
    },
    /// An answer is of an earlier revision than its caller asked for.
    Below {
        /// The operation.
        operation: String,
        /// Its revision.
        revision: u64,
        /// What was asked for.
        at_least: u64,
    },
    /// What must rest on the newest state rests on an older one.
    Behind {
        /// A `full` read, or a write that said that it had nothing to change.
        operation: String,
        /// Its revision.
        revision: u64,
        /// Whose answer showed a later revision before it began.
        after: String,
        /// That revision.
        seen: u64,
    },
    /// A process saw a node go back.
    Backwards {
        /// The read.
        read: String,
        /// Its revision.
        revision: u64,
        /// The earlier operation of the same process and node.
        after: String,
        /// Its revision, which is later.
        seen: u64,
    },
    /// An answer is older than it may be, or than it says.
    Unmarked {
        /// The read.
        read: String,
        /// Its revision.
        revision: u64,
        /// Whose answer showed a later revision long before.
        after: String,
        /// How long before, in milliseconds.
        milliseconds: u64,
    },
}

impl Violation {
    /// One word for its kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lost { .. } => "lost",
            Self::Twice { .. } => "twice",
            Self::Denied { .. } => "denied",
            Self::Misplaced { .. } => "misplaced",
            Self::Altered { .. } => "altered",
            Self::Stranger { .. } => "stranger",
            Self::Unordered { .. } => "unordered",
            Self::Untrue { .. } => "untrue",
            Self::Untold { .. } => "untold",
            Self::Below { .. } => "below",
            Self::Behind { .. } => "behind",
            Self::Backwards { .. } => "backwards",
            Self::Unmarked { .. } => "unmarked",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match self {
            Self::Lost { write } => write!(f, "`{write}` was acknowledged and is not in the ledger"),
            Self::Twice { write, revisions } => write!(f, "`{write}` is in the ledger at {revisions:?}"),
            Self::Denied { write, revision } => {
                write!(f, "`{write}` was told that nothing was done and is in the ledger at {revision}")
            }
            Self::Misplaced { write, told, revision } => {
                write!(f, "`{write}` was told {told} and is in the ledger at {revision}")
            }
            Self::Altered { write, revision } => {
                write!(f, "`{write}` is in the ledger at {revision} with another key or value")
            }
            Self::Stranger { reason, revision } => {
                write!(f, "the entry {revision} is of `{reason}`, which is not in the history")
            }
            Self::Unordered { write, revision, after, seen } => {
                write!(f, "`{write}` at {revision} began after `{after}` had been told {seen}")
            }
            Self::Untrue { operation, revision } => {
                write!(f, "`{operation}` was told the opposite of what holds at {revision}")
            }
            Self::Untold { read } => write!(f, "`{read}` was answered without a revision"),
            Self::Below { operation, revision, at_least } => {
                write!(f, "`{operation}` asked for {at_least} and was told {revision}")
            }
            Self::Behind { operation, revision, after, seen } => {
                write!(f, "`{operation}` rests on {revision} and began after `{after}` had been told {seen}")
            }
            Self::Backwards { read, revision, after, seen } => {
                write!(f, "`{read}` was told {revision} by the node that had told `{after}` {seen} before")
            }
            Self::Unmarked { read, revision, after, milliseconds } => write!(
                f,
                "`{read}` was told {revision}, with no mark that it is that old, {milliseconds} ms after `{after}` was told a later one"
            ),
        }
    }
}
