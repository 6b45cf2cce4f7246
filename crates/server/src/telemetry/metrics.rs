//! Everything that is counted, in one place. The names are in `docs/metrics.md`, which a test compares.
//!
//! A histogram here counts into buckets at once; it keeps no samples until someone asks for them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::MatchedPath;
use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{GitMetrics, SshMetrics, StoreMetrics};

/// Content type of [`Metrics::render`] (OpenMetrics 1.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds. A check is in the tens of microseconds, an ordinary route ends within ten seconds.
const SECONDS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Entries of one append.
const BATCH: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0];

/// All metrics of the process, and their text.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests and connections.
    pub http: HttpMetrics,
    /// The stores.
    pub ledger: LedgerMetrics,
    /// How this node follows a shared store.
    pub store: StoreMetrics,
    /// Decisions made.
    pub decisions: DecisionLogMetrics,
    /// What is sent to webhooks.
    pub webhooks: WebhookMetrics,
    /// The git front.
    pub git: GitMetrics,
    /// The SSH gateway.
    pub ssh: SshMetrics,
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("grantd");
        let http = HttpMetrics::register(&mut registry);
        let ledger = LedgerMetrics::register(&mut registry);
        let store = StoreMetrics::register(&mut registry);
        let decisions = DecisionLogMetrics::register(&mut registry);
        let webhooks = WebhookMetrics::register(&mut registry);
        let git = GitMetrics::register(&mut registry);
        let ssh = SshMetrics::register(&mut registry);
        Arc::new(Self { registry, http, ledger, store, decisions, webhooks, git, ssh })
    }

    /// The text of `/metrics`, to be sent as [`CONTENT_TYPE`].
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(16 * 1024);
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            // Writing to a String does not fail; half a page would look like counters that were reset.
            Err(fmt::Error) => String::new(),
        }
    }
}

/// A route's template, like `/users/{id}`; never the path itself, which may hold secrets and has no bound.
#[derive(Clone, Debug)]
pub struct RouteLabel(Option<MatchedPath>);

impl RouteLabel {
    /// `None`: no route matched.
    #[must_use]
    pub fn new(path: Option<MatchedPath>) -> Self {
        Self(path)
    }

    /// The template, or `unmatched`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

impl PartialEq for RouteLabel {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RouteLabel {}

impl Hash for RouteLabel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for RouteLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    face: &'static str,
    route: RouteLabel,
    method: &'static str,
    status: &'static str,
}

/// Methods are the client's to invent: those without a name here are `other`.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn status_label(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16() / 100) {
        None => "gone",
        Some(1) => "1xx",
        Some(2) => "2xx",
        Some(3) => "3xx",
        Some(4) => "4xx",
        Some(_) => "5xx",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: String,
}

/// Why a connection was closed by us before it could ask anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum RefusalReason {
    /// Too many connections.
    Limit,
    /// No byte came, or no end of a head.
    Slow,
    /// The TLS handshake failed or took too long.
    Handshake,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    reason: RefusalReason,
}

/// Requests and connections.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    /// Requests without an answer yet.
    pub in_flight: Gauge,
    /// Handlers that panicked.
    pub panics: Counter,
    connections: Family<ListenerLabels, Gauge>,
    refused: Family<RefusalLabels, Counter>,
}

