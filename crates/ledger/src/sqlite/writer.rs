//! The one thread that writes. It owns the writing connection and the lock on the data directory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{RwLock, mpsc, oneshot};

use super::error::{closed, store_error};
use super::group::{Health, commit_group};
use super::lock::DirectoryLock;
use super::open::{Settle, open_writer, settle, truncate_log};
use super::options::SqliteOptions;
use super::readers::Pool;
use crate::plan::Plan;
use crate::store::{Appended, StoreError};

/// Appends in one transaction at most; more wait for the next.
const MAX_GROUP: usize = 1_024;

/// After a failed attempt to open the store again, or to empty the log, how long until the next.
const REST: Duration = Duration::from_secs(1);

/// A piece of other work on the writing connection; it gets the reason when there is none.
/// It tells the error that it met on the connection.
pub(super) type Task = Box<dyn FnOnce(Result<&mut Connection, StoreError>) -> Option<StoreError> + Send>;

/// What the writer is asked to do.
pub(super) enum Job {
    Append(Box<Plan>, oneshot::Sender<Appended>),
    Task(Task),
    Reopen(oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

pub(super) struct Writer {
    path: PathBuf,
    options: SqliteOptions,
    gate: Arc<RwLock<Pool>>,
    state: State,
    log_pages: Arc<AtomicI32>,
    /// An erased value may still be in the log; when to try again, if trying failed.
    must_truncate: Option<Instant>,
    lock: Option<DirectoryLock>,
}

enum State {
    Open(Connection),
    /// To be opened again before anything else.
    Poisoned {
        settle: Settle,
        refused: Option<(Instant, StoreError)>,
    },
    Closed,
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        options: SqliteOptions,
        gate: Arc<RwLock<Pool>>,
        lock: DirectoryLock,
    ) -> Self {
        Self {
            path,
            options,
            gate,
            // The process before this one may have died of a failed sync.
            state: State::Poisoned { settle: Settle::Strict, refused: None },
            log_pages: Arc::default(),
            must_truncate: None,
            lock: Some(lock),
        }
    }

    /// Works until it is told to close or nobody can ask any more.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = None;
        while let Some(job) = waiting.take().or_else(|| jobs.blocking_recv()) {
            match job {
                Job::Append(plan, reply) => waiting = self.append_group(*plan, reply, &mut jobs),
                Job::Task(task) => self.run_task(task),
                Job::Reopen(reply) => {
                    let result = self.reopen();
                    let _ = reply.send(result);
                }
                Job::Close(reply) => {
                    let result = self.close();
                    let _ = reply.send(result);
                }
            }
            self.tidy();
        }
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the store was closed with its log in place");
        }
    }

    /// Takes what else is waiting to be appended into the same transaction. Returns a job of another sort that it met.
    fn append_group(
        &mut self,
        plan: Plan,
        reply: oneshot::Sender<Appended>,
        jobs: &mut mpsc::Receiver<Job>,
    ) -> Option<Job> {
        let mut plans = vec![plan];
        let mut replies = vec![reply];
        let mut other = None;
        while plans.len() < MAX_GROUP {
            match jobs.try_recv() {
                Ok(Job::Append(plan, reply)) => {
                    plans.push(*plan);
                    replies.push(reply);
                }
                Ok(job) => {
                    other = Some(job);
                    break;
                }
                Err(_) => break,
            }
        }
        for (reply, answer) in replies.into_iter().zip(self.write(&plans)) {
            // Nobody waits any more: the append stands all the same.
            let _ = reply.send(answer);
        }
        other
    }

    fn write(&mut self, plans: &[Plan]) -> Vec<Appended> {
        let conn = match self.connection() {
            Ok(conn) => conn,
            // It was not tried, so it was certainly not written.
            Err(error) => return plans.iter().map(|_| Appended::Rejected(error.clone())).collect(),
        };
        let outcome = commit_group(conn, plans);
        match outcome.health {
            Health::Good => {
                if plans.iter().any(|plan| !plan.erase.is_empty()) {
                    self.must_truncate = Some(Instant::now());
                    // Before the answer: an erasure is not done while the value stands in the log.
                    self.tidy();
                }
            }
            Health::OutOfRoom => self.poison(Settle::LogIsSynced),
            Health::Broken => self.poison(Settle::Strict),
        }
        outcome.answers
    }

    /// After an error of the store's own the connection may stand behind a failed commit.
    fn run_task(&mut self, task: Task) {
        let error = task(self.connection());
        match error {
            Some(StoreError::Full(_)) if self.is_open() => self.poison(Settle::LogIsSynced),
            Some(StoreError::Unavailable(_) | StoreError::Damaged(_)) if self.is_open() => {
                self.poison(Settle::Strict);
            }
            Some(_) | None => {}
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    fn poison(&mut self, settle: Settle) {
        tracing::error!("a commit failed; the store is opened again before the next one");
        self.state = State::Poisoned { settle, refused: None };
    }

    /// The connection, opened again if need be.
    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        if let State::Poisoned { refused, .. } = &self.state {
            match refused {
                Some((at, error)) if at.elapsed() < REST => return Err(error.clone()),
                Some(_) | None => self.reopen()?,
            }
        }
        match &mut self.state {
            State::Open(conn) => Ok(conn),
            State::Poisoned { .. } | State::Closed => Err(closed()),
        }
    }

    /// Closes every connection, so that no cached page survives, opens again, and lets nobody read before what can be
    /// read is durable.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let how = match &self.state {
            State::Open(_) => Settle::LogIsSynced,
            State::Poisoned { settle, .. } => *settle,
            State::Closed => return Err(closed()),
        };
        let mut pool = self.gate.blocking_write();
        pool.shut(StoreError::Unavailable("the store is being opened again".to_owned()));
        self.state = State::Poisoned { settle: how, refused: None };
        let opened = open_writer(&self.path, &self.options).and_then(|mut conn| {
            settle(&conn, how)?;
            watch_log(&mut conn, &self.log_pages)?;
            Ok(conn)
        });
        match opened {
            Ok(conn) => {
                self.state = State::Open(conn);
                pool.open();
                Ok(())
            }
            Err(error) => {
                pool.shut(error.clone());
                self.state = State::Poisoned { settle: how, refused: Some((Instant::now(), error.clone())) };
                Err(error)
            }
        }
    }

    /// Folds the log back when it is long, or when an erased value may stand in it.
    fn tidy(&mut self) {
        let State::Open(conn) = &self.state else { return };
        if let Some(at) = self.must_truncate {
            if at > Instant::now() {
                return;
            }
            match truncate_soon(conn, &self.options) {
                Ok(()) => self.must_truncate = None,
                Err(error) => {
                    tracing::warn!(%error, "erased values still stand in the log; will try again");
                    self.must_truncate = Some(Instant::now() + REST);
                }
            }
        } else if self.log_pages.load(Ordering::Relaxed) >= self.options.checkpoint_pages {
            self.log_pages.store(0, Ordering::Relaxed);
            if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                // The log keeps everything; the next checkpoint writes these pages again.
                tracing::warn!(error = %store_error(&error), "could not fold the log of the store back");
            }
        }
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let state = std::mem::replace(&mut self.state, State::Closed);
        self.gate.blocking_write().shut(closed());
        let result = match state {
            State::Open(conn) => {
                let truncated = truncate_log(&conn);
                let ended = conn.close().map_err(|(_, error)| store_error(&error));
                truncated.and(ended)
            }
            State::Poisoned { refused, .. } => Err(refused.map_or_else(
                || StoreError::Unavailable("the last commit failed and was not looked into".to_owned()),
                |(_, error)| error,
            )),
            State::Closed => Ok(()),
        };
        self.lock = None;
        result
    }
}

/// Somebody who reads for long (a backup) must not keep the writer: better to try again later.
fn truncate_soon(conn: &Connection, options: &SqliteOptions) -> Result<(), StoreError> {
    let patience = |wait| conn.busy_timeout(wait).map_err(|error| store_error(&error));
    patience(Duration::from_millis(200).min(options.busy_timeout))?;
    let truncated = truncate_log(conn);
    patience(options.busy_timeout)?;
    truncated
}

fn watch_log(conn: &mut Connection, pages: &Arc<AtomicI32>) -> Result<(), StoreError> {
    pages.store(0, Ordering::Relaxed);
    let pages = Arc::clone(pages);
    conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, length| {
        pages.store(length, Ordering::Relaxed);
        Ok(())
    }))
    .map_err(|error| store_error(&error))
}
