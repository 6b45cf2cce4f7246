//! Connections: how they are made and what is set on each.

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult, Timeouts};
use tokio_postgres::{Config, NoTls};

use super::error::store_error;
use super::options::PostgresOptions;
use super::session::Session;
use crate::store::StoreError;

pub(super) type Pool = managed::Pool<Connector>;
/// A session that goes back to the pool.
pub(super) type Client = managed::Object<Connector>;

/// Makes sessions.
pub(super) struct Connector {
    config: Config,
    settings: String,
}

pub(super) fn pool(config: Config, options: &PostgresOptions) -> Result<Pool, StoreError> {
    let connector = Connector { config, settings: session_settings(options) };
    Pool::builder(connector)
        .max_size(options.connections.max(1))
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(options.connect_timeout),
            create: Some(options.connect_timeout),
            recycle: Some(options.connect_timeout),
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

pub(super) async fn connect(config: &Config) -> Result<Session, StoreError> {
    let (client, connection) = config.connect(NoTls).await.map_err(|error| store_error(&error))?;
    Ok(Session::new(client, connection))
}

impl managed::Manager for Connector {
    type Type = Session;
    type Error = StoreError;

    async fn create(&self) -> Result<Session, StoreError> {
        let session = connect(&self.config).await?;
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