impl HttpMetrics {
    fn register(registry: &mut Registry) -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let http = Self {
            requests: Family::new_with_constructor(seconds),
            in_flight: Gauge::default(),
            panics: Counter::default(),
            connections: Family::default(),
            refused: Family::default(),
        };
        registry.register(
            "http_request_seconds",
            "From the head of a request to the head of its answer, by face, route template, method and status class \
             (`gone`: the client did not wait)",
            http.requests.clone(),
        );
        registry.register("http_in_flight", "Requests without an answer yet", http.in_flight.clone());
        registry.register("http_panics", "Handlers that panicked", http.panics.clone());
        registry.register("connections_open", "Open connections, by listener", http.connections.clone());
        registry.register(
            "connections_refused",
            "Connections closed before they asked anything, by reason",
            http.refused.clone(),
        );
        http
    }

    /// Counts a request. `status` is `None` when the client went away first.
    pub fn answered(
        &self,
        face: &'static str,
        route: &RouteLabel,
        method: &Method,
        status: Option<StatusCode>,
        took: Duration,
    ) {
        let labels = RequestLabels {
            face,
            route: route.clone(),
            method: method_label(method),
            status: status_label(status),
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// The gauge of open connections of a listener.
    #[must_use]
    pub fn connections_of(&self, listener: &str) -> Gauge {
        self.connections.get_or_create_owned(&ListenerLabels { listener: listener.to_owned() })
    }

    /// Counts a connection that was closed before it asked anything.
    pub fn refused(&self, reason: RefusalReason) {
        self.refused.get_or_create(&RefusalLabels { reason }).inc();
    }
}

/// How an append ended; see the ledger's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum AppendResult {
    /// The entries are durable.
    Durable,
    /// Another node was first.
    Conflict,
    /// The store will not take them.
    Rejected,
    /// They may be there.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AppendLabels {
    result: AppendResult,
}

/// The stores.
#[derive(Clone, Debug)]
pub struct LedgerMetrics {
    appends: Family<AppendLabels, Counter>,
    batch: Histogram,
    seconds: Histogram,
}

impl LedgerMetrics {
    fn register(registry: &mut Registry) -> Self {
        let ledger = Self {
            appends: Family::default(),
            batch: Histogram::new(BATCH),
            seconds: Histogram::new(SECONDS),
        };
        registry.register("ledger_appends", "Appends to ledgers, by result", ledger.appends.clone());
        registry.register("ledger_batch_entries", "Entries of one append", ledger.batch.clone());
        registry.register("ledger_append_seconds", "How long one append took", ledger.seconds.clone());
        ledger
    }

    /// Counts one append of so many entries.
    pub fn appended(&self, result: AppendResult, entries: u32, took: Duration) {
        self.appends.get_or_create(&AppendLabels { result }).inc();
        self.batch.observe(f64::from(entries));
        self.seconds.observe(took.as_secs_f64());
    }
}

/// How an attempt to deliver to a webhook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum AttemptResult {
    /// It arrived.
    Delivered,
    /// It is tried again.
    Failed,
    /// It was the last one.
    Dead,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    result: AttemptResult,
}

/// What is sent to webhooks.
#[derive(Clone, Debug)]
pub struct WebhookMetrics {
    attempts: Family<AttemptLabels, Counter>,
    dropped: Counter,
}

impl WebhookMetrics {
    fn register(registry: &mut Registry) -> Self {
        let webhooks = Self { attempts: Family::default(), dropped: Counter::default() };
        registry.register(
            "webhook_attempts",
            "Attempts to deliver to webhooks, by result (`Failed`: it is tried again, `Dead`: it is given up)",
            webhooks.attempts.clone(),
        );
        registry.register(
            "webhook_dropped",
            "Deliveries for which there was no room in the queue of a webhook",
            webhooks.dropped.clone(),
        );
        webhooks
    }

    fn ended(&self, result: AttemptResult) {
        self.attempts.get_or_create(&AttemptLabels { result }).inc();
    }

    /// Counts one that arrived.
    pub fn delivered(&self) {
        self.ended(AttemptResult::Delivered);
    }

    /// Counts one that is tried again.
    pub fn failed(&self) {
        self.ended(AttemptResult::Failed);
    }

    /// Counts one that is given up.
    pub fn dead(&self) {
        self.ended(AttemptResult::Dead);
    }

    /// Counts those for which there was no room.
    pub fn dropped(&self, count: u64) {
        self.dropped.inc_by(count);
    }
}

/// What a check answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum CheckResult {
    /// Yes.
    Allowed,
    /// No.
    Denied,
    /// It depends on parameters that were not given; said as no.
    Conditional,
    /// It could not be decided; said as no or as an error.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    result: CheckResult,
}

