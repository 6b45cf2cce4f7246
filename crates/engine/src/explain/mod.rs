//! Why the answer to a question is what it is.

mod misses;
mod witness;

use crate::check::Decision;
use crate::check::asked::Asked;
use crate::check::solve::Solver;
use crate::check::truth::Truth;
use crate::graph::Graph;
use crate::name::RelationName;
use crate::object::Object;
use crate::relationship::Relationship;
use crate::schema::Expression;
use crate::subject::Subject;
use crate::{CheckError, Circumstances, Question};

/// A decision with its reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The answer, the same as that of [`Graph::check`].
    pub decision: Decision,
    /// Why yes; only if it is one.
    pub witness: Option<Witness>,
    /// Why no: what was tried and what was missing, the nearest first; empty for a yes.
    pub misses: Vec<Miss>,
}

/// What an allow rests on: from these relationships and absences alone the yes follows, and from no part of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Witness {
    /// The relationships used, in key order.
    pub relationships: Vec<Relationship>,
    /// What must not hold, where a `but not` asked for it.
    pub absences: Vec<Absence>,
    /// Where each property that a condition read came from.
    pub properties: Vec<PropertyUse>,
}

/// A claim: the subject is not among those that a `but not` takes away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Absence {
    /// Where.
    pub resource: Object,
    /// The relation whose definition has the `but not`.
    pub relation: RelationName,
    /// What stands behind the `but not`.
    pub taken: Expression,
    /// Who is not in it.
    pub subject: Subject,
}

/// Where a value that a condition read came from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PropertyUse {
    /// As in the condition: `resource.status`, or a parameter's name.
    pub name: String,
    /// Where it came from.
    pub source: PropertySource,
}

/// Where a value came from, the strongest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PropertySource {
    /// The parameters of the relationship itself.
    Relationship,
    /// The request.
    Request,
    /// What the realm has stored.
    Stored,
}

/// Something that was tried and did not lead to a yes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Miss {
    /// Where.
    pub resource: Object,
    /// Which relation.
    pub relation: RelationName,
    /// What was missing.
    pub reason: Reason,
}

/// Why a relation was not reached.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// No relationship leads from here to the subject.
    NoRelationship,
    /// A relationship has ended.
    Ended(Relationship),
    /// The condition of a relationship does not hold.
    ConditionFailed(Relationship),
    /// The condition of a relationship needs what nobody has said.
    ConditionMissing(Relationship, Vec<String>),
    /// The condition of a relationship could not be evaluated.
    ConditionBroken(Relationship, String),
    /// The subject would stand here but for a `but not`, which takes it away by this.
    Excluded(Expression),
    /// The subject stands in some parts of an `and`, but not in all.
    PartMissing,
}

impl Graph {
    /// Answers a question and says why.
    pub fn explain(
        &self,
        question: &Question<'_>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Explanation, CheckError> {
        let nothing = |decision| Explanation { decision, witness: None, misses: Vec::new() };
        let Some(asked) = Asked::new(self, question, circumstances) else {
            return Ok(nothing(Decision::Denied));
        };
        let asked = asked.patient();
        let mut solver = Solver::in_full(&asked);
        Ok(match solver.solve(asked.goal)? {
            Truth::Yes => {
                let witness = witness::minimal(&asked, &solver, question)?;
                Explanation { witness: Some(witness), ..nothing(Decision::Allowed) }
            }
            Truth::No => {
                Explanation { misses: misses::nearest(&asked, &solver), ..nothing(Decision::Denied) }
            }
            Truth::Maybe => {
                let decision = solver.unknowns().into();
                Explanation { misses: misses::nearest(&asked, &solver), ..nothing(decision) }
            }
        })
    }
}
