//! A store that fails where a test wants it to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use grantd_ledger::base::{ArchivedValue, Archiving, Base, BaseState, Unarchiving};
use grantd_ledger::entry::{CommandId, Disclosed, Disclosure, LedgerId, Micros, Revision};
use grantd_ledger::source::Source;
use grantd_ledger::store::{
    Append, Appended, Checkpoint, Head, Row, SealedSecret, SnapshotMeta, Store, StoreError, StoredRow,
};
use tokio::sync::broadcast;

/// What happens to one append.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is written, but the answer is `Unknown`: the sync failed after all of it had arrived.
    UnknownWritten,
    /// It is not written, and the answer is `Unknown`.
    UnknownNotWritten,
    /// The answer is `Unknown`; it is not written yet, but just before the next append is looked at: a commit that the
    /// store still had in hand.
    LandsBeforeNextAppend,
    /// As before, but it is written just before entries are next read.
    LandsBeforeNextEntries,
    /// It is not written, and the answer is `Rejected` with this error.
    Rejected(StoreError),
    /// It is not written, and the answer is `Conflict` with the present head, as if somebody else had just been quicker.
    Conflict,
}

/// Wraps a store. Appends are counted from 0 in the order in which they arrive; those without a fault go through.
pub struct FaultyStore {
    inner: RwLock<Arc<dyn Store>>,
    shared: bool,
    announcing: Option<broadcast::Sender<Arc<str>>>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    appends: usize,
    reopens: usize,
    heads: usize,
    faults: BTreeMap<usize, Fault>,
    failing_reads: usize,
    failing_entries: usize,
    failing_reopens: usize,
    when_reopened: Option<Arc<dyn Store>>,
    delay: Duration,
    seen: Vec<Append>,
    lands_before_append: Option<Append>,
    lands_before_entries: Option<Append>,
}

impl FaultyStore {
    /// Without any fault yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            shared: inner.is_shared(),
            inner: RwLock::new(inner),
            announcing: None,
            script: Mutex::default(),
        }
    }

    /// Says that other nodes append to the same ledgers, whatever the store behind it says.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// Has it announce what [`Self::announce`] is told, and nothing else.
    #[must_use]
    pub fn announcing(self) -> Self {
        Self { announcing: Some(broadcast::Sender::new(16)), ..self }
    }

    /// Says that somebody appended to a realm.
    pub fn announce(&self, realm: &str) {
        if let Some(announcing) = &self.announcing {
            // Nobody may be listening.
            let _: Result<usize, _> = announcing.send(realm.into());
        }
    }

    /// From now on another store answers, as after a restore or a failover.
    pub fn becomes(&self, other: Arc<dyn Store>) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = other;
    }

    /// The same, once it is opened again: until then the connections that there are lead to what it was.
    pub fn becomes_when_reopened(&self, other: Arc<dyn Store>) {
        self.script().when_reopened = Some(other);
    }

    fn inner(&self) -> Arc<dyn Store> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets what happens to the append of that index.
    pub fn on_append(&self, index: usize, fault: Fault) {
        self.script().faults.insert(index, fault);
    }

    /// Sets what happens to the next append.
    pub fn on_next_append(&self, fault: Fault) {
        let mut script = self.script();
        let next = script.appends;
        script.faults.insert(next, fault);
    }

    /// Makes the next `count` reads (head, entries, commands, rows, secrets, snapshots, checkpoints) fail.
    pub fn fail_reads(&self, count: usize) {
        self.script().failing_reads = count;
    }

    /// Makes the next `count` reads of entries fail.
    pub fn fail_entries(&self, count: usize) {
        self.script().failing_entries = count;
    }

    /// Makes the next `count` calls of `reopen` fail.
    pub fn fail_reopens(&self, count: usize) {
        self.script().failing_reopens = count;
    }

    /// Makes every append from now on wait so long before anything else.
    pub fn delay_appends(&self, delay: Duration) {
        self.script().delay = delay;
    }

    /// How many appends have arrived.
    #[must_use]
    pub fn appends(&self) -> usize {
        self.script().appends
    }

    /// Every append that has arrived, in order, whatever became of it.
    #[must_use]
    pub fn seen(&self) -> Vec<Append> {
        self.script().seen.clone()
    }

    /// How many times it was opened again, with or without success.
    #[must_use]
    pub fn reopens(&self) -> usize {
        self.script().reopens
    }

    /// How many times it was asked for heads.
    #[must_use]
    pub fn heads_asked(&self) -> usize {
        self.script().heads
    }

    async fn lands(&self, late: Option<Append>) {
        if let Some(append) = late {
            // Whether it still fits is what the tests want to know.
            let _ = self.inner().append(append).await;
        }
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_append(&self) -> (Option<Fault>, Duration) {
        let mut script = self.script();
        let index = script.appends;
        script.appends += 1;
        (script.faults.remove(&index), script.delay)
    }

    fn may_read(&self) -> Result<(), StoreError> {
        one_less(&mut self.script().failing_reads)
    }
}

