//! Where a ledger begins, once its first entries were taken out of the store into an archive.
//!
//! A base is the head after the last of these entries, signed as a checkpoint, with the state there. From it the entries
//! that are left can be verified and folded. Its state holds no personal values: they stay in the store beside the
//! entries' place, where an erasure finds them.

use crate::chunks::Joiner;
use crate::entry::{Entry, Hash, LedgerId, Micros, Revision};
use crate::store::{Checkpoint, Head, SnapshotMeta, StoreError};

/// The head after the last archived entry, and what was signed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Of the last archived entry.
    pub head: Head,
    /// Hash of the state there.
    pub state_hash: Hash,
    /// When it was signed.
    pub signed: Micros,
    /// Ed25519 public key.
    pub public_key: [u8; 32],
    /// Ed25519 signature over [`Checkpoint::message`].
    pub signature: [u8; 64],
    /// Form of the state's bytes, chosen by the realm crate.
    pub format: u32,
}

impl Base {
    /// The base that a checkpoint of this very head was signed for.
    #[must_use]
    pub fn new(head: Head, checkpoint: &Checkpoint, format: u32) -> Self {
        let Checkpoint { state_hash, time, public_key, signature, .. } = *checkpoint;
        Self { head, state_hash, signed: time, public_key, signature, format }
    }

    /// The checkpoint that was signed for it. Everything in it is the base's own, so that its signature vouches for both.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            ledger_id: self.head.ledger_id,
            revision: self.head.revision,
            head_hash: self.head.hash,
            state_hash: self.state_hash,
            time: self.signed,
            public_key: self.public_key,
            signature: self.signature,
        }
    }
}

/// A base with the state there, in the realm's binary form and without personal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseState {
    /// The base.
    pub base: Base,
    /// The state's bytes.
    pub state: Vec<u8>,
}

/// A personal value that stayed in the store when its entry was archived, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchivedValue {
    /// The entry's revision.
    pub revision: Revision,
    /// Its slot.
    pub slot: u32,
    /// Whose: an object such as `user:alice`, in the realm's own words. A value may have several owners.
    pub owner: String,
    /// A reason that the owner gave, instead of something about the owner.
    pub is_reason: bool,
}

/// To take entries out of a ledger. They must be elsewhere already, on stable storage.
#[derive(Clone, Debug)]
pub struct Archiving {
    /// Which realm's ledger.
    pub realm: String,
    /// Revision of the base that there is, 0 without one. Compared and set.
    pub from: Revision,
    /// The new base: the entries up to it go.
    pub to: BaseState,
    /// Whose the values are that stay, so that they can be found without the entries.
    pub values: Vec<ArchivedValue>,
}

/// To put entries back into a ledger.
pub struct Unarchiving {
    /// Which realm's ledger.
    pub realm: String,
    /// Revision of the base that there is. Compared and set.
    pub from: Revision,
    /// The base afterwards; none when the whole ledger is there again.
    pub to: Option<BaseState>,
    /// The entries in between, in order; the last is the one that the present base stands at.
    pub entries: Box<dyn Iterator<Item = Result<Entry, StoreError>> + Send>,
}

/// What reading answers below the base.
pub(crate) fn archived(base: Revision) -> StoreError {
    StoreError::Archived { first: base.saturating_add(1) }
}

/// Somebody else archived, or put back, meanwhile.
pub(crate) fn moved() -> StoreError {
    StoreError::Invalid("the base of the ledger was moved meanwhile; run the command again".to_owned())
}

/// The entries between two bases are not all there.
pub(crate) fn incomplete() -> StoreError {
    StoreError::Damaged("the entries up to the base are not all there, or are others".to_owned())
}

/// The state at a base is not what was written.
pub(crate) fn damaged_state() -> StoreError {
    StoreError::Damaged(
        "the state at the base of the ledger; `grantd ledger unarchive` puts the entries back that it was made of"
            .to_owned(),
    )
}

/// A base as a row of its table, which nobody has vouched for.
pub(crate) struct BaseRow {
    pub(crate) revision: i64,
    pub(crate) ledger_id: Vec<u8>,
    pub(crate) hash: Vec<u8>,
    pub(crate) time: Micros,
    pub(crate) state_hash: Vec<u8>,
    pub(crate) signed: Micros,
    pub(crate) public_key: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) format: i64,
    pub(crate) length: i64,
    pub(crate) chunks: i64,
}

impl BaseRow {
    /// The base, if every field can be one.
    pub(crate) fn base(&self) -> Result<Base, StoreError> {
        let unfit = || StoreError::Damaged("the base of the ledger has a field that cannot be".to_owned());
        let read = || {
            Some(Base {
                head: Head {
                    ledger_id: LedgerId(uuid::Uuid::from_slice(&self.ledger_id).ok()?),
                    revision: u64::try_from(self.revision).ok()?,
                    hash: Hash(self.hash.as_slice().try_into().ok()?),
                    time: self.time,
                },
                state_hash: Hash(self.state_hash.as_slice().try_into().ok()?),
                signed: self.signed,
                public_key: self.public_key.as_slice().try_into().ok()?,
                signature: self.signature.as_slice().try_into().ok()?,
                format: u32::try_from(self.format).ok()?,
            })
        };
        read().ok_or_else(unfit)
    }

    /// Puts the pieces of its state together.
    pub(crate) fn joiner(&self) -> Result<(Base, Joiner), StoreError> {
        let base = self.base()?;
        let meta = SnapshotMeta {
            format: base.format,
            revision: base.head.revision,
            head_hash: base.head.hash,
            state_hash: base.state_hash,
            length: u64::try_from(self.length).map_err(|_| damaged_state())?,
        };
        let joiner = Joiner::new(&meta).ok_or_else(damaged_state)?;
        Ok((base, joiner))
    }
}
