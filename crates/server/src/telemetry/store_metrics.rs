//! What is counted of a store that other nodes share.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How a look at the store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum PollResult {
    /// It said where the ledgers end.
    Answered,
    /// It did not.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PollLabels {
    result: PollResult,
}

/// How this node follows the store. All stay 0 where no other node can write to it.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    lag: Gauge<f64, AtomicU64>,
    clock: Gauge<f64, AtomicU64>,
    polls: Family<PollLabels, Counter>,
    announced: Counter,
}

impl StoreMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let store = Self {
            lag: Gauge::default(),
            clock: Gauge::default(),
            polls: Family::default(),
            announced: Counter::default(),
        };
        registry.register(
            "store_lag_seconds",
            "How long ago this node last knew that it had everything the shared store has",
            store.lag.clone(),
        );
        registry.register(
            "store_clock_offset_seconds",
            "How far this machine's clock is ahead of the shared store's",
            store.clock.clone(),
        );
        registry.register(
            "store_polls",
            "Looks at the shared store for what other nodes wrote, by result",
            store.polls.clone(),
        );
        registry.register(
            "store_announced",
            "Ledgers looked at because another node said that it wrote to them",
            store.announced.clone(),
        );
        store
    }

    /// Sets what is measured when somebody looks.
    pub fn stands(&self, lag: Option<Duration>, clock_is_ahead: Option<i64>) {
        self.lag.set(lag.unwrap_or_default().as_secs_f64());
        let ahead = clock_is_ahead.unwrap_or_default();
        let offset = Duration::from_micros(ahead.unsigned_abs()).as_secs_f64();
        self.clock.set(if ahead < 0 { -offset } else { offset });
    }

    /// Counts a look.
    pub fn polled(&self, result: PollResult) {
        self.polls.get_or_create(&PollLabels { result }).inc();
    }

    /// Counts ledgers that others named.
    pub fn announced(&self, ledgers: u64) {
        self.announced.inc_by(ledgers);
    }
}
