//! One command on its way through the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grantd_ledger::entry::{CommandId, Draft};
use grantd_ledger::store::{RowWrite, SecretWrite, StoreError};
use grantd_realm::change::Stamp;
use grantd_realm::codec::{Reader, Writer};
use grantd_realm::command::{self, Answer, Command, Context, SealedWrite};
use grantd_realm::entropy::Entropy;
use grantd_realm::personal::Personal;
use grantd_realm::{Micros, Refusal, State};
use tokio::sync::oneshot;

use crate::entry::{Heading, commit, draft};
use crate::submit::{Done, Idempotency, Request, SubmitError};

/// The family of rows that remembers answers by idempotency key.
pub(crate) const IDEMPOTENCY_ROWS: &str = "idempotency";

const IDEMPOTENCY_LIFE: Micros = 24 * 3_600 * 1_000_000;

/// What a decided job wants written.
pub(crate) struct Write {
    /// None when only rows or secrets are written.
    pub(crate) draft: Option<Draft>,
    pub(crate) rows: Vec<RowWrite>,
    pub(crate) secrets: Vec<SecretWrite>,
}

fn row(write: command::RowWrite) -> RowWrite {
    match write {
        command::RowWrite::Put { kind, key, value, expires } => RowWrite::Put { kind, key, value, expires },
        command::RowWrite::Renew { kind, key, value, expires } => {
            RowWrite::Renew { kind, key, value, expires }
        }
        command::RowWrite::Move { kind, key, to, value, expires } => {
            RowWrite::Move { kind, key, to, value, expires }
        }
        command::RowWrite::Delete { kind, key } => RowWrite::Delete { kind, key },
        command::RowWrite::Take { kind, key, value } => RowWrite::Take { kind, key, value },
    }
}

/// Seals a secret under the master key.
pub(crate) type Seal<'a> = &'a (dyn Fn(SealedWrite) -> Result<SecretWrite, StoreError> + Send + Sync);

/// A command whose type the writer need not know.
pub(crate) trait Job: Send + Sync {
    /// Names the command for ever.
    fn command_id(&self) -> CommandId;

    /// To be called before anything is done with it. False if it was withdrawn while it waited: nobody wants it any more.
    fn begin(&self) -> bool;

    /// The key of the row that may remember this request's answer.
    fn remembered_under(&self) -> Option<Vec<u8>>;

    /// Takes the remembered answer, if the row holds one for this very body.
    fn recall(&mut self, row: &[u8]);

    /// Decides on the tentative state, applies what follows and says what to write. Deciding again gives the
    /// same ids and secrets.
    fn decide(
        &mut self,
        tentative: &mut State,
        now: Micros,
        head: u64,
        seal: Seal<'_>,
    ) -> Result<Option<Write>, SubmitError>;

    /// Settles it with an error of its own; the rest of its batch goes on.
    fn give_up(&mut self, error: SubmitError);

    /// Whether its answer is known without deciding: a remembered one, or the error that it was given up with.
    fn is_settled(&self) -> bool;

    /// Answers with what was decided.
    fn succeed(self: Box<Self>);

    /// Answers that the command has no answer.
    fn fail(self: Box<Self>, error: SubmitError);
}

/// A command with its types.
pub(crate) struct Pending<C: Command> {
    request: Request<C>,
    command_id: CommandId,
    seed: [u8; 32],
    outcome: Option<Result<Done<C::Answer>, SubmitError>>,
    settled: bool,
    claim: Arc<Claim>,
    reply: oneshot::Sender<Result<Done<C::Answer>, SubmitError>>,
}

/// Who comes first: the writer, who begins a command, or who waits for it and withdraws it.
#[derive(Default)]
pub(crate) struct Claim(AtomicBool);

