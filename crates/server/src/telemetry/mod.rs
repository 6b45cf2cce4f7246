//! What operators see: metrics and logs. Neither ever holds a secret, a raw path or a query.

mod git;
pub mod log;
mod metrics;
mod observer;

pub use git::{GitMetrics, TransferEnd};
pub use metrics::{
    AppendResult, CONTENT_TYPE as METRICS_CONTENT_TYPE, CheckResult, DecisionLogMetrics, HttpMetrics,
    LedgerMetrics, Metrics, RefusalReason, RouteLabel, WebhookMetrics,
};
