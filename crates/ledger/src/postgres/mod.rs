//! The shared store: PostgreSQL, for any number of nodes.
//!
//! The SQL is plain: no advisory locks, no triggers, no extensions. The row of a ledger's head is its lock, held from the
//! compare-and-set to the commit.

mod append;
mod base;
mod connect;
mod error;
mod moving;
mod options;
mod read;
mod snapshots;
mod store;
mod view;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use deadpool_postgres::{Client, Object, Pool};
use tokio_postgres::{Config, Error};

pub use options::PostgresOptions;
pub use view::PostgresView;

use crate::store::StoreError;
use error::{pool_error, store_error, too_slow};

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    options: PostgresOptions,
    /// Realms with an append of which we do not know whether its COMMIT is still under way.
    unsettled: Mutex<BTreeSet<String>>,
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
        connect::migrate(&config).await?;
        let pool = connect::pool(config, &options)?;
        Ok(Self { pool, options, unsettled: Mutex::default() })
    }

    async fn client(&self) -> Result<Client, StoreError> {
        self.pool.get().await.map_err(|error| pool_error(&error))
    }

    /// Runs one question. A connection that does not answer in time is thrown away.
    async fn ask<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, StoreError> {
        let client = self.client().await?;
        let answer = within(&self.options, work(&client)).await;
        if matches!(answer, Err(StoreError::Unavailable(_))) {
            drop(Object::take(client));
        }
        answer
    }

    fn unsettled(&self, realm: &str) {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner).insert(realm.to_owned());
    }

    /// Waits until no COMMIT of ours can arrive any more: the session that it was sent on holds the row of the ledger's
    /// head until it has committed or gone. Reading before that could miss an entry that appears later.
    async fn settle(&self, realm: &str) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let work = async {
            let change = client.transaction().await?;
            change.query("SELECT realm FROM ledger WHERE realm = $1 FOR UPDATE", &[&realm]).await?;
            change.rollback().await
        };
        within(&self.options, work).await?;
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner).remove(realm);
        Ok(())
    }

    fn unsettled_realms(&self) -> Vec<String> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
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
