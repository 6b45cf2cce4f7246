//! The decision log: who asked what, and what was answered. Every question passes one point that can write here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

/// One question and its answer; a line of JSON.
#[derive(Debug, Serialize)]
pub struct Record {
    /// When, in microseconds since 1970.
    pub time: i64,
    /// Of which realm.
    pub realm: String,
    /// At which revision it was answered.
    pub revision: u64,
    /// Who asked.
    pub caller: String,
    /// About whom, as `type:id`.
    pub subject: String,
    /// To do what.
    pub action: String,
    /// To what, as `type:id`.
    pub resource: String,
    /// The answer.
    pub allowed: bool,
}

/// How many records may wait for the disk.
const QUEUE: usize = 16_384;

/// Writes records to a sink without making a question wait. What does not fit its queue is dropped and counted.
#[derive(Clone)]
pub struct DecisionLog {
    /// One question in so many is written; 1 is all of them.
    every: u64,
    asked: Arc<AtomicU64>,
    queue: mpsc::Sender<Record>,
}

impl DecisionLog {
    /// Appends JSON lines to a file; one question in `every` is written.
    pub async fn to_file(path: &Path, every: u64) -> std::io::Result<Self> {
        let file = tokio::fs::OpenOptions::new().create(true).append(true).open(path).await?;
        let (queue, mut records) = mpsc::channel::<Record>(QUEUE);
        tokio::spawn(async move {
            let mut out = tokio::io::BufWriter::new(file);
            while let Some(record) = records.recv().await {
                let Ok(mut line) = serde_json::to_vec(&record) else { continue };
                line.push(b'\n');
                if let Err(error) = out.write_all(&line).await {
                    tracing::error!(%error, "the decision log cannot be written");
                }
                if records.is_empty()
                    && let Err(error) = out.flush().await
                {
                    tracing::error!(%error, "the decision log cannot be written");
                }
            }
        });
        Ok(Self { every: every.max(1), asked: Arc::default(), queue })
    }

    /// Whether this question is one of those to write. Counts it.
    pub(crate) fn takes_this_one(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every)
    }

    /// False when there was no room.
    pub(crate) fn write(&self, record: Record) -> bool {
        self.queue.try_send(record).is_ok()
    }
}
