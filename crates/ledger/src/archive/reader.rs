//! Reads an archive, entry by entry. None of it is trusted: any bytes give entries or an error, and no length in them is
//! believed before that many bytes have come.

use std::io::{ErrorKind, Read};

use super::{ArchiveError, DIGEST_CONTEXT, MAGIC, damaged};
use crate::base::{Base, BaseState};
use crate::chunks::{Joiner, count};
use crate::codec::MAX_ENTRY;
use crate::entry::{Entry, Hash, LedgerId};
use crate::store::{Head, SnapshotMeta};

/// Longest realm name, and longest compressed piece of a state, in bytes.
const MAX_REALM: usize = 255;
const MAX_PIECE: usize = 8 << 20;

/// Reads an archive from its beginning. Whether it is whole is known only after [`ArchiveReader::finish`].
pub struct ArchiveReader<R: Read> {
    input: R,
    hasher: blake3::Hasher,
    realm: String,
    begin: Option<BaseState>,
    /// The mark behind the last entry was read.
    ended: bool,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads what stands before the entries.
    ///
    /// # Errors
    /// [`ArchiveError::Unknown`] when it is no archive.
    pub fn new(input: R) -> Result<Self, ArchiveError> {
        let hasher = blake3::Hasher::new_derive_key(DIGEST_CONTEXT);
        let mut reader = Self { input, hasher, realm: String::new(), begin: None, ended: false };
        match reader.bytes(MAGIC.len()) {
            Ok(magic) if magic == MAGIC => {}
            Ok(_) | Err(ArchiveError::Damaged(_)) => return Err(ArchiveError::Unknown),
            Err(error) => return Err(error),
        }
        let realm = reader.sized(MAX_REALM, "the realm's name")?;
        reader.realm = String::from_utf8(realm).map_err(|_| damaged("the realm's name is not UTF-8"))?;
        reader.begin = match reader.array::<1>()? {
            [0] => None,
            [1] => Some(reader.base()?),
            _ => return Err(damaged("what it begins behind cannot be read")),
        };
        Ok(reader)
    }

    /// The realm whose ledger it is of.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The base that the ledger had before; none when the archive has its first entry.
    #[must_use]
    pub fn begin(&self) -> Option<&BaseState> {
        self.begin.as_ref()
    }

    /// The next entry. It is decoded, and not yet compared with the one before.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] when there is something else.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        let bytes = self.sized(MAX_ENTRY + 1024, "an entry")?;
        if bytes.is_empty() {
            self.ended = true;
            return Ok(None);
        }
        Entry::decode(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
    }

    /// Reads what is left, to the end, and gives the base that the ledger has from here on.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] when the file is not the one that was written.
    pub fn finish(mut self) -> Result<BaseState, ArchiveError> {
        while self.next_entry()?.is_some() {}
        let end = self.base()?;
        let expected = *self.hasher.finalize().as_bytes();
        let mut digest = [0; 32];
        self.input.read_exact(&mut digest).map_err(short)?;
        if digest != expected {
            return Err(damaged("it does not have its digest"));
        }
        match self.input.read(&mut [0]) {
            Ok(0) => Ok(end),
            Ok(_) => Err(damaged("something follows its end")),
            Err(error) => Err(error.into()),
        }
    }

    fn base(&mut self) -> Result<BaseState, ArchiveError> {
        let ledger_id = LedgerId(uuid::Uuid::from_bytes(self.array()?));
        let revision = u64::from_be_bytes(self.array()?);
        let hash = Hash(self.array()?);
        let time = i64::from_be_bytes(self.array()?);
        let state_hash = Hash(self.array()?);
        let signed = i64::from_be_bytes(self.array()?);
        let public_key = self.array()?;
        let signature = self.array()?;
        let format = u32::from_be_bytes(self.array()?);
        let length = u64::from_be_bytes(self.array()?);
        let pieces = u32::from_be_bytes(self.array()?);
        let unfit = || damaged("the state in it cannot be read");
        let whole = usize::try_from(length).map_err(|_| unfit())?;
        if u32::try_from(count(whole)) != Ok(pieces) {
            return Err(unfit());
        }
        let head = Head { ledger_id, revision, hash, time };
        let meta = SnapshotMeta { format, revision, head_hash: hash, state_hash, length };
        let mut joiner = Joiner::new(&meta).ok_or_else(unfit)?;
        for _ in 0..pieces {
            let piece = self.sized(MAX_PIECE, "a piece of the state")?;
            joiner.push(blake3::hash(&piece).as_bytes(), &piece).ok_or_else(unfit)?;
        }
        let state = joiner.finish().ok_or_else(unfit)?;
        let base = Base { head, state_hash, signed, public_key, signature, format };
        Ok(BaseState { base, state })
    }

    fn sized(&mut self, at_most: usize, what: &str) -> Result<Vec<u8>, ArchiveError> {
        let length = u32::from_be_bytes(self.array()?);
        match usize::try_from(length) {
            Ok(length) if length <= at_most => self.bytes(length),
            _ => Err(damaged(format!("{what} is too long"))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ArchiveError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(short)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        self.input.by_ref().take(wanted).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(damaged("it ends too early"));
        }
        self.hasher.update(&bytes);
        Ok(bytes)
    }
}

fn short(error: std::io::Error) -> ArchiveError {
    if error.kind() == ErrorKind::UnexpectedEof { damaged("it ends too early") } else { error.into() }
}
