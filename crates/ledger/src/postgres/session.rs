//! A session with the server: its client, what was prepared on it, and what the server said aside.

use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Connection, Error, Statement};

use super::announce::Hears;
use super::error::store_error;

/// One session. It ends when this is dropped, whatever it is in the middle of.
pub(super) struct Session {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    warnings: Arc<AtomicU64>,
    /// Who holds it stops the driver.
    gate: Arc<Mutex<()>>,
    broken: AtomicBool,
    driver: JoinHandle<()>,
}

impl Session {
    /// `hears`: where notifications go, if it is one that listens.
    pub(super) fn new<S, T>(client: Client, connection: Connection<S, T>, hears: Option<Hears>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let warnings = Arc::new(AtomicU64::new(0));
        let gate = Arc::default();
        let driver = tokio::spawn(drive(connection, Arc::clone(&warnings), Arc::clone(&gate), hears));
        Self { client, statements: Mutex::default(), warnings, gate, broken: AtomicBool::new(false), driver }
    }

    /// Prepares a statement, once for the session.
    pub(super) async fn prepare_cached(&self, sql: &'static str) -> Result<Statement, Error> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }

    /// While this is held nothing goes out, so that what is asked meanwhile goes out together.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connection at once, whatever it is in the middle of; the server rolls back what was not committed.
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
        self.driver.abort();
    }

    /// Waits until the connection is no more.
    pub(super) async fn ended(&mut self) {
        // However it ended.
        let _ = (&mut self.driver).await;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire) || self.client.is_closed()
    }

    /// How many warnings the server has sent so far. One that it sends with an answer is counted before that answer is
    /// given out.
    pub(super) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn drive<S, T>(
    mut connection: Connection<S, T>,
    warnings: Arc<AtomicU64>,
    gate: Arc<Mutex<()>>,
    hears: Option<Hears>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut next = async || {
        poll_fn(|context| {
            let _held = gate.lock().unwrap_or_else(PoisonError::into_inner);
            connection.poll_message(context)
        })
        .await
    };
    while let Some(message) = next().await {
        match message {
            Ok(AsyncMessage::Notice(notice)) if notice.parsed_severity() == Some(Severity::Warning) => {
                warnings.fetch_add(1, Ordering::Release);
                let (code, text) = (notice.code().code(), notice.message());
                tracing::warn!(code, text, "PostgreSQL warns");
            }
            Ok(AsyncMessage::Notification(letter)) => {
                if let Some(hears) = &hears {
                    hears.letter(letter.payload());
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %store_error(&error), "a connection to PostgreSQL broke");
                return;
            }
        }
    }
}
