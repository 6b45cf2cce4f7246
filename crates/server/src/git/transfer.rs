//! One call of git: the request goes in while the answer comes out, and nothing of either is in memory but a few pieces.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::Stream;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::cgi::Head;
use super::process::Process;
use crate::edge::Cutter;
use crate::movement::Movement;
use crate::telemetry::TransferEnd;

/// The pieces in which an answer is read, and how many of them wait for the client.
const PIECE: usize = 64 << 10;
const PIECES: usize = 2;

/// How much of an answer is held back while the request still comes. Most answers begin when their request has ended, as clients and
/// proxies expect; one that is longer does not wait, as git would.
const HELD_BACK: usize = 64 << 10;

/// Once git takes no more of a request, how much of the rest is thrown away, so that the client comes to read why.
const DISCARDED: usize = 64 << 20;

/// How much is kept of what git complains of.
const COMPLAINT: usize = 2 << 10;

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Done,
    /// Git failed.
    Failed,
    /// The right to it ended.
    Ended,
    /// Nothing moved any more.
    Idle,
    /// The client went away, or stopped in the middle of its request.
    Gone,
}

impl From<End> for TransferEnd {
    fn from(end: End) -> Self {
        match end {
            End::Done => Self::Done,
            End::Failed => Self::Failed,
            End::Ended => Self::Cut,
            End::Idle => Self::Idle,
            End::Gone => Self::Gone,
        }
    }
}

/// An answer that has begun.
pub(super) struct Begun {
    pub(super) head: Head,
    pub(super) body: Body,
}

/// What a transfer lasts by.
pub(super) struct Terms<E> {
    /// Is over when the right to it is.
    pub(super) ended: E,
    /// How long nothing may move.
    pub(super) idle: Duration,
    /// The client's connection.
    pub(super) cutter: Option<Cutter>,
}

/// Carries a request to git and brings back its answer, as a task of its own. `then` hears how it ended, and when that is known the
/// answer may still be on its way.
pub(super) async fn carry<E, T>(
    process: Process,
    request: Body,
    terms: Terms<E>,
    then: T,
) -> Result<Begun, End>
where
    E: Future<Output = ()> + Send + 'static,
    T: FnOnce(End) + Send + 'static,
{
    let (head, begun) = oneshot::channel();
    let (pieces, coming) = mpsc::channel(PIECES);
    let whole = Arc::new(AtomicBool::new(false));
    let transfer = Transfer { answer: Answer { head: Some(head), pieces }, whole: whole.clone(), terms };
    let running = tokio::spawn(async move {
        let end = transfer.run(process, request).await;
        then(end);
        end
    });
    match begun.await {
        Ok(head) => Ok(Begun { head, body: Body::from_stream(Coming { coming, whole }) }),
        // It ended without an answer.
        Err(_) => Err(running.await.unwrap_or(End::Failed)),
    }
}

/// The answer's way out.
struct Answer {
    head: Option<oneshot::Sender<Head>>,
    pieces: mpsc::Sender<Bytes>,
}

struct Transfer<E> {
    answer: Answer,
    whole: Arc<AtomicBool>,
    terms: Terms<E>,
}

impl<E: Future<Output = ()>> Transfer<E> {
    async fn run(self, mut process: Process, request: Body) -> End {
        let Self { mut answer, whole, terms } = self;
        let (Some(stdin), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return End::Failed;
        };
        let complaint = process.stderr.take().map(|stderr| tokio::spawn(complaint(stderr)));
        let movement = Movement::new();
        let gone = answer.gone();
        let end = {
            let (fed, taken) = watch::channel(false);
            let feeding = async {
                feed(stdin, request, &movement).await?;
                fed.send_replace(true);
                Ok(())
            };
            let moving = async {
                match tokio::try_join!(feeding, bring(stdout, &mut answer, taken, &movement)) {
                    Ok(_) => End::Done,
                    Err(Broken::Client) => End::Gone,
                    Err(Broken::Git) => End::Failed,
                }
            };
            tokio::select! {
                biased;
                () = terms.ended => End::Ended,
                () = movement.stops_for(terms.idle) => End::Idle,
                () = gone => End::Gone,
                end = moving => end,
            }
        };
        if end == End::Done {
            // Its answer is out; what it still does is part of it.
            if process.finish().await {
                whole.store(true, Ordering::Release);
                return End::Done;
            }
            said(complaint).await;
            // A failed service has said so in its answer, if it could.
            whole.store(answer.head.is_none(), Ordering::Release);
            return End::Failed;
        }
        drop(process);
        if end == End::Failed {
            said(complaint).await;
        }
        let is_under_way = answer.head.is_none();
        if let Some(cutter) = terms.cutter.filter(|_| is_under_way && end != End::Gone) {
            cutter.cut();
        }
        end
    }
}

