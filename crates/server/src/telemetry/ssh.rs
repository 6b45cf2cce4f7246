//! What is counted of the SSH gateway.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What became of an attempt to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum SignIn {
    /// Somebody came in.
    LetIn,
    /// There is no such machine, user or token, or no grant.
    Refused,
    /// The same, too often.
    Limited,
    /// The store could not be asked.
    Away,
}

/// How a connection ended, once somebody had signed in on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum SessionEnd {
    /// By its client, or its line.
    Done,
    /// The right to it ended.
    Cut,
    /// Nothing moved any more.
    Idle,
    /// The server stopped.
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignInLabels {
    result: SignIn,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    end: SessionEnd,
}

/// Connections to the SSH gateway.
#[derive(Clone, Debug)]
pub struct SshMetrics {
    connections: Gauge,
    over_limit: Counter,
    sign_ins: Family<SignInLabels, Counter>,
    ended: Family<EndLabels, Counter>,
}

impl SshMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let ssh = Self {
            connections: Gauge::default(),
            over_limit: Counter::default(),
            sign_ins: Family::default(),
            ended: Family::default(),
        };
        registry.register(
            "ssh_connections",
            "Connections to the SSH gateway that are open",
            ssh.connections.clone(),
        );
        registry.register(
            "ssh_over_limit",
            "Connections that were closed at once, because there were as many as may be, in all or from one source",
            ssh.over_limit.clone(),
        );
        registry.register(
            "ssh_sign_ins",
            "Attempts to sign in at the SSH gateway, by what became of them (`Limited`: refused, too often from one source; `Away`: the store could not be asked)",
            ssh.sign_ins.clone(),
        );
        registry.register(
            "ssh_sessions",
            "Connections on which somebody had signed in, by how they ended (`Cut`: the right to it ended, `Idle`: nothing moved any more, `Stopped`: the server stopped)",
            ssh.ended.clone(),
        );
        ssh
    }

    /// Counts one as open until what this gives is dropped.
    pub(crate) fn open(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    pub(crate) fn over_limit(&self) {
        self.over_limit.inc();
    }

    pub(crate) fn signed_in(&self, result: SignIn) {
        self.sign_ins.get_or_create(&SignInLabels { result }).inc();
    }

    pub(crate) fn ended(&self, end: SessionEnd) {
        self.ended.get_or_create(&EndLabels { end }).inc();
    }
}

/// A connection that is open.
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