/// Fails as long as there is any left.
fn one_less(left: &mut usize) -> Result<(), StoreError> {
    match left.checked_sub(1) {
        None => Ok(()),
        Some(less) => {
            *left = less;
            Err(scripted())
        }
    }
}

fn scripted() -> StoreError {
    StoreError::Unavailable("a scripted fault".to_owned())
}

#[async_trait]
impl Source for FaultyStore {
    async fn realms(&self) -> Result<Vec<String>, StoreError> {
        self.may_read()?;
        self.inner().realms().await
    }

    async fn head(&self, realm: &str) -> Result<Head, StoreError> {
        self.may_read()?;
        self.inner().head(realm).await
    }

    async fn entries(
        &self,
        realm: &str,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Disclosed>, StoreError> {
        self.may_read()?;
        one_less(&mut self.script().failing_entries)?;
        let late = self.script().lands_before_entries.take();
        self.lands(late).await;
        self.inner().entries(realm, after, limit).await
    }

    async fn secrets(&self) -> Result<Vec<(String, SealedSecret)>, StoreError> {
        self.may_read()?;
        self.inner().secrets().await
    }

    async fn all_rows(
        &self,
        realm: &str,
        after: Option<(&str, &[u8])>,
        limit: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        self.may_read()?;
        self.inner().all_rows(realm, after, limit).await
    }

    async fn checkpoints(&self, realm: &str) -> Result<Vec<Checkpoint>, StoreError> {
        self.may_read()?;
        self.inner().checkpoints(realm).await
    }

    async fn base_state(&self, realm: &str) -> Result<Option<BaseState>, StoreError> {
        self.may_read()?;
        self.inner().base_state(realm).await
    }

    async fn archived_values(
        &self,
        realm: &str,
        owner: Option<&str>,
    ) -> Result<Vec<ArchivedValue>, StoreError> {
        self.may_read()?;
        self.inner().archived_values(realm, owner).await
    }

    async fn disclosures(
        &self,
        realm: &str,
        after: Revision,
        last: Revision,
    ) -> Result<Vec<(Revision, Disclosure)>, StoreError> {
        self.may_read()?;
        self.inner().disclosures(realm, after, last).await
    }
}

#[async_trait]
impl Store for FaultyStore {
    fn is_shared(&self) -> bool {
        self.shared
    }

    async fn now(&self) -> Result<Micros, StoreError> {
        self.inner().now().await
    }

    async fn create(&self, realm: &str, ledger_id: LedgerId) -> Result<Head, StoreError> {
        self.inner().create(realm, ledger_id).await
    }

    async fn heads(&self, realms: &[String]) -> Result<(Micros, Vec<(String, Head)>), StoreError> {
        self.script().heads += 1;
        self.may_read()?;
        self.inner().heads(realms).await
    }

    fn announcements(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        match &self.announcing {
            Some(announcing) => Some(announcing.subscribe()),
            None => self.inner().announcements(),
        }
    }

