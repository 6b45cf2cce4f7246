//! The shared store: PostgreSQL, for any number of nodes.
//!
//! The SQL is plain: no advisory locks, no triggers, no extensions. The row of a ledger's head is its lock, held by the
//! server alone from the compare-and-set to the commit.

mod address;
mod announce;
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
mod tls;
mod unsettled;
mod view;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio_postgres::Error;

pub use options::PostgresOptions;
pub use view::PostgresView;

use crate::store::StoreError;
use announce::Announcer;
use connect::{Client, Hosts, Pool};
use error::{pool_error, store_error, too_slow, warned};
use session::Session;
use unsettled::Doubts;

/// What begins a transaction that writes: a session is read-only by itself.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    hosts: Arc<Hosts>,
    options: PostgresOptions,
    doubts: Doubts,
    announcer: OnceLock<Announcer>,
}

impl PostgresStore {
    /// Connects, and brings the tables to this program's format. `address` is a `postgres://` URL or a list of `key=value`,
    /// as libpq takes them; of several hosts the one that takes writes is used.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the address cannot be understood; [`StoreError::TooNew`].
    pub async fn open(address: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let hosts = Arc::new(Hosts::of(address, &options)?);
        migrate::migrate(&hosts).await?;
        let pool = connect::pool(Arc::clone(&hosts), &options)?;
        Ok(Self { pool, hosts, options, doubts: Doubts::default(), announcer: OnceLock::new() })
    }

    /// Only a program that appends or follows needs one.
    fn announcer(&self) -> &Announcer {
        self.announcer.get_or_init(|| Announcer::start(Arc::clone(&self.hosts)))
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
