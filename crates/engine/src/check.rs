//! Questions and their answers.
//!
//! [`asked`] turns the texts of a question into numbers. If `or` is the only operator on all ways from the relation asked
//! about, [`plain`] looks for one way to the subject; what it cannot tell, because of an operator or a condition that
//! depends on more, [`solve`] computes.

pub(crate) mod asked;
mod memberships;
mod plain;
pub(crate) mod solve;
pub(crate) mod truth;

use thiserror::Error;

use crate::circumstances::Circumstances;
use crate::graph::Graph;
use crate::object::ObjectRef;
use crate::subject::SubjectRef;
use asked::Asked;
use plain::Plain;
use solve::Solver;
use truth::Truth;

/// How many usersets, parents and computed relations may follow each other in one question.
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
    /// More than [`MAX_DEPTH`] usersets, parents and computed relations follow each other.
    #[error("the question leads through more than 64 levels of relations: flatten the model's groups")]
    TooDeep,
    /// More than [`MAX_STEPS`] relationships would have to be looked at.
    #[error("the question needs more than 100000 steps: name fewer usersets on one resource")]
    TooManySteps,
    /// A search would have to look at more than [`MAX_CANDIDATES`](crate::MAX_CANDIDATES) objects.
    #[error(
        "the search leads to more than 20000000 relations of objects: ask about a narrower type or relation"
    )]
    TooManyCandidates,
}

impl Graph {
    /// Answers a question. Types, relations and ids that nobody has named are no error: the answer is no.
    pub fn check(
        &self,
        question: &Question<'_>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Decision, CheckError> {
        let Some(asked) = Asked::new(self, question, circumstances) else { return Ok(Decision::Denied) };
        answer(&asked)
    }
}

pub(crate) fn answer(asked: &Asked<'_>) -> Result<Decision, CheckError> {
    let is_plain = asked.plan(asked.goal).is_some_and(|relation| relation.is_plain);
    if is_plain {
        match plain::search(asked, asked.goal, 0)? {
            Plain::Reached => return Ok(Decision::Allowed),
            Plain::NotReached => return Ok(Decision::Denied),
            Plain::Unclear => {}
        }
    }
    let mut solver = Solver::new(asked);
    Ok(match solver.solve(asked.goal)? {
        Truth::Yes => Decision::Allowed,
        Truth::No => Decision::Denied,
        Truth::Maybe => solver.unknowns().into(),
    })
}
