//! Settings of the shared store.

use std::time::Duration;

/// Settings of [`super::PostgresStore`].
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// What our sessions call themselves at the server, unless the URL says so.
    pub application_name: &'static str,
    /// Connections of this node at most, at least 1.
    pub connections: usize,
    /// How long one statement may take, on the server; whoever asked waits a little longer.
    pub statement_timeout: Duration,
    /// How long a session of ours may stand still within a transaction, before the server ends it and frees what it holds.
    pub idle_timeout: Duration,
    /// How long to wait for a connection to become free.
    pub wait_timeout: Duration,
    /// How long to try one host, until it has let us in and says whether it takes writes. `connect_timeout` in the address
    /// may make it longer.
    pub connect_timeout: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            application_name: PostgresOptions::SERVER,
            connections: 8,
            statement_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(2),
            wait_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
        }
    }
}

impl PostgresOptions {
    /// How the sessions of servers are called.
    pub const SERVER: &'static str = "grantd";

    /// How long we wait for an answer: a server that is alive has ended the statement by itself before.
    pub(super) fn patience(&self) -> Duration {
        self.statement_timeout.saturating_add(Duration::from_secs(2))
    }
}
