//! Several statements that are sent before the first of them is answered, so that they cost one round trip.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::session::Session;

type Step<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
pub(super) type Answer = Result<Vec<Row>, Error>;
/// A parameter of a statement.
pub(super) type Param<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// A transaction that is sent as a whole: nobody waits on the locks of a client that was stopped in the middle of it.
pub(super) struct Flush<'a> {
    session: &'a Session,
    steps: Vec<Step<'a>>,
}

impl<'a> Flush<'a> {
    /// A session is read-only by itself. Should BEGIN fail, all that is behind it fails too, instead of each statement
    /// being committed on its own.
    pub(super) fn begin(session: &'a Session) -> Self {
        let mut flush = Self { session, steps: Vec::new() };
        flush.say("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
        flush
    }

    fn say(&mut self, sql: &'static str) {
        let session = self.session;
        self.steps.push(Box::pin(async move { session.batch_execute(sql).await.map(|()| Vec::new()) }));
    }

    /// Adds a statement; tells which answer will be its. Prepares it now if it is not, while nothing is sent yet.
    pub(super) async fn add(&mut self, sql: &'static str, params: Vec<Param<'a>>) -> Result<usize, Error> {
        let session = self.session;
        let statement = session.prepare_cached(sql).await?;
        self.steps.push(Box::pin(async move {
            let params: Vec<&(dyn ToSql + Sync)> =
                params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
            session.query(&statement, &params).await
        }));
        Ok(self.steps.len() - 1)
    }

    /// Sends all and COMMIT behind it, and waits for every answer, of which the last is COMMIT's.
    ///
    /// # Errors
    /// A statement failed before COMMIT was sent, and the connection must be thrown away.
    pub(super) async fn commit(mut self) -> Result<Vec<Answer>, Error> {
        self.say("COMMIT");
        let last = self.steps.len() - 1;
        let mut waiting: Vec<Waiting<'_>> = self.steps.into_iter().map(Waiting::Sent).collect();
        // A step sends its message when it is first polled; so this is the order in which they are sent.
        poll_fn(|context| {
            let _held = self.session.hold();
            for (number, step) in waiting.iter_mut().enumerate() {
                match step.poll(context) {
                    // COMMIT alone may have been sent and have failed.
                    Some(Err(error)) if number < last => return Poll::Ready(Err(error)),
                    Some(answer) => *step = Waiting::Answered(answer),
                    None => {}
                }
            }
            Poll::Ready(Ok(()))
        })
        .await?;
        let mut answers = Vec::with_capacity(waiting.len());
        for step in waiting {
            answers.push(match step {
                Waiting::Answered(answer) => answer,
                Waiting::Sent(step) => step.await,
            });
        }
        Ok(answers)
    }
}

enum Waiting<'a> {
    Sent(Step<'a>),
    Answered(Answer),
}

impl Waiting<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Option<Answer> {
        match self {
            Self::Sent(step) => match step.as_mut().poll(context) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            },
            Self::Answered(_) => None,
        }
    }
}
