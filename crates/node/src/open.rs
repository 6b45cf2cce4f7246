//! Opening a store and its master key.

use std::path::PathBuf;
use std::sync::Arc;

use grantd_ledger::postgres::{PostgresOptions, PostgresStore};
use grantd_ledger::seal::{MasterKey, SealError};
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use grantd_ledger::store::{Store, StoreError};

/// Where a store is.
#[derive(Debug, Clone)]
pub struct Location {
    /// The data directory.
    pub data: PathBuf,
    /// A PostgreSQL connection string; then only the master key is in the data directory.
    pub url: Option<String>,
    /// The master key's file, if it is not `master.key` in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// Do not wait for the disk; only so that a test of durability can fail.
    pub unsafe_no_sync: bool,
}

/// A store, and the key to its sealed secrets.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The key.
    pub master_key: MasterKey,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Opens a store; makes what is not there yet.
pub async fn open(location: &Location) -> Result<Opened, OpenError> {
    let store: Arc<dyn Store> = match &location.url {
        Some(url) => Arc::new(PostgresStore::open(url, PostgresOptions::default()).await?),
        None => {
            let synchronous = if location.unsafe_no_sync { Synchronous::Off } else { Synchronous::Full };
            let options = SqliteOptions { synchronous, ..SqliteOptions::default() };
            Arc::new(SqliteStore::open(&location.data, options).await?)
        }
    };
    let file = location.master_key_file.clone().unwrap_or_else(|| location.data.join("master.key"));
    let master_key = MasterKey::load_or_make(&file)?;
    Ok(Opened { store, master_key })
}
