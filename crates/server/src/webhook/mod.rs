//! Sends what webhooks wait for: signed by the Standard Webhooks scheme, tried again with back-off, and only to where the
//! operator allows it.
//!
//! The queue is the realm's; here is who empties it. One worker for each webhook, so that a slow receiver harms no other one.
//! Where several nodes share a store, each delivery is taken by one of them before it is tried.

mod answer;
mod attempt;
mod failure;
mod message;
mod outcome;
mod push_key;
mod receiver;
mod signature;
mod supervisor;
mod target;
mod worker;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use grantd_node::Node;
use grantd_node::realm::Micros;
use grantd_node::realm::webhook::Retries;
use rustls_pki_types::CertificateDer;
use tokio::sync::watch;
use uuid::Uuid;

use crate::edge::Drain;
use crate::outbound::Connector;
use crate::telemetry::{Metrics, WebhookMetrics};
use push_key::PushKeys;
pub(crate) use target::Targets;

/// How many deliveries of a webhook may wait, unless it is set otherwise.
const QUEUE: usize = 10_000;

/// What can be chosen about webhooks.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Whether they may lead to private addresses, and without TLS.
    pub allow_private: bool,
    /// The waits between attempts.
    pub retries: Retries,
    /// How many deliveries of one webhook may wait; what would be tried last goes first.
    pub queue: usize,
    /// Whose signature is believed besides that of the public authorities.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { allow_private: false, retries: Retries::default(), queue: QUEUE, authorities: Vec::new() }
    }
}

/// Who sends.
pub(crate) struct Sender {
    node: Arc<Node>,
    targets: Targets,
    connector: Connector,
    retries: Retries,
    queue: usize,
    public_url: String,
    metrics: WebhookMetrics,
    drain: Drain,
    woken: watch::Sender<()>,
    /// Sign what triggers are sent.
    push_keys: PushKeys,
    /// Triggers with something new to send, each with its realm.
    waiting: Mutex<HashSet<(String, Uuid)>>,
}

impl Sender {
    pub(crate) fn new(
        node: Arc<Node>,
        settings: &WebhookSettings,
        public_url: &str,
        metrics: &Metrics,
        drain: Drain,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            targets: Targets { private: settings.allow_private },
            connector: Connector::new(&settings.authorities)?,
            retries: settings.retries.clone(),
            queue: settings.queue.max(1),
            public_url: public_url.to_owned(),
            metrics: metrics.webhooks.clone(),
            drain,
            woken: watch::Sender::new(()),
            push_keys: PushKeys::of(&node)
                .ok_or_else(|| rustls::Error::General("a key cannot be made".into()))?,
            node,
            waiting: Mutex::default(),
        })
    }

    /// Where webhooks may lead.
    pub(crate) fn targets(&self) -> Targets {
        self.targets
    }

    /// Looks at once for what is new: a webhook, or something to send that is no entry of the ledger.
    pub(crate) fn wake(&self) {
        self.woken.send_replace(());
    }

    /// The same, for triggers of a realm.
    pub(crate) fn wake_for(&self, realm: &str, triggers: &[Uuid]) {
        if !triggers.is_empty() {
            let new = triggers.iter().map(|trigger| (realm.to_owned(), *trigger));
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
            self.wake();
        }
    }

    /// The keys by which what triggers are sent is verified.
    pub(crate) fn push_keys(&self) -> serde_json::Value {
        self.push_keys.published()
    }

    /// Sends until the server goes down.
    pub(crate) fn start(self: &Arc<Self>) {
        tokio::spawn(supervisor::run(self.clone()));
    }

    fn now(&self) -> Micros {
        self.node.now()
    }
}
