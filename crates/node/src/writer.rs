//! The writer of one realm: the only task that changes it.
//!
//! It drains its queue into one append (group commit). Commands of a batch are decided on the tentative state
//! after the ones before them; nothing that rests on tentative state is answered before the batch is durable,
//! refusals included.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grantd_ledger::entry::{CommandId, Entry};
use grantd_ledger::store::{Append, Appended, Head, StoreError};
use grantd_realm::engine::Folded;
use grantd_realm::{Micros, Refusal, State};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};

use crate::contradiction::{Contradiction, compare};
use crate::job::{IDEMPOTENCY_ROWS, Job};
use crate::load::{LoadError, fold_each, load_verified};
use crate::observer::AppendEnd;
use crate::others::Others;
use crate::recover::{Fate, fate, landed};
use crate::running::{Published, Shared};
use crate::submit::SubmitError;
use crate::taking::Taking;
use crate::tokens::ending;

/// How many commands go into one append.
const BATCH: usize = 512;

/// How often a batch is decided again after somebody else's append came first.
const CONFLICTS: usize = 1_000;

/// How often the store is asked for the fate of an append.
const UNSETTLED: Duration = Duration::from_secs(1);

/// What the writer can be asked.
pub(crate) enum Message {
    /// Carry out a command.
    Job(Box<dyn Job>),
    /// Fold what others appended.
    Refresh(oneshot::Sender<Result<(), SubmitError>>),
    /// Say when everything that came before is answered.
    Settle(oneshot::Sender<()>),
}

/// An append that was not there when the store was asked.
struct InDoubt {
    ids: Vec<CommandId>,
    /// The revision of the head that it was made for.
    after: u64,
}

/// What became of a batch.
enum Committed {
    Yes,
    No(SubmitError),
}

