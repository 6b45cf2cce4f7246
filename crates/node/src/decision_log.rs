//! The decision log: who asked what, and what was answered. Every question passes one point that can write here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::sync::{mpsc, oneshot};

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
    /// What kind of question it was.
    pub asked: Asked,
    /// About whom, as `type:id`; a type when subjects were searched.
    pub subject: String,
    /// To do what; empty when actions were searched.
    pub action: String,
    /// To what, as `type:id`; a type when resources were searched.
    pub resource: String,
    /// The answer; of a search, whether there was any result.
    pub allowed: bool,
    /// How many results this page of a search has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<usize>,
}

/// The kinds of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// May this subject do this to that resource?
    Check,
    /// Who may?
    SearchSubjects,
    /// To what?
    SearchResources,
    /// What?
    SearchActions,
}

/// How many records may wait for the disk.
const QUEUE: usize = 16_384;

/// What the writing task is given.
enum Line {
    Record(Record),
    /// Say when everything that came before is written.
    Flush(oneshot::Sender<()>),
}

/// Writes records to a sink without making a question wait. What does not fit its queue is dropped and counted.
#[derive(Clone)]
pub struct DecisionLog {
    /// One question in so many is written; 1 is all of them.
    every: u64,
    asked: Arc<AtomicU64>,
    queue: mpsc::Sender<Line>,
}

impl DecisionLog {
    /// Appends JSON lines to a file; one question in `every` is written.
    pub async fn to_file(path: &Path, every: u64) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path).await?;
        let (queue, lines) = mpsc::channel(QUEUE);
        tokio::spawn(write_to(BufWriter::new(file), lines));
        Ok(Self { every: every.max(1), asked: Arc::default(), queue })
    }

    /// Whether this question is one of those to write. Counts it.
    pub(crate) fn takes_this_one(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every)
    }

    /// False when there was no room.
    pub(crate) fn write(&self, record: Record) -> bool {
        self.queue.try_send(Line::Record(record)).is_ok()
    }

    /// Waits until everything that was taken so far is in the file.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.queue.send(Line::Flush(done)).await.is_ok() {
            // An error means that the task has ended: nothing is left to wait for.
            let _: Result<(), _> = flushed.await;
        }
    }
}

/// Writes until the log is gone. Lines are flushed whenever none is waiting.
async fn write_to(mut out: BufWriter<File>, mut lines: mpsc::Receiver<Line>) {
    while let Some(line) = lines.recv().await {
        let written = match line {
            Line::Record(record) => append(&mut out, &record, lines.is_empty()).await,
            Line::Flush(done) => {
                let flushed = out.flush().await;
                // Who asked may be gone.
                let _: Result<(), ()> = done.send(());
                flushed
            }
        };
        if let Err(error) = written {
            tracing::error!(%error, "the decision log cannot be written");
        }
    }
}

async fn append(out: &mut BufWriter<File>, record: &Record, flush: bool) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    out.write_all(&line).await?;
    if flush { out.flush().await } else { Ok(()) }
}
