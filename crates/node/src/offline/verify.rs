//! Whether a realm's ledger is what was written.

use std::sync::Arc;

use grantd_ledger::chain::{Broken, ChainVerifier};
use grantd_ledger::entry::{Hash, Revision};
use grantd_ledger::store::{Checkpoint, Head, SnapshotMeta, Store, StoreError};
use grantd_realm::State;
use grantd_realm::codec::CodecError;
use grantd_realm::engine::Schema;
use grantd_realm::snapshot::FORMAT;

use super::walk::Walk;
use crate::entry::{FoldError, fold};

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where the walk ended: at the ledger's head, or before the first thing that is wrong.
    pub head: Head,
    /// Hash of the state there.
    pub state_hash: Hash,
    /// How many personal and free-text values were erased.
    pub erased: u64,
    /// How many checkpoints were compared.
    pub checkpoints: usize,
    /// The first thing that is wrong, if any.
    pub problem: Option<Problem>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub revision: Revision,
    /// What, as a sentence.
    pub what: String,
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        Self { revision: broken.revision, what: broken.to_string() }
    }
}

/// Why nothing can be said about a ledger.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It holds changes that this program does not know.
    #[error(transparent)]
    Unknown(FoldError),
}

/// Walks a realm's ledger from its first entry: hashes, chain, commitments, the stored head, the stored checkpoints and
/// those that somebody kept, the fold, and the state snapshot. Works beside a running server; entries that come in the
/// meantime are not looked at.
pub async fn verify(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    kept: &[Checkpoint],
) -> Result<Verified, VerifyError> {
    // Before the head: what is signed meanwhile lies behind it.
    let mut checkpoints = store.checkpoints(realm).await?;
    checkpoints.extend_from_slice(kept);
    checkpoints.sort_by_key(|checkpoint| checkpoint.revision);
    let head = store.head(realm).await?;
    let snapshot = store.snapshot(realm).await?.filter(|(meta, _)| meta.revision <= head.revision);
    let mut verifier =
        Verifier { chain: ChainVerifier::new(), state: State::empty(schema.clone()), compared: 0 };
    let problem = match verifier.walk(store, realm, &head, &checkpoints, snapshot.as_ref(), &schema).await {
        Ok(()) => None,
        Err(Stop::Broken(problem)) => Some(problem),
        Err(Stop::Error(error)) => return Err(error),
    };
    let state_hash = Hash(verifier.state.hash());
    let reached = verifier.chain.head().unwrap_or(Head::empty(head.ledger_id));
    let erased = verifier.chain.finish().erased;
    Ok(Verified { head: reached, state_hash, erased, checkpoints: verifier.compared, problem })
}

/// Why a walk ended early.
enum Stop {
    Broken(Problem),
    Error(VerifyError),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken.into())
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

struct Verifier {
    chain: ChainVerifier,
    state: State,
    compared: usize,
}

type Snapshot = (SnapshotMeta, Vec<u8>);

impl Verifier {
    async fn walk(
        &mut self,
        store: &dyn Store,
        realm: &str,
        head: &Head,
        checkpoints: &[Checkpoint],
        snapshot: Option<&Snapshot>,
        schema: &Arc<Schema>,
    ) -> Result<(), Stop> {
        let mut walk = Walk::up_to(head.revision, store, realm);
        let mut checkpoints = checkpoints.iter().peekable();
        while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.revision == 0) {
            self.compare(checkpoint)?;
        }
        loop {
            let disclosed = match walk.next().await {
                Ok(Some(disclosed)) => disclosed,
                Ok(None) => break,
                Err(StoreError::Damaged(what)) => return Err(self.broken_next(&what)),
                Err(error) => return Err(error.into()),
            };
            self.chain.push(&disclosed)?;
            fold(&mut self.state, &disclosed).map_err(stopped)?;
            let revision = disclosed.entry.revision;
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.revision == revision) {
                self.compare(checkpoint)?;
            }
            if let Some(snapshot) = snapshot.filter(|(meta, _)| meta.revision == revision) {
                self.compare_snapshot(snapshot, schema)?;
            }
            if revision.is_multiple_of(1_000) {
                self.state.tidy();
            }
        }
        self.chain.check_head(head)?;
        checkpoints.try_for_each(|checkpoint| self.compare(checkpoint))?;
        self.nothing_beyond(store, realm, head).await
    }

    /// A store writes an entry and its head in one transaction, so that an entry which the head does not know was put there
    /// otherwise, or the head was put back.
    async fn nothing_beyond(&self, store: &dyn Store, realm: &str, head: &Head) -> Result<(), Stop> {
        match store.entries(realm, head.revision, 1).await {
            Ok(beyond) if beyond.is_empty() => return Ok(()),
            Ok(_) => {}
            Err(StoreError::Damaged(what)) => return Err(self.broken_next(&what)),
            Err(error) => return Err(error.into()),
        }
        if store.head(realm).await?.revision > head.revision {
            return Ok(());
        }
        Err(self.broken_next("the stored head does not know this entry"))
    }

    /// The entry after the last good one is wrong.
    fn broken_next(&self, what: &str) -> Stop {
        let revision = self.chain.head().map_or(0, |head| head.revision) + 1;
        Stop::Broken(Problem {
            revision,
            what: format!("the ledger is broken at revision {revision}: {what}"),
        })
    }

    fn compare(&mut self, checkpoint: &Checkpoint) -> Result<(), Stop> {
        self.chain.check_checkpoint(checkpoint)?;
        if checkpoint.state_hash != Hash(self.state.hash()) {
            let revision = checkpoint.revision;
            return Err(Stop::Broken(Problem {
                revision,
                what: format!(
                    "the state at revision {revision} is not the one that the checkpoint was signed for"
                ),
            }));
        }
        self.compared += 1;
        Ok(())
    }

    /// A server starts from the snapshot and would believe it. One of another form is not used and not looked at.
    fn compare_snapshot(&self, (meta, bytes): &Snapshot, schema: &Arc<Schema>) -> Result<(), Stop> {
        if meta.format != FORMAT {
            return Ok(());
        }
        let held = State::from_snapshot(bytes, schema.clone()).map(|state| state.hash());
        if held == Ok(self.state.hash()) {
            return Ok(());
        }
        let revision = meta.revision;
        let what = format!("the state snapshot of revision {revision} is not what the entries make");
        Err(Stop::Broken(Problem { revision, what }))
    }
}

/// A change of a kind that is not known here says nothing about the ledger; one that does not fit does.
fn stopped(error: FoldError) -> Stop {
    match error {
        FoldError::Unreadable { problem: CodecError::Unknown { .. }, .. } => {
            Stop::Error(VerifyError::Unknown(error))
        }
        FoldError::Unreadable { revision, .. } => Stop::Broken(Problem { revision, what: error.to_string() }),
        FoldError::Misfit(misfit) => {
            Stop::Broken(Problem { revision: misfit.revision, what: misfit.to_string() })
        }
    }
}
