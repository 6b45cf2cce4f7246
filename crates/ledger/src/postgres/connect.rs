//! Connections: how they are made, what is set on each, and the migrations before the first.

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::error::store_error;
use super::options::PostgresOptions;
use crate::store::StoreError;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// The one place that says how connections are protected on their way. A connector for TLS belongs here.
fn tls() -> NoTls {
    NoTls
}

pub(super) fn pool(config: Config, options: &PostgresOptions) -> Result<Pool, StoreError> {
    let settings = session_settings(options);
    let manager =
        Manager::from_config(config, tls(), ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(options.connections.max(1))
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(options.connect_timeout),
            create: Some(options.connect_timeout),
            recycle: Some(options.connect_timeout),
        })
        .post_create(Hook::async_fn(move |client, _| {
            let settings = settings.clone();
            Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
        }))
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A session that never came to its end (a node that lost its network) must not hold a ledger's row for ever. A server
/// that does not sync its commits is told to; a stricter setting than that is left alone.
fn session_settings(options: &PostgresOptions) -> String {
    let limit = options.statement_timeout.as_millis().max(1);
    format!(
        "SET statement_timeout = {limit}; SET lock_timeout = {limit};
         SET idle_in_transaction_session_timeout = {limit};
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

/// Brings the tables to this program's format. Nodes that start together do it one after the other.
pub(super) async fn migrate(config: &Config) -> Result<(), StoreError> {
    let holder = connect(config).await?;
    hold_migrations(&holder).await.map_err(|error| store_error(&error))?;
    let mut client = connect(config).await?;
    migrate_alone(&mut client).await
    // `holder` goes out of scope here, and with its session the lock.
}

async fn connect(config: &Config) -> Result<Client, StoreError> {
    let (client, connection) = config.connect(tls()).await.map_err(|error| store_error(&error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = %store_error(&error), "a connection used for migrations broke");
        }
    });
    Ok(client)
}

async fn hold_migrations(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("SET lock_timeout = '60s'").await?;
    let made = client.batch_execute("CREATE TABLE IF NOT EXISTS migration_lock (one BIGINT)").await;
    if let Err(error) = made {
        // Two that make it at the same moment: the second fails on the name, and by then the table is there.
        let twice = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
        if !error.code().is_some_and(|code| twice.contains(code)) {
            return Err(error);
        }
    }
    client.batch_execute("BEGIN; LOCK TABLE migration_lock IN ACCESS EXCLUSIVE MODE").await
}

async fn migrate_alone(client: &mut Client) -> Result<(), StoreError> {
    let runner = embedded::migrations::runner();
    let known = runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default();
    let known = i64::from(known);
    let found = applied(client).await.map_err(|error| store_error(&error))?;
    match found {
        Some(found) if found > known => Err(StoreError::TooNew { found, known }),
        Some(found) if found == known => Ok(()),
        Some(_) | None => runner.run_async(client).await.map(|_| ()).map_err(|error| {
            StoreError::Unavailable(format!("cannot bring the store to its present format: {error}"))
        }),
    }
}

async fn applied(client: &Client) -> Result<Option<i64>, tokio_postgres::Error> {
    let there: bool = client
        .query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[])
        .await?
        .try_get(0)?;
    if !there {
        return Ok(None);
    }
    client.query_one("SELECT max(version)::bigint FROM refinery_schema_history", &[]).await?.try_get(0)
}
