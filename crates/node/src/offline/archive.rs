//! Entries taken out of a ledger into a file, behind a signed checkpoint.
//!
//! Order matters: the file is whole, on stable storage and was read back before the store lets go of anything, and the
//! store lets go of all entries in one transaction. Whatever happens in between, the command can be run again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::base::{ArchivedValue, Archiving, Base, BaseState};
use grantd_ledger::chain::{Broken, ChainVerifier};
use grantd_ledger::checkpoint::CheckpointError;
use grantd_ledger::entry::{Hash, Revision};
use grantd_ledger::seal::MasterKey;
use grantd_ledger::store::{Checkpoint, Head, Store, StoreError};
use grantd_realm::State;
use grantd_realm::engine::Schema;
use grantd_realm::snapshot::FORMAT;

use super::archive_file::{ArchiveFileError, NewFile, Whole};
use super::checkpoint::signer;
use super::owners::owned_values;
use super::verify::{Evidence, VerifyError, verify_with};
use super::walk::Walk;
use crate::entry::{FoldError, fold};
use crate::load::{LoadError, read_base};

/// What was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The first entry in the file.
    pub first: Revision,
    /// The last one: the base that the ledger begins behind now.
    pub last: Revision,
    /// The signed checkpoint of the last one. Whoever keeps it can tell later whether the file or the ledger is another.
    pub checkpoint: Checkpoint,
    /// The entries were out of the ledger already; nothing was done.
    pub already: bool,
}

/// Why nothing was archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFailed {
    /// The ledger cannot be read.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// What is broken is not put away.
    #[error("nothing was archived: {0}")]
    Broken(String),
    /// No entry is before it.
    #[error("the ledger has no entry before revision {before}; it begins with revision {first}")]
    NothingBefore {
        /// What was asked for.
        before: Revision,
        /// The first entry there is.
        first: Revision,
    },
    /// It does not go so far.
    #[error("the ledger ends with revision {last}; at most everything before revision {} can be archived", .last + 1)]
    Beyond {
        /// The last entry.
        last: Revision,
    },
    /// Something else is there.
    #[error("`{0}` is there already and is not this archive; choose another name")]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] ArchiveFileError),
    /// The checkpoint cannot be signed.
    #[error(transparent)]
    Signer(#[from] CheckpointError),
    /// The state cannot be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An entry cannot be read.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The store fails. Its words say if it is not known whether it was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Broken> for ArchiveFailed {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken.to_string())
    }
}

/// What to archive.
#[derive(Debug, Clone, Copy)]
pub struct Archival<'a> {
    /// The first entry that stays.
    pub before: Revision,
    /// The file to write.
    pub to: &'a Path,
    /// Public keys that may have signed what the ledger begins behind now, besides the one of the master key.
    pub signers: &'a [[u8; 32]],
}

/// Takes the entries before a revision out of the ledger and puts them into a file. Where other nodes append to the
/// store they go on meanwhile.
pub async fn archive(
    store: &dyn Store,
    realm: &str,
    schema: Arc<Schema>,
    master_key: &MasterKey,
    archival: Archival<'_>,
) -> Result<Archived, ArchiveFailed> {
    let Archival { before, to, signers } = archival;
    let signer = signer(master_key)?;
    let signers: Vec<_> = signers.iter().copied().chain([signer.public_key()]).collect();
    let present = store.base(realm).await?;
    let from = present.as_ref().map_or(0, |base| base.head.revision);
    let last = before.saturating_sub(1);
    if let Some(base) = present.filter(|_| last == from) {
        let first = first_of(to, realm, &base).unwrap_or(1);
        return Ok(Archived { first, last, checkpoint: base.checkpoint(), already: true });
    }
    if last <= from {
        return Err(ArchiveFailed::NothingBefore { before, first: from.saturating_add(1) });
    }
    let end = store.head(realm).await?.revision;
    if last > end {
        return Err(ArchiveFailed::Beyond { last: end });
    }
    let evidence = Evidence { signers: &signers, ..Evidence::default() };
    if let Some(problem) = verify_with(store, realm, schema.clone(), &evidence).await?.problem {
        return Err(ArchiveFailed::Broken(problem.what));
    }
    let begin = store.base_state(realm).await?;
    let sign = |head: Head, state_hash, time| {
        let signed = signer.sign(head.ledger_id, head.revision, head.hash, state_hash, time)?;
        Ok(Base::new(head, &signed, FORMAT))
    };
    let written = write(store, realm, &schema, begin, last, to, sign).await?;
    let Written { end, values } = written;
    let checkpoint = end.base.checkpoint();
    store.archive(Archiving { realm: realm.to_owned(), from, to: end, values }).await?;
    Ok(Archived { first: from.saturating_add(1), last, checkpoint, already: false })
}

