//! A copy of the whole store in one file, whatever store it is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::sqlite::{SqliteOptions, SqliteStore, Synchronous};
use grantd_ledger::store::{Store, StoreError};
use grantd_realm::engine::Schema;

use super::fill::{FillError, Filling, Told, fill};
use crate::open::{Location, OpenError, check_whole, open_postgres, open_sqlite_read_only};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds cannot be copied.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// A file cannot be written.
    #[error("`{path}`: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Writes a consistent copy of the store to a file that does not exist yet, beside running servers or without one.
/// The file gets its name when it is whole. The master key is not in it.
pub async fn backup(
    location: &Location,
    to: &Path,
    schema: Arc<Schema>,
    told: &Told<'_>,
) -> Result<(), BackupError> {
    match &location.url {
        None => Ok(open_sqlite_read_only(location).await?.backup(to).await?),
        Some(url) => from_postgres(location, url, to, schema, told).await,
    }
}

/// All of it is read in one view, entry by entry, and written as the embedded store would have it.
async fn from_postgres(
    location: &Location,
    url: &str,
    to: &Path,
    schema: Arc<Schema>,
    told: &Told<'_>,
) -> Result<(), BackupError> {
    if to.exists() {
        let text = "the backup file exists already; choose another name";
        return Err(StoreError::Invalid(text.to_owned()).into());
    }
    let store = open_postgres(location, url).await?;
    check_whole(&store, location).await?;
    let staging = beside(to);
    remove(&staging)?;
    let filled = write(&store, &staging, schema, told).await;
    let placed = match filled {
        Ok(()) => place(&staging, to),
        Err(error) => Err(error),
    };
    let removed = remove(&staging);
    store.close().await?;
    placed?;
    removed
}

async fn write(
    store: &grantd_ledger::postgres::PostgresStore,
    staging: &Path,
    schema: Arc<Schema>,
    told: &Told<'_>,
) -> Result<(), BackupError> {
    let view = store.view().await?;
    // Synced as a whole before it gets its name.
    let options = SqliteOptions { synchronous: Synchronous::Off, ..SqliteOptions::default() };
    let copy = SqliteStore::open(staging, options).await?;
    let nothing_cut = BTreeMap::new();
    let filling = Filling { command: "backup", realms: &[], until: &nothing_cut, schema, told };
    let filled = fill(&view, &copy, &filling).await;
    let marked = copy.set_unfinished(None).await;
    let closed = copy.close().await;
    filled?;
    marked?;
    Ok(closed?)
}

fn place(staging: &Path, to: &Path) -> Result<(), BackupError> {
    let file = staging.join(SqliteStore::FILE);
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(&file)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&file, to))
        .and_then(|()| File::open(dir)?.sync_all())
        .map_err(|error| BackupError::File { path: to.to_owned(), error })
}

/// Where the copy is made, in the same file system.
fn beside(to: &Path) -> PathBuf {
    let mut name: OsString = to.file_name().unwrap_or_default().to_owned();
    name.push(".filling");
    to.with_file_name(name)
}

fn remove(staging: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(BackupError::File { path: staging.to_owned(), error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