impl Answer {
    /// Returns once nobody waits for it any more.
    fn gone(&mut self) -> impl Future<Output = ()> + use<> {
        let pieces = self.pieces.clone();
        // While the head is awaited, the receiver of the pieces is held by who awaits it.
        async move { pieces.closed().await }
    }
}

/// Why a transfer cannot go on.
enum Broken {
    /// The client stopped in the middle of its request, or does not wait for the answer.
    Client,
    /// What git says is no answer.
    Git,
}

/// Hands the request to git, and says that it ends. If git takes no more of it, that is no error: its answer says why.
async fn feed(mut stdin: ChildStdin, mut request: Body, movement: &Movement) -> Result<(), Broken> {
    let mut takes = true;
    let mut discarded = 0;
    while let Some(frame) = request.frame().await {
        let Ok(piece) = frame.map_err(|_| Broken::Client)?.into_data() else { continue };
        movement.note();
        if takes {
            takes = stdin.write_all(&piece).await.is_ok();
            movement.note();
        } else {
            discarded += piece.len();
            if discarded > DISCARDED {
                break;
            }
        }
    }
    Ok(())
}

/// Brings git's answer to the client.
async fn bring(
    mut stdout: ChildStdout,
    answer: &mut Answer,
    mut fed: watch::Receiver<bool>,
    movement: &Movement,
) -> Result<(), Broken> {
    let mut held = BytesMut::with_capacity(PIECE);
    let (head, length) = loop {
        if let Some(read) = Head::read(&held).map_err(|_| Broken::Git)? {
            break read;
        }
        if read(&mut stdout, &mut held, movement).await? == 0 {
            return Err(Broken::Git);
        }
    };
    let _head = held.split_to(length);
    let mut ended = false;
    while !*fed.borrow() && !ended && held.len() < HELD_BACK {
        tokio::select! {
            count = read(&mut stdout, &mut held, movement) => ended = count? == 0,
            _ = fed.wait_for(|fed| *fed) => break,
        }
    }
    if ended {
        // What it refuses it may refuse early.
        let _its_rest = fed.wait_for(|fed| *fed).await;
    }
    if let Some(waits) = answer.head.take() {
        waits.send(head).map_err(|_| Broken::Client)?;
    }
    loop {
        if !held.is_empty() {
            answer.pieces.send(held.split().freeze()).await.map_err(|_| Broken::Client)?;
            movement.note();
        }
        if ended || read(&mut stdout, &mut held, movement).await? == 0 {
            return Ok(());
        }
    }
}

async fn read(stdout: &mut ChildStdout, into: &mut BytesMut, movement: &Movement) -> Result<usize, Broken> {
    into.reserve(PIECE);
    let count = stdout.read_buf(into).await.map_err(|_| Broken::Git)?;
    movement.note();
    Ok(count)
}

/// The body of an answer. Unless the transfer was whole it ends with an error, so that nobody takes a part for all of it.
struct Coming {
    coming: mpsc::Receiver<Bytes>,
    whole: Arc<AtomicBool>,
}

impl Stream for Coming {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match ready!(self.coming.poll_recv(cx)) {
            Some(piece) => Poll::Ready(Some(Ok(piece))),
            None if self.whole.swap(true, Ordering::AcqRel) => Poll::Ready(None),
            None => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }
}

/// The beginning of what git complains of; reads on to its end, or git would wait.
async fn complaint(mut stderr: ChildStderr) -> String {
    let (mut kept, mut piece) = (Vec::new(), vec![0; 4 << 10]);
    while let Ok(count @ 1..) = stderr.read(&mut piece).await {
        let room = COMPLAINT - kept.len();
        kept.extend(piece.iter().take(count.min(room)));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Writes to the log that git failed; what it said, which may name branches, only for who looks closer.
async fn said(complaint: Option<tokio::task::JoinHandle<String>>) {
    tracing::warn!("git failed; with `--log debug` its own words follow");
    if let Some(complaint) = complaint
        && let Ok(Ok(text)) = timeout(Duration::from_secs(1), complaint).await
    {
        tracing::debug!(%text, "git said");
    }
}
