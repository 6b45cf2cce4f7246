//! Brings the tables to this program's format. Nodes that start together do it one after the other.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::connect::Hosts;
use super::error::store_error;
use super::session::Session;
use crate::store::StoreError;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

pub(super) async fn migrate(hosts: &Hosts) -> Result<(), StoreError> {
    let mut session = hosts.connect(None).await?;
    if is_current(&session).await? {
        return Ok(());
    }
    let holder = hosts.connect(None).await?;
    hold(&holder).await.map_err(|error| store_error(&error))?;
    // Whoever held it before us may have done it.
    if !is_current(&session).await? {
        run(&mut session).await?;
    }
    Ok(())
    // `holder` goes out of scope here, and with its session the lock.
}

fn known() -> i64 {
    let migrations = embedded::migrations::runner();
    migrations.get_migrations().iter().map(|one| i64::from(one.version())).max().unwrap_or_default()
}

async fn is_current(client: &Client) -> Result<bool, StoreError> {
    let known = known();
    match applied(client).await.map_err(|error| store_error(&error))? {
        Some(found) if found > known => Err(StoreError::TooNew { found, known }),
        found => Ok(found == Some(known)),
    }
}

async fn applied(client: &Client) -> Result<Option<i64>, Error> {
    let there: bool = client
        .query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[])
        .await?
        .try_get(0)?;
    if !there {
        return Ok(None);
    }
    client.query_one("SELECT max(version)::bigint FROM refinery_schema_history", &[]).await?.try_get(0)
}

/// Locks a row of a table that has no other use, until the session ends.
async fn hold(session: &Session) -> Result<(), Error> {
    session.batch_execute("SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0").await?;
    let made = session.batch_execute("CREATE TABLE IF NOT EXISTS migration_lock (one BIGINT)").await;
    if let Err(error) = made {
        // Two that make it at the same moment: the second fails on the name, and by then the table is there.
        let twice = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
        if !error.code().is_some_and(|code| twice.contains(code)) {
            return Err(error);
        }
    }
    // Two at once may put in a row each. Whoever comes to the next line later sees both, in the same order as the other.
    session
        .batch_execute("INSERT INTO migration_lock SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM migration_lock)")
        .await?;
    session.batch_execute("BEGIN; SELECT one FROM migration_lock FOR UPDATE").await
}

async fn run(session: &mut Session) -> Result<(), StoreError> {
    let client: &mut Client = session;
    embedded::migrations::runner().run_async(client).await.map(|_| ()).map_err(|error| {
        StoreError::Unavailable(format!("cannot bring the store to its present format: {error}"))
    })
}
