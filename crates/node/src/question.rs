//! The one point that every question passes.

use grantd_realm::caller::{Authority, Caller};
use grantd_realm::engine::{Circumstances, Decision, Question};
use grantd_realm::{Micros, Refusal};

use crate::decision_log::Record;
use crate::node::Node;
use crate::observer::CheckEnd;
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

impl Node {
    /// Asks a published state, after a look at whether the caller may ask. A question that breaks a limit is a no.
    pub fn ask(
        &self,
        published: &Published,
        caller: &Caller,
        question: &Question<'_>,
    ) -> Result<Answer, Refusal> {
        let now = self.now();
        if !caller.holds(Authority::Checker, &published.state, now) {
            return Err(Refusal::NotAllowed(Authority::Checker));
        }
        let (decision, end) = match published.state.graph().check(question, &Circumstances::at(now)) {
            Ok(Decision::Allowed) => (Decision::Allowed, CheckEnd::Allowed),
            Ok(Decision::Denied) => (Decision::Denied, CheckEnd::Denied),
            Ok(conditional @ Decision::Conditional { .. }) => (conditional, CheckEnd::Conditional),
            Err(error) => {
                tracing::warn!(%error, "a question was answered no");
                (Decision::Denied, CheckEnd::Error)
            }
        };
        self.observer().checked(end);
        self.record(published, caller, question, now, decision.is_allowed());
        Ok(Answer { decision, revision: published.head.revision, time: now })
    }

    fn record(
        &self,
        published: &Published,
        caller: &Caller,
        question: &Question<'_>,
        time: Micros,
        allowed: bool,
    ) {
        let Some(log) = self.decision_log().filter(|log| log.takes_this_one()) else { return };
        let record = Record {
            time,
            realm: published.state.name().into(),
            revision: published.head.revision,
            caller: caller.actor.to_string(),
            subject: question.subject.to_string(),
            action: question.action.into(),
            resource: question.resource.to_string(),
            allowed,
        };
        if !log.write(record) {
            self.observer().decision_dropped();
        }
    }
}
