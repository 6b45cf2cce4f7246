//! Connections: which host they go to and what is set on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult, Timeouts};

use super::address::{Place, places};
use super::announce::Hears;
use super::error::{store_error, text_of};
use super::options::PostgresOptions;
use super::session::Session;
use super::tls;
use crate::store::StoreError;

pub(super) type Pool = managed::Pool<Connector>;
/// A session that goes back to the pool.
pub(super) type Client = managed::Object<Connector>;

/// The hosts of the store's address. One of them takes writes, and after a failover it is another one.
pub(super) struct Hosts {
    places: Vec<Place>,
    /// Which one let us in last.
    last: AtomicUsize,
}

impl Hosts {
    pub(super) fn of(address: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        Ok(Self { places: places(address, options)?, last: AtomicUsize::new(0) })
    }

    /// A session with the first host that takes writes. One that does not come to an end with it is left behind: a server
    /// that hangs still accepts connections.
    pub(super) async fn connect(&self, mut hears: Option<Hears>) -> Result<Session, StoreError> {
        let last = self.last.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for number in (last..self.places.len()).chain(0..last) {
            let Some(place) = self.places.get(number) else { continue };
            let connecting = place.config.connect(place.tls.clone());
            match tokio::time::timeout(place.patience, connecting).await {
                Ok(Ok((client, connection))) => {
                    self.last.store(number, Ordering::Relaxed);
                    return Ok(Session::new(client, connection, hears.take()));
                }
                Ok(Err(error)) => failures.push(failure(&place.name, &error)),
                Err(_) => failures.push(format!("{}: it does not answer", place.name)),
            }
        }
        Err(StoreError::Unavailable(failures.join("; ")))
    }

    /// How long it may take until all were tried.
    fn patience(&self) -> Duration {
        self.places.iter().map(|place| place.patience).sum::<Duration>() + Duration::from_secs(1)
    }
}

fn failure(name: &str, error: &tokio_postgres::Error) -> String {
    let advice = tls::advice(error).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{name}: {}{advice}", text_of(error))
}

/// Makes sessions for the pool.
pub(super) struct Connector {
    hosts: Arc<Hosts>,
    settings: String,
}

pub(super) fn pool(hosts: Arc<Hosts>, options: &PostgresOptions) -> Result<Pool, StoreError> {
    let create = hosts.patience();
    let connector = Connector { hosts, settings: session_settings(options) };
    Pool::builder(connector)
        .max_size(options.connections.max(1))
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(options.wait_timeout),
            create: Some(create),
            recycle: Some(options.wait_timeout),
        })
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A session is read-only unless a transaction says otherwise, so that no statement is committed on its own by mistake.
/// One that stands still in a transaction must not hold a ledger's row for long. A server that does not sync its commits is
/// told to; a stricter setting than that is left alone.
fn session_settings(options: &PostgresOptions) -> String {
    let limit = options.statement_timeout.as_millis().max(1);
    let idle = options.idle_timeout.as_millis().max(1);
    format!(
        "SET default_transaction_read_only = on;
         SET statement_timeout = {limit}; SET lock_timeout = {limit};
         SET idle_in_transaction_session_timeout = {idle};
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

impl managed::Manager for Connector {
    type Type = Session;
    type Error = StoreError;

    async fn create(&self) -> Result<Session, StoreError> {
        let session = self.hosts.connect(None).await?;
        session.batch_execute(&self.settings).await.map_err(|error| store_error(&error))?;
        Ok(session)
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<StoreError> {
        if session.is_broken() {
            return Err(RecycleError::message("the connection is closed"));
        }
        Ok(())
    }
}
