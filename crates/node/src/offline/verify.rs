//! Whether a realm's ledger is what was written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::archive::ArchiveError;
use grantd_ledger::base::{ArchivedValue, Base, BaseState};
use grantd_ledger::chain::{Broken, ChainVerifier};
use grantd_ledger::entry::{Disclosed, Hash, Revision};
use grantd_ledger::store::{Checkpoint, Head, SnapshotMeta, Store, StoreError};
use grantd_realm::State;
use grantd_realm::codec::CodecError;
use grantd_realm::engine::Schema;
use grantd_realm::snapshot::{FORMAT, can_read};

use super::archive_file::{ArchiveFileError, Reader, about, open};
use super::owners::owned_values;
use super::walk::Walk;
use crate::entry::{FoldError, fold};
use crate::load::{LoadError, read_base};

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
    /// What is in archives, if anything is.
    pub archived: Option<InArchives>,
    /// The first thing that is wrong, if any.
    pub problem: Option<Problem>,
}

/// What of a ledger is in archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InArchives {
    /// How many entries: the first so many of the ledger.
    pub entries: u64,
    /// How many of them were looked at, since the archives with them were given.
    pub looked_at: u64,
    /// Whose signature stands behind the rest: the public key of the checkpoint that the ledger begins behind.
    pub public_key: [u8; 32],
}

/// What there is to compare a ledger with, besides what its store says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// Checkpoints that somebody kept.
    pub checkpoints: &'a [Checkpoint],
    /// The archives with the entries that are no longer in the store, in order; their entries are looked at, too.
    pub archives: &'a [PathBuf],
    /// The public keys of which one must have signed what the ledger begins behind; empty: they are not known here.
    pub signers: &'a [[u8; 32]],
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
    /// The state that it begins behind cannot be used here.
    #[error(transparent)]
    Base(LoadError),
    /// An archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveFileError),
    /// An archive that does not belong where it was named.
    #[error("archive `{path}` {what}")]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// In which way.
        what: String,
    },
    /// A kept checkpoint that speaks of an entry that was not looked at.
    #[error(
        "the checkpoint is of revision {0}, whose entry is in an archive; name the archives with --archive"
    )]
    InArchive(Revision),
}

/// Walks a realm's ledger from its first entry: hashes, chain, commitments, the stored head, the stored checkpoints and
/// those that somebody kept, the fold, and the state snapshot. Where the first entries are in archives it begins with the
/// state behind them, once that is what was signed. Works beside a running server; entries that come in the meantime are not
/// looked at.
pub async fn verify(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    kept: &[Checkpoint],
) -> Result<Verified, VerifyError> {
    verify_with(store, realm, schema, &Evidence { checkpoints: kept, ..Evidence::default() }).await
}

/// The same, with archives and the key of the signatures.
pub async fn verify_with(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    evidence: &Evidence<'_>,
) -> Result<Verified, VerifyError> {
    // Before the head: what is signed meanwhile lies behind it.
    let mut checkpoints = store.checkpoints(realm).await?;
    checkpoints.extend_from_slice(evidence.checkpoints);
    checkpoints.sort_by_key(|checkpoint| checkpoint.revision);
    let head = store.head(realm).await?;
    let base = store.base(realm).await?;
    let snapshot = store.snapshot(realm).await?.filter(|(meta, _)| meta.revision <= head.revision);
    let mut verifier = Verifier {
        store,
        realm,
        schema: &schema,
        checkpoints: &checkpoints,
        snapshot: snapshot.as_ref(),
        chain: ChainVerifier::new(),
        state: State::empty(schema.clone()),
        began: 0,
        compared: 0,
    };
    let problem = match verifier.walk(&head, base.as_ref(), evidence).await {
        Ok(()) => None,
        Err(Stop::Broken(problem)) => Some(problem),
        Err(Stop::Error(error)) => return Err(error),
    };
    let archived = base.map(|base| InArchives {
        entries: base.head.revision,
        looked_at: base.head.revision.saturating_sub(verifier.began),
        public_key: base.public_key,
    });
    let state_hash = Hash(verifier.state.hash());
    let reached = verifier.chain.head().unwrap_or(Head::empty(head.ledger_id));
    let erased = verifier.chain.finish().erased;
    Ok(Verified { head: reached, state_hash, erased, checkpoints: verifier.compared, archived, problem })
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

impl From<ArchiveFileError> for Stop {
    fn from(error: ArchiveFileError) -> Self {
        Self::Error(error.into())
    }
}

struct Verifier<'a> {
    store: &'a dyn Store,
    realm: &'a str,
    schema: &'a Arc<Schema>,
    /// By revision; those that were compared, or cannot be, are taken off the front.
    checkpoints: &'a [Checkpoint],
    snapshot: Option<&'a Snapshot>,
    chain: ChainVerifier,
    state: State,
    /// The revision behind which the walk began.
    began: Revision,
    compared: usize,
}

