//! Opening a store and its master key.

use std::path::{Path, PathBuf};
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

/// Why a store cannot be opened. The text names what was to be opened, never a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store fails.
    #[error("{place}: {error}")]
    Store {
        /// The data directory, or that it is PostgreSQL.
        place: String,
        /// What it says.
        error: StoreError,
    },
    /// There is no store.
    #[error("there is no store in `{0}`; name the data directory of the server with --data")]
    NoStore(PathBuf),
    /// A command that fills it was broken off.
    #[error(
        "{place} is not whole: `grantd ledger {command}` fills it and is not finished; run the same command again, \
         it goes on where it was"
    )]
    Unfinished {
        /// The data directory, or that it is PostgreSQL.
        place: String,
        /// Which command.
        command: String,
    },
    /// The master key cannot be had.
    #[error("`{path}`: {error}")]
    MasterKey {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        error: SealError,
    },
    /// The store holds sealed secrets, but the key to them is not there. A new key would not open them.
    #[error(
        "the store holds secrets sealed under a master key, and `{0}` is not there; put the key's file back, \
         or name it with --master-key-file; if it is gone for good, see `grantd admin reseal --help`"
    )]
    MasterKeyLost(PathBuf),
    /// The directory of the master key cannot be made.
    #[error("`{path}` cannot be made: {error}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

impl Location {
    /// Where the master key is.
    pub fn master_key_path(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| self.data.join("master.key"))
    }

    /// Reads the master key, which must be there.
    pub fn master_key(&self) -> Result<MasterKey, OpenError> {
        let path = self.master_key_path();
        MasterKey::load(&path).map_err(|error| OpenError::MasterKey { path, error })
    }

    /// What an error is about. A PostgreSQL URL may hold a password, so it is not shown.
    pub(crate) fn failed(&self, error: StoreError) -> OpenError {
        OpenError::Store { place: self.place(), error }
    }

    /// The store in words.
    pub fn place(&self) -> String {
        match &self.url {
            Some(_) => "the PostgreSQL store".to_owned(),
            None => format!("data directory `{}`", self.data.display()),
        }
    }

    fn sqlite_options(&self) -> SqliteOptions {
        let synchronous = if self.unsafe_no_sync { Synchronous::Off } else { Synchronous::Full };
        SqliteOptions { synchronous, ..SqliteOptions::default() }
    }

    /// Whether `error` says that another process holds the data directory.
    pub fn is_held(error: &OpenError) -> bool {
        matches!(error, OpenError::Store { error: StoreError::Locked(_), .. })
    }
}

/// Opens a store and its key for a server; makes what is not there yet.
pub async fn open(location: &Location) -> Result<Opened, OpenError> {
    let store = open_store(location).await?;
    check_whole(&*store, location).await?;
    let master_key = master_key_for(&*store, location).await?;
    Ok(Opened { store, master_key })
}

/// Opens a store that must be there, to write to it: its data directory is locked as by a server.
pub async fn open_existing(location: &Location) -> Result<Arc<dyn Store>, OpenError> {
    check_exists(location)?;
    let store = open_store(location).await?;
    check_whole(&*store, location).await?;
    Ok(store)
}

/// Opens a store that is to be filled: there need not be one yet, and one that is not whole is welcome.
pub(crate) async fn open_target(location: &Location) -> Result<Arc<dyn Store>, OpenError> {
    open_store(location).await
}

/// Opens a store that must be there, to read it; works beside a running server.
pub async fn open_read_only(location: &Location) -> Result<Arc<dyn Store>, OpenError> {
    if location.url.is_some() {
        return open_store(location).await;
    }
    Ok(Arc::new(open_sqlite_read_only(location).await?))
}

pub(crate) async fn open_sqlite_read_only(location: &Location) -> Result<SqliteStore, OpenError> {
    check_exists(location)?;
    let opened = SqliteStore::open_read_only(&location.data, location.sqlite_options()).await;
    opened.map_err(|error| location.failed(error))
}

/// The store behind a PostgreSQL connection string, for a command that carries all of it elsewhere.
pub(crate) async fn open_postgres(location: &Location, url: &str) -> Result<PostgresStore, OpenError> {
    let options = PostgresOptions { application_name: "grantd ledger", ..PostgresOptions::default() };
    PostgresStore::open(url, options).await.map_err(|error| location.failed(error))
}

async fn open_store(location: &Location) -> Result<Arc<dyn Store>, OpenError> {
    let opened: Result<Arc<dyn Store>, StoreError> = match &location.url {
        Some(url) => match PostgresStore::open(url, PostgresOptions::default()).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(error),
        },
        None => match SqliteStore::open(&location.data, location.sqlite_options()).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(error),
        },
    };
    opened.map_err(|error| location.failed(error))
}

/// Half of a store must not be served, nor changed.
pub(crate) async fn check_whole(store: &dyn Store, location: &Location) -> Result<(), OpenError> {
    match store.unfinished().await.map_err(|error| location.failed(error))? {
        None => Ok(()),
        Some(command) => Err(OpenError::Unfinished { place: location.place(), command }),
    }
}

fn check_exists(location: &Location) -> Result<(), OpenError> {
    if location.url.is_none() && !location.data.join(SqliteStore::FILE).exists() {
        return Err(OpenError::NoStore(location.data.clone()));
    }
    Ok(())
}

/// Reads the key; makes one only for a store that holds no secret yet.
async fn master_key_for(store: &dyn Store, location: &Location) -> Result<MasterKey, OpenError> {
    let path = location.master_key_path();
    if !path.exists() {
        let secrets = store.secrets().await.map_err(|error| location.failed(error))?;
        if !secrets.is_empty() {
            return Err(OpenError::MasterKeyLost(path));
        }
        // With PostgreSQL nothing else has made the data directory.
        make_parent(&path)?;
    }
    MasterKey::load_or_make(&path).map_err(|error| OpenError::MasterKey { path, error })
}

fn make_parent(path: &Path) -> Result<(), OpenError> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(parent).map_err(|error| OpenError::Directory { path: parent.to_owned(), error })
}
