//! What operators see: metrics and logs. Neither ever holds a secret, a raw path or a query.

mod git;
pub mod log;
mod metrics;
mod now_and_then;
mod observer;
mod ssh;
mod store_metrics;

pub use git::{GitMetrics, TransferEnd};
pub use metrics::{
    AppendResult, CONTENT_TYPE as METRICS_CONTENT_TYPE, CheckResult, DecisionLogMetrics, HttpMetrics,
    LedgerMetrics, Metrics, RefusalReason, RouteLabel, WebhookMetrics,
};
pub(crate) use now_and_then::NowAndThen;
pub use ssh::{SessionEnd, SignIn, SshMetrics};
pub use store_metrics::{PollResult, StoreMetrics};