/// The first entry of the file, if it is the archive that ends with this base.
fn first_of(path: &Path, realm: &str, base: &Base) -> Option<Revision> {
    let whole = Whole::read(path).ok().filter(|whole| whole.realm == realm && whole.end.base == *base)?;
    Some(whole.begin_head().map_or(1, |head| head.revision.saturating_add(1)))
}

/// What the store is told about a file that is whole.
struct Written {
    end: BaseState,
    values: Vec<ArchivedValue>,
}

/// Makes the file. One that an attempt before this left whole is taken as it is.
async fn write(
    store: &dyn Store,
    realm: &str,
    schema: &Arc<Schema>,
    begin: Option<BaseState>,
    last: Revision,
    to: &Path,
    sign: impl FnOnce(Head, Hash, i64) -> Result<Base, CheckpointError>,
) -> Result<Written, ArchiveFailed> {
    let found = to.exists().then(|| Whole::read(to)).transpose();
    let found = found.map_err(|_| ArchiveFailed::Exists(to.to_owned()))?;
    let mut file = match found {
        None => Some(NewFile::begin(to, realm, begin.as_ref())?),
        Some(_) => None,
    };
    let mut chain =
        begin.as_ref().map_or_else(ChainVerifier::new, |begin| ChainVerifier::after(begin.base.head));
    let after = begin.as_ref().map_or(0, |begin| begin.base.head.revision);
    let mut state = match &begin {
        Some(begin) => read_base(store, realm, begin.clone(), schema).await?,
        None => State::empty(schema.clone()),
    };
    let mut values = Vec::new();
    let mut walk = Walk::between(after, last, store, realm);
    while let Some(disclosed) = walk.next().await? {
        chain.push(&disclosed)?;
        fold(&mut state, &disclosed)?;
        values.extend(owned_values(&disclosed)?);
        if let Some((_, writer)) = &mut file {
            writer.push(&disclosed.entry).map_err(super::archive_file::about(to))?;
        }
        if disclosed.entry.revision.is_multiple_of(1_000) {
            state.tidy();
        }
    }
    let head = chain.head().filter(|head| head.revision == last);
    let head = head.ok_or_else(|| ArchiveFailed::Broken("the entries end too early".to_owned()))?;
    let state_hash = Hash(state.hash());
    let end = match (file, found) {
        (None, Some(found)) => {
            let end = &found.end.base;
            let same = found.realm == realm
                && found.begin_head() == begin.as_ref().map(|begin| begin.base.head)
                && (end.head, end.state_hash, end.format) == (head, state_hash, FORMAT);
            // Signed anew, the file would not say what the store says; so its own signature has to be ours.
            let ours = sign(head, state_hash, end.signed)?;
            if !same || ours.public_key != end.public_key {
                return Err(ArchiveFailed::Exists(to.to_owned()));
            }
            found.end
        }
        (file, _) => {
            let end = BaseState { base: sign(head, state_hash, store.now().await?)?, state: state.to_base() };
            if let Some((file, writer)) = file {
                file.finish(writer, &end)?;
            }
            end
        }
    };
    // As a server will read it.
    read_base(store, realm, end.clone(), schema).await?;
    Ok(Written { end, values })
}
