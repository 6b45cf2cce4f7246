//! The one point that every question passes.

use grantd_realm::caller::{Authority, Caller};
use grantd_realm::engine::{Decision, Question};
use grantd_realm::{Micros, Refusal};

use crate::decision_log::{DecisionLog, Record};
use crate::running::Published;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Yes, no, or "it depends on", which every yes/no face reports as no.
    pub decision: Decision,
    /// The revision at which it holds.
    pub revision: u64,
    /// The time at which it holds.
    pub time: Micros,
}

/// Asks a published state, after a look at whether the caller may ask. A question that breaks a limit is a no.
pub fn ask(
    published: &Published,
    caller: &Caller,
    question: &Question<'_>,
    now: Micros,
    log: Option<&DecisionLog>,
) -> Result<Answer, Refusal> {
    if !caller.holds(Authority::Checker, &published.state, now) {
        return Err(Refusal::NotAllowed(Authority::Checker));
    }
    let decision = published.state.graph().check(question, now).unwrap_or_else(|error| {
        tracing::warn!(%error, "a question was answered no");
        Decision::Denied
    });
    if let Some(log) = log
        && log.takes_this_one()
    {
        log.write(Record {
            time: now,
            realm: published.state.name().into(),
            revision: published.head.revision,
            caller: caller.actor.to_string(),
            subject: question.subject.to_string(),
            action: question.action.into(),
            resource: question.resource.to_string(),
            allowed: decision.is_allowed(),
        });
    }
    Ok(Answer { decision, revision: published.head.revision, time: now })
}
