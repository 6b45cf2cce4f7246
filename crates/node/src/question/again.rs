//! A question that is asked again and again, of what was allowed and goes on.

use grantd_realm::engine::Question;

use super::{Asking, Said, spell};

impl Asking<'_> {
    /// Whether what was allowed still is. The yes was counted and written down when it was given, so only a no is.
    pub fn still_allows(&self, question: &Question<'_>) -> bool {
        let Some((subject, resource)) = self.spelled(question) else { return false };
        let spelled = spell(question, &subject, &resource);
        let decided = self.decide(&spelled, Said::NOTHING);
        matches!(&decided, Ok(decision) if decision.is_allowed())
            || self.answer(&spelled, decided).is_allowed()
    }
}
