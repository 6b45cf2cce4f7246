//! The embedded store: one SQLite file in a data directory that one process holds.
//!
//! One thread writes and commits what waits, of all realms, with one sync; a few connections read.
//! [`open`] says what happens after a failed sync.

mod apply;
mod backup;
mod base;
mod error;
mod group;
mod lock;
mod moving;
mod open;
mod options;
mod read;
mod readers;
mod snapshots;
mod store;
mod writer;

use std::path::Path;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

pub use options::{SqliteOptions, Synchronous};

use crate::store::StoreError;
use error::{closed, read_only};
use lock::DirectoryLock;
use readers::Readers;
use writer::{Job, Writer};

/// Jobs that may wait for the writer; who comes later waits to be let in.
const QUEUE: usize = 4_096;

/// A store in one SQLite file.
///
/// Dropping it waits for the writer to finish what it was given.
pub struct SqliteStore {
    options: SqliteOptions,
    readers: Readers,
    /// To the writing thread; none in a store that was opened for reading only.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// The store's file in its data directory.
    pub const FILE: &str = open::FILE;

    /// Opens the store in `dir`, which is made if it is not there, and brings it to this program's format.
    ///
    /// # Errors
    /// [`StoreError::Locked`] names the process that holds the directory; [`StoreError::TooNew`].
    pub async fn open(dir: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let dir = dir.to_owned();
        let (store, opened) = tokio::task::spawn_blocking(move || Self::start(&dir, options))
            .await
            .map_err(|_| StoreError::Unavailable("opening the store was broken off".to_owned()))??;
        opened.await.map_err(|_| closed())??;
        Ok(store)
    }

    /// Opens the store in `dir` to read it, also while another process holds it. Nothing is made, locked or brought to
    /// this program's format, and every write is refused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no store or it has an older format; [`StoreError::TooNew`].
    pub async fn open_read_only(dir: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let readers = Readers::read_only(open::file_in(dir), options.clone());
        readers.gate().write().await.open();
        readers.read(|conn| open::check_format(conn)).await?;
        Ok(Self { options, readers, jobs: None, thread: None })
    }

    fn start(
        dir: &Path,
        options: SqliteOptions,
    ) -> Result<(Self, oneshot::Receiver<Result<(), StoreError>>), StoreError> {
        open::make_dir(dir)?;
        let lock = DirectoryLock::take(dir, options::system_clock())?;
        let path = open::file_in(dir);
        open::make_file(&path)?;
        open::sync_dir(dir)?;
        let readers = Readers::new(path.clone(), options.clone());
        let writer = Writer::new(path, options.clone(), readers.gate(), lock);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (reply, opened) = oneshot::channel();
        jobs.try_send(Job::Reopen(reply)).map_err(|_| closed())?;
        let thread = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(|error| error::io_error("cannot start the writing thread", &error))?;
        Ok((Self { options, readers, jobs: Some(jobs), thread: Some(thread) }, opened))
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(read_only)?;
        jobs.send(job(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| StoreError::Unavailable("the writing thread has ended".to_owned()))
    }

    /// Runs `work` on the writing connection, between two groups of appends.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(|reply| {
            Job::Task(Box::new(move |conn| {
                let result = conn.and_then(work);
                let error = result.as_ref().err().cloned();
                let _ = reply.send(result);
                error
            }))
        })
        .await?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has already been reported on stderr.
            let _ = thread.join();
        }
    }
}
