//! Three truth values, and what an open one depends on.

use std::collections::BTreeSet;

use super::{BrokenCondition, Decision};

/// Kleene's truth values, in order. `and` is the smaller of two, `or` the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Truth {
    #[default]
    No,
    /// It depends on what nobody has said, or on what could not be evaluated.
    Maybe,
    Yes,
}

impl Truth {
    pub(crate) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// What an open answer depends on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Unknowns {
    pub(crate) missing: BTreeSet<String>,
    pub(crate) broken: BTreeSet<BrokenCondition>,
}

impl Unknowns {
    pub(crate) fn add(&mut self, other: &Self) {
        self.missing.extend(other.missing.iter().cloned());
        self.broken.extend(other.broken.iter().cloned());
    }
}

impl From<Unknowns> for Decision {
    fn from(unknowns: Unknowns) -> Self {
        let Unknowns { missing, broken } = unknowns;
        Self::Conditional { missing: missing.into_iter().collect(), broken: broken.into_iter().collect() }
    }
}
