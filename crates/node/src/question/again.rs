//! A question that is asked again and again, of what was allowed and goes on.

use grantd_realm::engine::{Decision, Question};

use super::{Answer, Asking, Said, spell};

impl Asking<'_> {
    /// The answer, written down and counted only if it is no yes any more.
    pub fn check_again(&self, question: &Question<'_>) -> Answer {
        let Some((subject, resource)) = self.spelled(question) else { return self.impossible(question) };
        let spelled = spell(question, &subject, &resource);
        match self.decide(&spelled, Said::NOTHING) {
            Ok(Decision::Allowed) => Answer { decision: Decision::Allowed, denial: None },
            decided => self.answer(&spelled, decided),
        }
    }
}
