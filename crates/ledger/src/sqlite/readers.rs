//! The connections that read. While the writer opens the store anew nobody reads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{RwLock, Semaphore};

use super::error::closed;
use super::open::{open_read_only, open_reader};
use super::options::SqliteOptions;
use crate::store::StoreError;

/// The pool behind its gate: a read holds the gate shared for as long as it runs, the writer takes it alone to close
/// every connection.
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    gate: Arc<RwLock<Pool>>,
}

/// Opens one more connection.
type Connect = fn(&Path, &SqliteOptions) -> Result<Connection, StoreError>;

/// What the gate guards.
pub(super) struct Pool {
    path: PathBuf,
    options: SqliteOptions,
    connect: Connect,
    idle: Mutex<Vec<Connection>>,
    /// Why nobody may read now, if so.
    shut: Option<StoreError>,
}

impl Readers {
    /// Shut until the writer opens it.
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self::over(path, options, open_reader)
    }

    /// The same, over connections that cannot write at all.
    pub(super) fn read_only(path: PathBuf, options: SqliteOptions) -> Self {
        Self::over(path, options, open_read_only)
    }

    fn over(path: PathBuf, options: SqliteOptions, connect: Connect) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(options.readers.max(1))),
            gate: Arc::new(RwLock::new(Pool {
                path,
                options,
                connect,
                idle: Mutex::new(Vec::new()),
                shut: Some(StoreError::Unavailable("the store is being opened".to_owned())),
            })),
        }
    }

    pub(super) fn gate(&self) -> Arc<RwLock<Pool>> {
        Arc::clone(&self.gate)
    }

    /// Runs `work` on a connection and a thread that may block. It runs to its end even when the caller stops waiting.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let pool = self.gate().read_owned().await;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut conn = pool.take()?;
            let result = work(&mut conn);
            // After an error the connection's cache is not worth keeping.
            if result.is_ok() {
                pool.give_back(conn);
            }
            result
        })
        .await
        .map_err(|_| StoreError::Unavailable("a read was broken off".to_owned()))?
    }
}

impl Pool {
    fn take(&self) -> Result<Connection, StoreError> {
        if let Some(error) = &self.shut {
            return Err(error.clone());
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| (self.connect)(&self.path, &self.options), Ok)
    }

    fn give_back(&self, conn: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
    }

    /// Closes every connection; reads get `why` until [`Pool::open`].
    pub(super) fn shut(&mut self, why: StoreError) {
        self.shut = Some(why);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn open(&mut self) {
        self.shut = None;
    }
}