    async fn append(&self, append: Append) -> Appended {
        let (fault, delay) = self.next_append();
        self.script().seen.push(append.clone());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let late = self.script().lands_before_append.take();
        self.lands(late).await;
        match fault {
            None => self.inner().append(append).await,
            Some(Fault::UnknownWritten) => match self.inner().append(append).await {
                Appended::Durable(_) => Appended::Unknown(scripted()),
                other => other,
            },
            Some(Fault::UnknownNotWritten) => Appended::Unknown(scripted()),
            Some(Fault::LandsBeforeNextAppend) => {
                self.script().lands_before_append = Some(append);
                Appended::Unknown(scripted())
            }
            Some(Fault::LandsBeforeNextEntries) => {
                self.script().lands_before_entries = Some(append);
                Appended::Unknown(scripted())
            }
            Some(Fault::Rejected(error)) => Appended::Rejected(error),
            Some(Fault::Conflict) => match self.inner().head(&append.realm).await {
                Ok(head) => Appended::Conflict(head),
                Err(error) => Appended::Rejected(error),
            },
        }
    }

    async fn find_commands(
        &self,
        realm: &str,
        ids: &[CommandId],
    ) -> Result<Vec<(CommandId, Revision)>, StoreError> {
        self.may_read()?;
        self.inner().find_commands(realm, ids).await
    }

    async fn reopen(&self) -> Result<(), StoreError> {
        {
            let mut script = self.script();
            script.reopens += 1;
            one_less(&mut script.failing_reopens)?;
        }
        let other = self.script().when_reopened.take();
        if let Some(other) = other {
            self.becomes(other);
        }
        self.inner().reopen().await
    }

    async fn row(
        &self,
        realm: &str,
        kind: &str,
        key: &[u8],
        now: Micros,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.may_read()?;
        self.inner().row(realm, kind, key, now).await
    }

    async fn row_values(
        &self,
        realm: &str,
        kind: &str,
        keys: &[Vec<u8>],
        now: Micros,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.may_read()?;
        self.inner().row_values(realm, kind, keys, now).await
    }

    async fn rows(
        &self,
        realm: &str,
        kind: &str,
        prefix: &[u8],
        now: Micros,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.may_read()?;
        self.inner().rows(realm, kind, prefix, now, limit).await
    }

    async fn purge_rows(&self, now: Micros, limit: usize) -> Result<usize, StoreError> {
        self.inner().purge_rows(now, limit).await
    }

    async fn secret(&self, realm: &str, name: &str) -> Result<Option<SealedSecret>, StoreError> {
        self.may_read()?;
        self.inner().secret(realm, name).await
    }

    async fn adopt_rows(&self, realm: &str, rows: Vec<StoredRow>) -> Result<(), StoreError> {
        self.inner().adopt_rows(realm, rows).await
    }

    async fn clear_side_data(&self, realm: &str) -> Result<(), StoreError> {
        self.inner().clear_side_data(realm).await
    }

    async fn unfinished(&self) -> Result<Option<String>, StoreError> {
        self.inner().unfinished().await
    }

    async fn set_unfinished(&self, command: Option<&str>) -> Result<(), StoreError> {
        self.inner().set_unfinished(command).await
    }

    async fn put_snapshot(&self, realm: &str, meta: &SnapshotMeta, state: &[u8]) -> Result<(), StoreError> {
        self.inner().put_snapshot(realm, meta, state).await
    }

    async fn snapshot(&self, realm: &str) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreError> {
        self.may_read()?;
        self.inner().snapshot(realm).await
    }

    async fn put_checkpoint(&self, realm: &str, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.inner().put_checkpoint(realm, checkpoint).await
    }

    async fn base(&self, realm: &str) -> Result<Option<Base>, StoreError> {
        self.may_read()?;
        self.inner().base(realm).await
    }

    async fn archive(&self, archiving: Archiving) -> Result<(), StoreError> {
        self.inner().archive(archiving).await
    }

    async fn unarchive(&self, unarchiving: Unarchiving) -> Result<(), StoreError> {
        self.inner().unarchive(unarchiving).await
    }

    async fn adopt_base(&self, realm: &str, base: BaseState) -> Result<Head, StoreError> {
        self.inner().adopt_base(realm, base).await
    }

    async fn adopt_values(
        &self,
        realm: &str,
        values: Vec<(Revision, Disclosure)>,
        owners: Vec<ArchivedValue>,
    ) -> Result<(), StoreError> {
        self.inner().adopt_values(realm, values, owners).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner().close().await
    }
}
