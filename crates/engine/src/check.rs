//! Questions and their answers.

mod search;
mod trail;

use thiserror::Error;

use crate::circumstances::Circumstances;
use crate::graph::Graph;
use crate::object::ObjectRef;
use crate::subject::SubjectRef;

/// How many usersets and computed relations may follow each other in one question.
pub const MAX_DEPTH: usize = 64;

/// How many relationships one question may look at.
pub const MAX_STEPS: usize = 100_000;

/// May `subject` do `action` to `resource`?
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Question<'a> {
    /// Who asks for access: an object, a userset or everyone of a type.
    pub subject: SubjectRef<'a>,
    /// The relation asked about.
    pub action: &'a str,
    /// What access is asked to.
    pub resource: ObjectRef<'a>,
}

/// The answer to a [`Question`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No; also for whatever is not known.
    Denied,
    /// It depends on conditions. Wherever only yes or no can be said, this is a no.
    Conditional {
        /// What would have to be known, in order of the names: `resource.status`, or a parameter's name.
        missing: Vec<String>,
        /// What could not be evaluated, in order of the conditions' names.
        broken: Vec<BrokenCondition>,
    },
}

/// A condition that could not be evaluated, which counts as one that nobody knows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BrokenCondition {
    /// Its name.
    pub condition: String,
    /// What went wrong.
    pub problem: String,
}

impl Decision {
    /// Whether the answer is a yes. Conditional is not.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// Why a question has no answer. Callers take it for a no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// More than [`MAX_DEPTH`] usersets and computed relations follow each other.
    #[error("the question leads through more than 64 levels of usersets: flatten the model's groups")]
    TooDeep,
    /// More than [`MAX_STEPS`] relationships would have to be looked at.
    #[error("the question needs more than 100000 steps: name fewer usersets on one resource")]
    TooManySteps,
}

impl Graph {
    /// Answers a question. Types, relations and ids that nobody has named are no error: the answer is no.
    pub fn check(
        &self,
        question: &Question<'_>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Decision, CheckError> {
        search::answer(self, question, circumstances.now)
    }
}