/// A batch as it was decided.
struct Decided {
    append: Append,
    tentative: State,
    /// For each row of the append, whose it is, as an index into the jobs.
    owners: Vec<usize>,
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// Set after an append whose fate could not be learnt: nothing is decided before it is.
    unsettled: bool,
    /// Whether the store failed when it was last needed.
    in_trouble: bool,
    /// The relationships being brought into their compact form, while writing goes on.
    compacting: Option<JoinHandle<Folded>>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, unsettled: false, in_trouble: false, compacting: None }
    }

    /// Runs until every sender is gone and the queue is empty.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut waiting: VecDeque<Message> = VecDeque::new();
        let mut settling = Vec::new();
        loop {
            if waiting.is_empty() {
                match self.next(&mut queue).await {
                    Some(message) => waiting.push_back(message),
                    None => return,
                }
            }
            while waiting.len() < BATCH
                && let Ok(message) = queue.try_recv()
            {
                waiting.push_back(message);
            }
            let mut jobs = Vec::with_capacity(waiting.len());
            let mut named = HashSet::new();
            let mut later = VecDeque::new();
            let mut refreshes = Vec::new();
            for message in waiting.drain(..) {
                match message {
                    Message::Refresh(reply) => refreshes.push(reply),
                    Message::Settle(reply) => settling.push(reply),
                    // The same command twice in one batch: the second waits for the first one's remembered answer.
                    Message::Job(job) if named.contains(&job.command_id()) => {
                        later.push_back(Message::Job(job));
                    }
                    Message::Job(job) => {
                        if job.begin() {
                            named.insert(job.command_id());
                            jobs.push(job);
                        }
                    }
                }
            }
            waiting = later;
            if !refreshes.is_empty() {
                let outcome = self.refresh().await;
                refreshes.into_iter().for_each(|reply| drop(reply.send(outcome.clone())));
            }
            if !jobs.is_empty() {
                self.carry_out(jobs).await;
            }
            if waiting.is_empty() {
                for reply in settling.drain(..) {
                    // Who asked may be gone.
                    let _: Result<(), ()> = reply.send(());
                }
            }
        }
    }

    /// The next message. While the fate of an append is not known, the store is asked for it now and then, so that reads
    /// do not stay behind until somebody writes.
    async fn next(&mut self, queue: &mut mpsc::Receiver<Message>) -> Option<Message> {
        loop {
            let compacting = &mut self.compacting;
            tokio::select! {
                biased;
                Some(folded) = async { Some(compacting.as_mut()?.await) } => {
                    self.compacting = None;
                    self.adopt(folded);
                }
                message = queue.recv() => return message,
                () = tokio::time::sleep(UNSETTLED), if self.unsettled => {
                    // What still fails is said in the log, and tried again.
                    drop(self.refresh().await);
                }
            }
        }
    }

    /// Publishes a state. If too much was written since its compact form was made, a new one is begun.
    fn publish(&mut self, mut state: State, head: Head) {
        if self.compacting.is_none() && state.needs_compacting() {
            let fold = state.begin_compacting();
            self.compacting = Some(tokio::task::spawn_blocking(move || fold.run()));
        }
        self.shared.publish(Published { state, head });
    }

    /// Publishes what is there already, in its new compact form.
    fn adopt(&mut self, folded: Result<Folded, JoinError>) {
        let realm = &self.shared.name;
        let folded = match folded {
            Ok(folded) => folded,
            Err(error) => {
                // The engine does it in place before the rest grows too large.
                tracing::error!(realm, %error, "the relationships could not be brought into their compact form");
                return;
            }
        };
        let published = self.shared.published();
        let mut state = published.state.clone();
        if state.adopt_compacted(folded) {
            tracing::debug!(realm, "the relationships are in their compact form");
            self.publish(state, published.head);
        }
    }

    async fn carry_out(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        match self.commit(&mut jobs).await {
            Committed::Yes => jobs.into_iter().for_each(Job::succeed),
            Committed::No(error) => jobs.into_iter().for_each(|job| job.fail(error.clone())),
        }
    }

    async fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Committed {
        if let Err(error) = self.shared.is_served() {
            return Committed::No(error);
        }
        if self.unsettled
            && let Err(error) = self.refresh().await
        {
            return Committed::No(error);
        }
        let mut in_doubt = None;
        match self.attempts(jobs, &mut in_doubt).await {
            // An append that seemed absent might still land.
            Committed::No(SubmitError::Unavailable) if in_doubt.is_some() => self.not_known(),
            committed => committed,
        }
    }

    async fn attempts(&mut self, jobs: &mut [Box<dyn Job>], in_doubt: &mut Option<InDoubt>) -> Committed {
        // One time for all attempts: what is decided again is the same entry, and the answer to it as well.
        let about = self.shared.reach.clock().now();
        let (first, recalled) = tokio::join!(self.shared.store.now(), self.recall(jobs, about, |_| true));
        let first = match recalled.and(first) {
            Ok(now) => now,
            Err(error) => return Committed::No(self.unavailable(&error)),
        };
        // What others did since: an answer is remembered together with its entry.
        let mut others = Others::default();
        // Whether an append that takes rows may have landed.
        let mut doubtful_rows = false;
        for _ in 0..CONFLICTS {
            let published = self.shared.published();
            let now = first.max(published.head.time);
            let since = std::mem::take(&mut others);
            if !since.is_empty()
                && let Err(error) = self.recall(jobs, now, |id| since.may_hold(id)).await
            {
                return Committed::No(self.unavailable(&error));
            }
            let Decided { append, mut tentative, owners } = self.decide(jobs, &published, now);
            if append.drafts.is_empty() && append.rows.is_empty() {
                // An append would have compared the head; a refusal or a no-op has to ask for it.
                match self.is_at_head(published.head, &mut others).await {
                    Ok(true) => return Committed::Yes,
                    Ok(false) => continue,
                    Err(error) => return Committed::No(error),
                }
            }
            let ids: Vec<_> = append.drafts.iter().map(|draft| draft.command_id).collect();
            let ending = ending(&append.rows);
            let taking = Taking::of(&append.rows, owners);
            let asked_at = self.shared.reach.steady();
            match self.append(append).await {
                // Rows alone: the state is the same.
                Appended::Durable(head) if head == published.head => {
                    self.trouble_is_over();
                    self.shared.tokens.forget(&ending);
                    self.shared.level.prove(asked_at, head.revision);
                    return Committed::Yes;
                }
                Appended::Durable(head) => {
                    self.shared.tokens.forget(&ending);
                    self.trouble_is_over();
                    tentative.tidy();
                    self.publish(tentative, head);
                    self.shared.level.prove(asked_at, head.revision);
                    return Committed::Yes;
                }
                Appended::Conflict(there) => {
                    if let Err(error) = self.is_possible(published.head, there).await {
                        return Committed::No(error);
                    }
                    if let Err(error) = self.read_on(&mut others).await {
                        return Committed::No(error);
                    }
                    // What came first may be our own append, which seemed absent and landed late.
                    match self.landed(in_doubt.as_ref()).await {
                        Ok(true) => return Committed::Yes,
                        // The head that it was made for is gone: it can land no more.
                        Ok(false) => *in_doubt = None,
                        Err(_) => return self.not_known(),
                    }
                }
                Appended::Untaken(rows) => {
                    // What came first may be our own append, which seemed absent and landed.
                    match self.landed(in_doubt.as_ref()).await {
                        Ok(true) => return Committed::Yes,
                        Ok(false) => {}
                        Err(_) => return self.not_known(),
                    }
                    if doubtful_rows {
                        match taking.have_landed(&*self.shared.store, &self.shared.name, &rows, now).await {
                            Ok(true) => return Committed::Yes,
                            Ok(false) => {}
                            Err(_) => return self.not_known(),
                        }
                    }
                    for owner in taking.owners_of(&rows) {
                        if let Some(job) = jobs.get_mut(owner) {
                            job.give_up(Refusal::Taken.into());
                        }
                    }
                }
                Appended::Rejected(error) => return Committed::No(self.unavailable(&error)),
                Appended::Unknown(error) => {
                    tracing::error!(realm = self.shared.name, %error, "the fate of an append is not known");
                    // They may be gone: see them anew.
                    self.shared.tokens.forget(&ending);
                    doubtful_rows |= taking.takes();
                    match fate(&*self.shared.store, &self.shared.name, published.head, &ids).await {
                        // Rows alone leave no trace in the ledger; to write them again is the same as once.
                        Fate::Durable | Fate::Absent if ids.is_empty() => {
                            if let Err(error) = self.read_on(&mut others).await {
                                return Committed::No(error);
                            }
                        }
                        Fate::Durable => {
                            return match self.read_on(&mut others).await {
                                Ok(()) => Committed::Yes,
                                Err(_) => self.not_known(),
                            };
                        }
                        Fate::Absent => {
                            *in_doubt = Some(InDoubt { ids, after: published.head.revision });
                            if let Err(error) = self.read_on(&mut others).await {
                                return Committed::No(error);
                            }
                            match self.landed(in_doubt.as_ref()).await {
                                Ok(true) => return Committed::Yes,
                                Ok(false) => {}
                                Err(_) => return self.not_known(),
                            }
                        }
                        Fate::Unknown => return self.not_known(),
                    }
                }
            }
        }
        Committed::No(SubmitError::Unavailable)
    }

    /// Fails if the store cannot have this head, where we had that one.
    async fn is_possible(&self, here: Head, there: Head) -> Result<(), SubmitError> {
        if self.shared.reach.is_shared() && compare(here, here, Some(there)).is_err() {
            self.shared.learn_anew().await?;
        }
        Ok(())
    }

    /// Whether a head is still the newest; where other nodes append, the store is asked and what they did is folded.
    async fn is_at_head(&mut self, head: Head, others: &mut Others) -> Result<bool, SubmitError> {
        if !self.shared.store.is_shared() {
            return Ok(true);
        }
        self.read_on(others).await?;
        Ok(self.shared.published().head == head)
    }

    async fn append(&self, append: Append) -> Appended {
        let (start, entries) = (Instant::now(), append.drafts.len());
        let appended = self.shared.store.append(append).await;
        if matches!(appended, Appended::Durable(_) | Appended::Conflict(_) | Appended::Untaken(_)) {
            self.shared.reach.answered();
        }
        let end = match &appended {
            Appended::Durable(_) => AppendEnd::Durable,
            // Either way nothing was written, and it is decided again.
            Appended::Conflict(_) | Appended::Untaken(_) => AppendEnd::Conflict,
            Appended::Rejected(_) => AppendEnd::Rejected,
            Appended::Unknown(_) => AppendEnd::Unknown,
        };
        self.shared.observer.appended(end, entries, start.elapsed());
        appended
    }

    async fn landed(&self, in_doubt: Option<&InDoubt>) -> Result<bool, StoreError> {
        let Some(InDoubt { ids, after }) = in_doubt else { return Ok(false) };
        landed(&*self.shared.store, &self.shared.name, ids, *after).await
    }

    fn not_known(&mut self) -> Committed {
        self.unsettled = true;
        Committed::No(SubmitError::OutcomeUnknown)
    }

    /// Finds the answers that are remembered for repeated requests.
    async fn recall(
        &self,
        jobs: &mut [Box<dyn Job>],
        now: Micros,
        is_asked: impl Fn(&CommandId) -> bool + Send,
    ) -> Result<(), StoreError> {
        let keyed = jobs.iter_mut().filter(|job| !job.is_settled() && is_asked(&job.command_id()));
        let keyed = keyed.filter_map(|job| Some((job.remembered_under()?, job)));
        let (keys, keyed): (Vec<_>, Vec<_>) = keyed.unzip();
        if keys.is_empty() {
            return Ok(());
        }
        let (store, realm) = (&self.shared.store, &self.shared.name);
        let rows = store.row_values(realm, IDEMPOTENCY_ROWS, &keys, now).await?;
        for (job, row) in keyed.into_iter().zip(rows) {
            if let Some(row) = row {
                job.recall(&row);
            }
        }
        Ok(())
    }

    /// Decides a batch; gives what to append and the state that follows from it.
    fn decide(&self, jobs: &mut [Box<dyn Job>], published: &Published, now: Micros) -> Decided {
        loop {
            if let Some(decided) = self.try_decide(jobs, published, now) {
                return decided;
            }
        }
    }

    /// `None` when a job had to be given up in the middle: the tentative state may hold half of it, so that the others
    /// have to be decided anew.
    fn try_decide(&self, jobs: &mut [Box<dyn Job>], published: &Published, now: Micros) -> Option<Decided> {
        let mut tentative = published.state.clone();
        let mut append = Append::on(self.shared.name.clone(), published.head);
        let mut owners = Vec::new();
        for (index, job) in jobs.iter_mut().enumerate().filter(|(_, job)| !job.is_settled()) {
            let head = published.head.revision + append.drafts.len() as u64;
            let seal = |secret| self.shared.seal(secret);
            let decided = catch_unwind(AssertUnwindSafe(|| job.decide(&mut tentative, now, head, &seal)));
            let decided = decided.unwrap_or_else(|_| Err(SubmitError::Broken("a command panicked".into())));
            match decided {
                Ok(None) => {}
                Ok(Some(write)) => {
                    append.drafts.extend(write.draft);
                    owners.extend(std::iter::repeat_n(index, write.rows.len()));
                    append.rows.extend(write.rows);
                    append.secrets.extend(write.secrets);
                }
                Err(error) => {
                    tracing::error!(realm = self.shared.name, %error, "a command could not be decided");
                    job.give_up(error);
                    return None;
                }
            }
        }
        Some(Decided { append, tentative, owners })
    }

    /// Folds what the ledger holds beyond the published head. After an append of unknown fate the store is
    /// opened anew first.
    async fn refresh(&mut self) -> Result<(), SubmitError> {
        self.read_on(&mut Others::default()).await
    }

    /// The same, noting whose entries they are.
    async fn read_on(&mut self, others: &mut Others) -> Result<(), SubmitError> {
        self.shared.is_served()?;
        let asked_at = self.shared.reach.steady();
        if self.unsettled
            && let Err(error) = self.shared.store.reopen().await
        {
            return Err(self.unavailable(&error));
        }
        let published = self.shared.published();
        let mut state = published.state.clone();
        let (store, realm) = (&*self.shared.store, &self.shared.name);
        let note = |entry: &Entry| others.note(entry.command_id);
        let folded = match fold_each(store, realm, &mut state, published.head, note).await {
            Ok(head) => Ok((state, head)),
            // What comes next is in an archive already: only the state behind it leads on.
            Err(LoadError::Store(StoreError::Archived { .. })) => {
                others.note_unread();
                let loaded = load_verified(store, realm, published.state.builtin().clone()).await;
                loaded.map(|loaded| (loaded.state, loaded.head))
            }
            Err(error) => Err(error),
        };
        let (state, head) = match folded {
            Ok(reached) => reached,
            Err(error) => return Err(self.cannot_fold(error)),
        };
        self.unsettled = false;
        self.trouble_is_over();
        if head != published.head {
            self.publish(state, head);
        }
        self.shared.reach.answered();
        self.shared.level.prove(asked_at, head.revision);
        Ok(())
    }

    fn cannot_fold(&mut self, error: LoadError) -> SubmitError {
        match error {
            LoadError::Store(error) => self.unavailable(&error),
            LoadError::Forked(revision) if self.shared.reach.is_shared() => {
                // Not that entry is another one, but the one before it.
                self.shared.contradict(Contradiction::Other { revision: revision.saturating_sub(1) })
            }
            error => {
                if !self.shared.level.is_unreadable() {
                    let realm = &self.shared.name;
                    tracing::error!(realm, %error, "this node stays at an older revision, and is not ready");
                }
                self.shared.level.cannot_read_on();
                SubmitError::Broken(error.to_string())
            }
        }
    }

    /// Says it in the log when it begins. As long as it lasts it would be said each second.
    fn unavailable(&mut self, error: &StoreError) -> SubmitError {
        let realm = &self.shared.name;
        if self.in_trouble {
            tracing::debug!(realm, %error, "the store still fails");
        } else {
            tracing::error!(realm, %error, "the store fails: changes are refused until it does not");
        }
        self.in_trouble = true;
        SubmitError::Unavailable
    }

    fn trouble_is_over(&mut self) {
        if std::mem::take(&mut self.in_trouble) {
            tracing::info!(realm = self.shared.name, "the store does not fail any more");
        }
    }
}
