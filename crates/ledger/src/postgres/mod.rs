//! The shared store: PostgreSQL, for any number of nodes.
//!
//! The SQL is plain: no advisory locks, no triggers, no extensions. The row of a ledger's head is its lock, held by the
//! server alone from the compare-and-set to the commit.

mod append;
mod base;
mod connect;
mod error;
mod flush;
mod migrate;
mod moving;
mod options;
mod read;
mod rows;
mod session;
mod snapshots;
mod store;
mod unsettled;
mod view;

use std::future::Future;

use tokio_postgres::{Config, Error};

pub use options::PostgresOptions;
pub use view::PostgresView;

use crate::store::StoreError;
use connect::{Client, Pool};
use error::{pool_error, store_error, too_slow, warned};
use session::Session;
use unsettled::Doubts;

/// What begins a transaction that writes: a session is read-only by itself.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    options: PostgresOptions,
    doubts: Doubts,
}

impl PostgresStore {
    /// Connects, and brings the tables to this program's format. `url` is a `postgres://` URL or a list of `key=value`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL cannot be understood; [`StoreError::TooNew`].
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|_| {
            // The parser's own text may quote the URL, and with it the password.
            StoreError::Invalid("the address of the store is not a PostgreSQL URL".to_owned())
        })?;
        config.connect_timeout(options.connect_timeout);
        config.tcp_user_timeout(options.patience());
        if config.get_application_name().is_none() {
            config.application_name("grantd");
        }
        migrate::migrate(&config).await?;
        let pool = connect::pool(config, &options)?;
        Ok(Self { pool, options, doubts: Doubts::default() })
    }

    async fn client(&self) -> Result<Client, StoreError> {
        self.pool.get().await.map_err(pool_error)
    }

    /// Runs questions. A connection that does not answer in time is thrown away.
    async fn ask<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, StoreError> {
        let client = self.client().await?;
        let answer = within(&self.options, work(&client)).await;
        if matches!(answer, Err(StoreError::Unavailable(_))) {
            client.break_off();
        }
        answer
    }

    /// Runs statements that write, as one transaction.
    async fn change<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, StoreError> {
        let client = self.client().await?;
        let busy = Busy::on(&client);
        let before = client.warnings();
        let done = within(&self.options, async {
            client.batch_execute(BEGIN).await?;
            let done = work(&client).await?;
            client.batch_execute("COMMIT").await?;
            Ok(done)
        })
        .await?;
        if client.warnings() != before {
            return Err(warned());
        }
        busy.done();
        Ok(done)
    }
}

/// A session in the middle of a transaction. Unless it comes to its end the session is broken off.
struct Busy<'a>(Option<&'a Session>);

impl<'a> Busy<'a> {
    fn on(session: &'a Session) -> Self {
        Self(Some(session))
    }

    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.0 {
            session.break_off();
        }
    }
}

async fn within<T>(
    options: &PostgresOptions,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(options.patience(), work).await {
        Ok(result) => result.map_err(|error| store_error(&error)),
        Err(_) => Err(too_slow()),
    }
}
