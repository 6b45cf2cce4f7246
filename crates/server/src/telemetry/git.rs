//! What is counted of the git front.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How a call of git ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum TransferEnd {
    /// By itself.
    Done,
    /// Git failed.
    Failed,
    /// The right to it ended.
    Cut,
    /// Nothing moved any more.
    Idle,
    /// The client went away.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransferLabels {
    service: &'static str,
    end: TransferEnd,
}

/// Calls of git.
#[derive(Clone, Debug)]
pub struct GitMetrics {
    under_way: Gauge,
    ended: Family<TransferLabels, Counter>,
}

impl GitMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let git = Self { under_way: Gauge::default(), ended: Family::default() };
        registry.register("git_in_flight", "Calls of git under way", git.under_way.clone());
        registry.register(
            "git_calls",
            "Calls of git, by service and how they ended (`Cut`: the right to it ended, `Idle`: nothing moved any more, `Gone`: the client went away)",
            git.ended.clone(),
        );
        git
    }

    /// Counts one as under way until what this gives is dropped.
    pub(crate) fn begin(&self, service: &'static str) -> UnderWay {
        self.under_way.inc();
        UnderWay { of: self.clone(), service }
    }
}

/// A call under way.
pub(crate) struct UnderWay {
    of: GitMetrics,
    service: &'static str,
}

impl UnderWay {
    /// Counts how it ended.
    pub(crate) fn end(self, end: TransferEnd) {
        self.of.ended.get_or_create(&TransferLabels { service: self.service, end }).inc();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.of.under_way.dec();
    }
}