type Snapshot = (SnapshotMeta, Vec<u8>);

/// What the store says of whose the values of archived entries are, by revision.
type Owners = std::iter::Peekable<std::vec::IntoIter<ArchivedValue>>;

impl Verifier<'_> {
    async fn walk(&mut self, head: &Head, base: Option<&Base>, evidence: &Evidence<'_>) -> Result<(), Stop> {
        self.walk_archives(base, evidence).await?;
        if let Some(base) = base {
            self.enter_base(base, head, evidence).await?;
        }
        self.skip_checkpoints(evidence)?;
        self.compare_here()?;
        let mut walk = Walk::between(self.revision(), head.revision, self.store, self.realm);
        loop {
            match walk.next().await {
                Ok(Some(disclosed)) => self.push(&disclosed)?,
                Ok(None) => break,
                Err(StoreError::Damaged(what)) => return Err(self.broken_next(&what)),
                Err(error) => return Err(error.into()),
            }
        }
        self.chain.check_head(head)?;
        while let Some(checkpoint) = self.next_checkpoint(Revision::MAX) {
            self.compare(checkpoint)?;
        }
        self.nothing_beyond(head).await
    }

    /// The revision that was reached.
    fn revision(&self) -> Revision {
        self.chain.head().map_or(0, |head| head.revision)
    }

    fn push(&mut self, disclosed: &Disclosed) -> Result<(), Stop> {
        self.chain.push(disclosed)?;
        fold(&mut self.state, disclosed).map_err(stopped)?;
        if self.revision().is_multiple_of(1_000) {
            self.state.tidy();
        }
        self.compare_here()
    }

    /// Compares what speaks of the revision that was reached.
    fn compare_here(&mut self) -> Result<(), Stop> {
        while let Some(checkpoint) = self.next_checkpoint(self.revision()) {
            self.compare(checkpoint)?;
        }
        match self.snapshot.filter(|(meta, _)| meta.revision == self.revision() && meta.revision > 0) {
            Some(snapshot) => self.compare_snapshot(snapshot),
            None => Ok(()),
        }
    }

    fn next_checkpoint<'c>(&mut self, at_most: Revision) -> Option<&'c Checkpoint>
    where
        Self: 'c,
    {
        let (first, rest) = self.checkpoints.split_first()?;
        if first.revision > at_most {
            return None;
        }
        self.checkpoints = rest;
        Some(first)
    }

    /// Those that speak of entries which nobody looks at say nothing; one that somebody kept is not passed over in silence.
    fn skip_checkpoints(&mut self, evidence: &Evidence<'_>) -> Result<(), Stop> {
        let began = self.began;
        let is_before = |checkpoint: &&Checkpoint| checkpoint.revision < began;
        if let Some(kept) = evidence.checkpoints.iter().find(is_before) {
            return Err(Stop::Error(VerifyError::InArchive(kept.revision)));
        }
        let before = self.checkpoints.iter().take_while(is_before).count();
        self.checkpoints = self.checkpoints.get(before..).unwrap_or_default();
        Ok(())
    }

    /// The entries in the archives that were given.
    async fn walk_archives(&mut self, base: Option<&Base>, evidence: &Evidence<'_>) -> Result<(), Stop> {
        if evidence.archives.is_empty() {
            return Ok(());
        }
        let last = base.map_or(0, |base| base.head.revision);
        let mut owners: Owners = self.store.archived_values(self.realm, None).await?.into_iter().peekable();
        for (index, path) in evidence.archives.iter().enumerate() {
            match self.walk_archive(index, path, last, &mut owners, evidence).await {
                // What was changed in a file may look like anything: its digest decides.
                Err(Stop::Error(error)) => return Err(self.damage(path).unwrap_or(Stop::Error(error))),
                walked => walked?,
            }
        }
        if self.revision() < last {
            let what = format!(
                "is the last one named, and the store begins behind revision {last}; name the others, too"
            );
            let path = evidence.archives.last().cloned().unwrap_or_default();
            return Err(Stop::Error(VerifyError::Misplaced { path, what }));
        }
        Ok(())
    }

    async fn walk_archive(
        &mut self,
        index: usize,
        path: &Path,
        last: Revision,
        owners: &mut Owners,
        evidence: &Evidence<'_>,
    ) -> Result<(), Stop> {
        let mut reader = open(path)?;
        let misplaced = |what: String| Stop::Error(VerifyError::Misplaced { path: path.to_owned(), what });
        if reader.realm() != self.realm {
            return Err(misplaced(format!("is of realm `{}`", reader.realm())));
        }
        let begin = reader.begin().cloned();
        let behind = begin.as_ref().map_or(0, |begin| begin.base.head.revision);
        if behind >= last {
            return Err(misplaced("has entries that are in the store, too; leave it out".to_owned()));
        }
        match &begin {
            Some(begin) if index == 0 => self.begin_with(begin.clone(), evidence).await?,
            Some(begin) if self.chain.head() == Some(begin.base.head) => {}
            None if index == 0 => {}
            _ if behind != self.revision() => {
                let reached = self.revision();
                return Err(misplaced(format!(
                    "begins behind revision {behind}, and the one before it ends with {reached}; name them in order"
                )));
            }
            _ => {
                return Err(self.broken_here(&format!("archive `{}` is of another ledger", path.display())));
            }
        }
        if index == 0 {
            self.skip_checkpoints(evidence)?;
            self.compare_here()?;
        }
        self.walk_entries(path, &mut reader, owners).await?;
        let end = reader.finish().map_err(about(path)).map_err(|error| self.unreadable(error))?;
        self.check_base(&end.base, evidence)?;
        if self.revision() > last {
            return Err(misplaced("has entries that are in the store, too; leave it out".to_owned()));
        }
        Ok(())
    }

    /// Says that an archive is broken, if it is.
    fn damage(&self, path: &Path) -> Option<Stop> {
        let whole = open(path).and_then(|reader| reader.finish().map_err(about(path)));
        let damage = |error: &ArchiveFileError| matches!(error.error, ArchiveError::Damaged(_));
        whole.err().filter(damage).map(|error| self.unreadable(error))
    }

    async fn walk_entries(
        &mut self,
        path: &Path,
        reader: &mut Reader,
        owners: &mut Owners,
    ) -> Result<(), Stop> {
        loop {
            let mut page = Vec::new();
            while page.len() < PAGE {
                match reader.next_entry() {
                    Ok(Some(entry)) => page.push(Disclosed { entry, disclosures: Vec::new() }),
                    Ok(None) => break,
                    Err(error) => return Err(self.unreadable(about(path)(error))),
                }
            }
            let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
            let between = (first.entry.revision.saturating_sub(1), last.entry.revision);
            let values = self.store.disclosures(self.realm, between.0, between.1).await?;
            let mut values = values.into_iter().peekable();
            for mut disclosed in page {
                let revision = disclosed.entry.revision;
                while let Some((_, value)) = values.next_if(|(at, _)| *at <= revision) {
                    disclosed.disclosures.push(value);
                }
                self.push(&disclosed)?;
                self.check_owners(&disclosed, owners)?;
            }
        }
    }

    /// An erasure finds the values of an archived entry only by what stands beside them.
    fn check_owners(&self, disclosed: &Disclosed, owners: &mut Owners) -> Result<(), Stop> {
        let revision = disclosed.entry.revision;
        let mut expected = owned_values(disclosed).map_err(stopped)?;
        expected.sort_unstable();
        expected.dedup();
        let mut found = Vec::new();
        while let Some(value) = owners.next_if(|value| value.revision <= revision) {
            found.extend(Some(value).filter(|value| value.revision == revision));
        }
        found.sort_unstable();
        if found == expected {
            return Ok(());
        }
        Err(self.broken_here(&format!(
            "the store does not say whose the values of the archived revision {revision} are"
        )))
    }

    /// A damaged archive is broken; one that cannot be read says nothing.
    fn unreadable(&self, error: ArchiveFileError) -> Stop {
        match error.error {
            ArchiveError::Damaged(_) => self.broken_next(&error.to_string()),
            _ => error.into(),
        }
    }

    /// Begins with a base, once its state is the one that was signed.
    async fn begin_with(&mut self, begin: BaseState, evidence: &Evidence<'_>) -> Result<(), Stop> {
        let base = begin.base.clone();
        check_signature(&base, evidence)?;
        let read = read_base(self.store, self.realm, begin, self.schema).await;
        self.state = read.map_err(|error| unusable(&base, error))?;
        self.chain = ChainVerifier::after(base.head);
        self.began = base.head.revision;
        Ok(())
    }

    /// What the store's ledger begins with, be it that everything before it was looked at or not.
    async fn enter_base(&mut self, base: &Base, head: &Head, evidence: &Evidence<'_>) -> Result<(), Stop> {
        let revision = base.head.revision;
        if revision > head.revision {
            let what =
                format!("the ledger begins behind revision {revision}, which the stored head does not know");
            return Err(Stop::Broken(Problem { revision, what }));
        }
        let found = match self.store.base_state(self.realm).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                return Err(StoreError::Unavailable("the archive was put back meanwhile".into()).into());
            }
            Err(error) => return Err(unusable(base, error.into())),
        };
        if evidence.archives.is_empty() {
            return self.begin_with(found, evidence).await;
        }
        self.check_base(base, evidence)?;
        // Its state is what a server begins with, whatever the archives say.
        read_base(self.store, self.realm, found, self.schema).await.map_err(|error| unusable(base, error))?;
        Ok(())
    }

    /// Compares a base with what was reached.
    fn check_base(&self, base: &Base, evidence: &Evidence<'_>) -> Result<(), Stop> {
        check_signature(base, evidence)?;
        let revision = base.head.revision;
        if self.chain.head() != Some(base.head) {
            return Err(
                self.broken_here(&format!("the entries do not lead to the base at revision {revision}"))
            );
        }
        if base.state_hash != Hash(self.state.hash()) {
            return Err(self.broken_here(&format!(
                "the state at the base, revision {revision}, is not what the entries make"
            )));
        }
        Ok(())
    }

    /// A store writes an entry and its head in one transaction, so that an entry which the head does not know was put there
    /// otherwise, or the head was put back.
    async fn nothing_beyond(&self, head: &Head) -> Result<(), Stop> {
        match self.store.entries(self.realm, head.revision, 1).await {
            Ok(beyond) if beyond.is_empty() => return Ok(()),
            Ok(_) => {}
            Err(StoreError::Damaged(what)) => return Err(self.broken_next(&what)),
            Err(error) => return Err(error.into()),
        }
        if self.store.head(self.realm).await?.revision > head.revision {
            return Ok(());
        }
        Err(self.broken_next("the stored head does not know this entry"))
    }

    /// The entry after the last good one is wrong.
    fn broken_next(&self, what: &str) -> Stop {
        let revision = self.revision() + 1;
        Stop::Broken(Problem {
            revision,
            what: format!("the ledger is broken at revision {revision}: {what}"),
        })
    }

    /// What was reached is not what it should be.
    fn broken_here(&self, what: &str) -> Stop {
        Stop::Broken(Problem { revision: self.revision(), what: what.to_owned() })
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
    fn compare_snapshot(&self, (meta, bytes): &Snapshot) -> Result<(), Stop> {
        if meta.format != FORMAT {
            return Ok(());
        }
        let held = State::from_snapshot(bytes, self.schema.clone()).map(|state| state.hash());
        if held == Ok(meta.state_hash.0) && meta.state_hash.0 == self.state.hash() {
            return Ok(());
        }
        let revision = meta.revision;
        let what = format!("the state snapshot of revision {revision} is not what the entries make");
        Err(Stop::Broken(Problem { revision, what }))
    }
}

/// How many entries of an archive are looked at together.
const PAGE: usize = 1_000;

fn check_signature(base: &Base, evidence: &Evidence<'_>) -> Result<(), Stop> {
    let revision = base.head.revision;
    let what = if base.checkpoint().verify().is_err() {
        "does not have the signature of its checkpoint"
    } else if !evidence.signers.is_empty() && !evidence.signers.contains(&base.public_key) {
        "was signed with another key than the one that follows from the master key (if that was replaced since, name the \
         public key of before)"
    } else {
        return Ok(());
    };
    Err(Stop::Broken(Problem {
        revision,
        what: format!("the base of the ledger, revision {revision}, {what}"),
    }))
}

/// A base whose state is not the right one is broken; one that cannot be read says nothing.
fn unusable(base: &Base, error: LoadError) -> Stop {
    let revision = base.head.revision;
    match error {
        LoadError::Store(StoreError::Damaged(what)) => Stop::Broken(Problem { revision, what }),
        LoadError::Store(error) => error.into(),
        LoadError::Base { .. } if can_read(base.format) => {
            Stop::Broken(Problem { revision, what: error.to_string() })
        }
        error => Stop::Error(VerifyError::Base(error)),
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
