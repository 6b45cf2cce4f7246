//! The node's counts on the metrics page.

use std::time::Duration;

use grantd_node::observer::{AppendEnd, CheckEnd, Observer, PollEnd};

use super::{AppendResult, CheckResult, Metrics, PollResult};

impl Observer for Metrics {
    fn appended(&self, end: AppendEnd, entries: usize, took: Duration) {
        let result = match end {
            AppendEnd::Durable => AppendResult::Durable,
            AppendEnd::Conflict => AppendResult::Conflict,
            AppendEnd::Rejected => AppendResult::Rejected,
            AppendEnd::Unknown => AppendResult::Unknown,
        };
        self.ledger.appended(result, u32::try_from(entries).unwrap_or(u32::MAX), took);
    }

    fn polled(&self, end: PollEnd) {
        self.store.polled(match end {
            PollEnd::Answered => PollResult::Answered,
            PollEnd::Failed => PollResult::Failed,
        });
    }

    fn announced(&self, realms: usize) {
        self.store.announced(u64::try_from(realms).unwrap_or(u64::MAX));
    }

    fn checked(&self, end: CheckEnd) {
        let result = match end {
            CheckEnd::Allowed => CheckResult::Allowed,
            CheckEnd::Denied => CheckResult::Denied,
            CheckEnd::Conditional => CheckResult::Conditional,
            CheckEnd::Error => CheckResult::Error,
        };
        self.decisions.checked(result, 1);
    }

    fn searched(&self) {
        self.decisions.searched.inc();
    }

    fn decision_dropped(&self) {
        self.decisions.dropped.inc();
    }
}
