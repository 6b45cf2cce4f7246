//! Writes an archive, entry by entry.

use std::io::Write;

use super::{ArchiveError, DIGEST_CONTEXT, MAGIC, damaged};
use crate::base::BaseState;
use crate::chunks::{PIECE, count, pack};
use crate::entry::Entry;

/// Writes an archive. It is whole only after [`ArchiveWriter::finish`].
pub struct ArchiveWriter<W: Write> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins the archive of a realm, behind the base that its ledger has now.
    ///
    /// # Errors
    /// What writing meets.
    pub fn new(out: W, realm: &str, begin: Option<&BaseState>) -> Result<Self, ArchiveError> {
        let mut writer = Self { out, hasher: blake3::Hasher::new_derive_key(DIGEST_CONTEXT) };
        writer.put(MAGIC)?;
        writer.sized(realm.as_bytes())?;
        match begin {
            None => writer.put(&[0])?,
            Some(base) => {
                writer.put(&[1])?;
                writer.base(base)?;
            }
        }
        Ok(writer)
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// What writing meets.
    pub fn push(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        self.sized(&entry.encode())
    }

    /// Ends the archive with the base that the ledger will have, and gives back what was written to.
    ///
    /// # Errors
    /// What writing meets.
    pub fn finish(mut self, end: &BaseState) -> Result<W, ArchiveError> {
        self.put(&0_u32.to_be_bytes())?;
        self.base(end)?;
        self.out.write_all(self.hasher.finalize().as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn base(&mut self, BaseState { base, state }: &BaseState) -> Result<(), ArchiveError> {
        self.put(base.head.ledger_id.0.as_bytes())?;
        self.put(&base.head.revision.to_be_bytes())?;
        self.put(&base.head.hash.0)?;
        self.put(&base.head.time.to_be_bytes())?;
        self.put(&base.state_hash.0)?;
        self.put(&base.signed.to_be_bytes())?;
        self.put(&base.public_key)?;
        self.put(&base.signature)?;
        self.put(&base.format.to_be_bytes())?;
        self.put(&u64::try_from(state.len()).unwrap_or(u64::MAX).to_be_bytes())?;
        self.put(&u32::try_from(count(state.len())).unwrap_or(u32::MAX).to_be_bytes())?;
        for piece in state.chunks(PIECE) {
            let packed = pack(piece).map_err(|error| damaged(error.to_string()))?;
            self.sized(&packed.bytes)?;
        }
        Ok(())
    }

    fn sized(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let length = u32::try_from(bytes.len()).map_err(|_| damaged("a part is over 4 GiB"))?;
        self.put(&length.to_be_bytes())?;
        self.put(bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.hasher.update(bytes);
        Ok(self.out.write_all(bytes)?)
    }
}