impl Claim {
    /// Whether the caller is the first.
    pub(crate) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl<C: Command> Pending<C> {
    pub(crate) fn new(
        request: Request<C>,
        seed: [u8; 32],
        claim: Arc<Claim>,
        reply: oneshot::Sender<Result<Done<C::Answer>, SubmitError>>,
    ) -> Self {
        let command_id = request.idempotency.as_ref().map_or_else(
            || CommandId(Entropy::new(&blake3::derive_key("grantd command id 1", &seed)).bytes()),
            Idempotency::command_id,
        );
        Self { request, command_id, seed, outcome: None, settled: false, claim, reply }
    }

    fn remember(&self, answer: &C::Answer, revision: u64, now: Micros) -> Option<RowWrite> {
        let idempotency = self.request.idempotency.as_ref()?;
        let mut w = Writer::new();
        w.fixed(&idempotency.body);
        w.u64(revision);
        w.i64(now);
        answer.encode(&mut w);
        Some(RowWrite::Put {
            kind: IDEMPOTENCY_ROWS,
            key: idempotency.command.to_vec(),
            value: w.finish().0,
            expires: now.saturating_add(IDEMPOTENCY_LIFE),
        })
    }

    fn read_remembered(&self, row: &[u8]) -> Option<Result<Done<C::Answer>, SubmitError>> {
        let mut r = Reader::new(row);
        if r.array::<32>().ok()? != self.request.idempotency.as_ref()?.body {
            return Some(Err(Refusal::IdempotencyKeyReused.into()));
        }
        let (revision, time) = (r.u64().ok()?, r.i64().ok()?);
        let answer = C::Answer::decode(&mut r).ok()?;
        Some(Ok(Done { answer, revision, time, replayed: true }))
    }
}

impl<C: Command> Job for Pending<C> {
    fn command_id(&self) -> CommandId {
        self.command_id
    }

    fn begin(&self) -> bool {
        self.claim.take()
    }

    fn remembered_under(&self) -> Option<Vec<u8>> {
        self.request.idempotency.as_ref().map(|idempotency| idempotency.command.to_vec())
    }

    fn recall(&mut self, row: &[u8]) {
        if let Some(outcome) = self.read_remembered(row) {
            self.outcome = Some(outcome);
            self.settled = true;
        }
    }

    fn decide(
        &mut self,
        tentative: &mut State,
        now: Micros,
        head: u64,
        seal: Seal<'_>,
    ) -> Result<Option<Write>, SubmitError> {
        let request = &self.request;
        let mut cx = Context { caller: &request.caller, now, entropy: Entropy::new(&self.seed), commit };
        let decision = match command::decide(&request.command, tentative, &mut cx) {
            Ok(decision) => decision,
            Err(refusal) => {
                self.outcome = Some(Err(refusal.into()));
                return Ok(None);
            }
        };
        let done = |revision| Done { answer: decision.answer.clone(), revision, time: now, replayed: false };
        let mut rows: Vec<RowWrite> = decision.rows.into_iter().map(row).collect();
        if decision.changes.is_empty() {
            self.outcome = Some(Ok(done(head)));
            return Ok((!rows.is_empty()).then(|| Write { draft: None, rows, secrets: Vec::new() }));
        }
        let stamp = Stamp { revision: head + 1, time: now };
        for change in &decision.changes {
            tentative.apply(change, stamp).map_err(|misfit| SubmitError::Broken(misfit.to_string()))?;
        }
        let reason =
            request.reason.as_deref().map(|reason| Personal::new(reason, cx.entropy.bytes(), commit));
        let heading = Heading {
            time: now,
            actor: request.caller.actor.to_string(),
            via: request.via,
            command_id: self.command_id,
            reason,
        };
        rows.extend(self.remember(&decision.answer, stamp.revision, now));
        let draft = Some(draft(&decision.changes, heading));
        self.outcome = Some(Ok(done(stamp.revision)));
        let secrets = decision.sealed.into_iter().map(seal).collect::<Result<_, _>>();
        let secrets = secrets.map_err(|_| SubmitError::Unavailable)?;
        Ok(Some(Write { draft, rows, secrets }))
    }

    fn give_up(&mut self, error: SubmitError) {
        self.outcome = Some(Err(error));
        self.settled = true;
    }

    fn is_settled(&self) -> bool {
        self.settled
    }

    fn succeed(self: Box<Self>) {
        // Nobody may be waiting any more: a client that hung up is no error.
        let _ = self.reply.send(self.outcome.unwrap_or(Err(SubmitError::Unavailable)));
    }

    fn fail(self: Box<Self>, error: SubmitError) {
        let _ = self.reply.send(if self.settled { self.outcome.unwrap_or(Err(error)) } else { Err(error) });
    }
}