/// Decisions, and the log of them.
#[derive(Clone, Debug)]
pub struct DecisionLogMetrics {
    allowed: Counter,
    denied: Counter,
    conditional: Counter,
    error: Counter,
    /// Pages of searches.
    pub searched: Counter,
    /// Decisions that found the log's queue full.
    pub dropped: Counter,
}

impl DecisionLogMetrics {
    fn register(registry: &mut Registry) -> Self {
        let checks: Family<CheckLabels, Counter> = Family::default();
        let of = |result| checks.get_or_create_owned(&CheckLabels { result });
        let decisions = Self {
            allowed: of(CheckResult::Allowed),
            denied: of(CheckResult::Denied),
            conditional: of(CheckResult::Conditional),
            error: of(CheckResult::Error),
            searched: Counter::default(),
            dropped: Counter::default(),
        };
        registry.register("checks", "Checks, each one of a batch counted, by result", checks);
        registry.register("searches", "Pages of searches", decisions.searched.clone());
        registry.register(
            "decision_log_dropped",
            "Decisions that found the decision log's queue full",
            decisions.dropped.clone(),
        );
        decisions
    }

    /// Counts checks that gave this answer: one addition, no look-up.
    pub fn checked(&self, result: CheckResult, count: u64) {
        let counter = match result {
            CheckResult::Allowed => &self.allowed,
            CheckResult::Denied => &self.denied,
            CheckResult::Conditional => &self.conditional,
            CheckResult::Error => &self.error,
        };
        counter.inc_by(count);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::telemetry::PollResult;

    /// `docs/metrics.md` is what this makes; run the test with `GRANTD_UPDATE_DOCS=1` to write it.
    fn page(metrics: &Metrics) -> String {
        let mut page = "# Metrics\n\nAt `/metrics`, as OpenMetrics text. Counters end in `_total` there.\n\n\
                        | name | type | what |\n|---|---|---|\n"
            .to_owned();
        let text = metrics.render();
        let mut types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        for help in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
            let (name, what) = help.split_once(' ').unwrap();
            let kind = types.find(|(typed, _)| *typed == name).unwrap().1;
            page.push_str(&format!("| `{name}` | {kind} | {} |\n", what.trim_end_matches('.')));
        }
        page
    }

    #[test]
    fn the_names_are_documented() {
        let metrics = Metrics::new();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
        // A family with no member yet is not in the text.
        metrics.http.answered("x", &RouteLabel::new(None), &Method::GET, None, Duration::ZERO);
        let _made = metrics.http.connections_of("main");
        metrics.http.refused(RefusalReason::Limit);
        metrics.ledger.appended(AppendResult::Durable, 1, Duration::ZERO);
        metrics.store.polled(PollResult::Answered);
        metrics.webhooks.delivered();
        metrics.git.begin("git-upload-pack").end(crate::telemetry::TransferEnd::Done);
        let now = page(&metrics);
        if std::env::var_os("GRANTD_UPDATE_DOCS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), now, "run with GRANTD_UPDATE_DOCS=1");
    }

    #[test]
    fn a_request_is_counted_by_template_and_class() {
        let metrics = Metrics::new();
        let invented = Method::from_bytes(b"SECRET").unwrap();
        let unmatched = RouteLabel::new(None);
        metrics.http.answered(
            "mix",
            &unmatched,
            &invented,
            Some(StatusCode::NOT_FOUND),
            Duration::from_millis(3),
        );
        metrics.decisions.checked(CheckResult::Allowed, 3);
        let text = metrics.render();
        let line = r#"grantd_http_request_seconds_count{face="mix",route="unmatched",method="other",status="4xx"} 1"#;
        assert!(text.contains(line), "{text}");
        assert!(text.contains(r#"grantd_checks_total{result="Allowed"} 3"#), "{text}");
        assert!(!text.contains("SECRET"));
    }
}
