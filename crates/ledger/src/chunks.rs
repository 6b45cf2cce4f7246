//! State snapshots in pieces: 4 MiB of bytes, compressed, each with its checksum; the same for every store.

use crate::entry::Hash;
use crate::store::{SnapshotMeta, StoreError};

/// Uncompressed bytes in a piece; the last may be shorter.
pub(crate) const PIECE: usize = 4 << 20;

/// zstd's own default: a harder setting halves the speed and gains a few per cent.
const LEVEL: i32 = 3;

/// A piece as stored.
pub(crate) struct Chunk {
    /// BLAKE3 of the compressed bytes.
    pub(crate) checksum: [u8; 32],
    /// The compressed bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Compresses one piece.
pub(crate) fn pack(piece: &[u8]) -> Result<Chunk, StoreError> {
    let bytes = zstd::bulk::compress(piece, LEVEL)
        .map_err(|error| StoreError::Unavailable(format!("cannot compress a state snapshot: {error}")))?;
    Ok(Chunk { checksum: *blake3::hash(&bytes).as_bytes(), bytes })
}

/// How many pieces so many bytes make.
pub(crate) fn count(length: usize) -> usize {
    length.div_ceil(PIECE)
}

/// Whether what the caller hands in fits together.
pub(crate) fn check(meta: &SnapshotMeta, state: &[u8]) -> Result<(), StoreError> {
    if u64::try_from(state.len()) == Ok(meta.length) {
        Ok(())
    } else {
        Err(StoreError::Invalid("the length of the state snapshot is not that of its bytes".to_owned()))
    }
}

/// The snapshot is older than an erasure, or was removed by one while it was being stored.
pub(crate) fn overtaken() -> StoreError {
    StoreError::Invalid("an erasure overtook this state snapshot; make a new one".to_owned())
}

/// Puts pieces together again; none of it is trusted.
pub(crate) struct Joiner {
    left: usize,
    state: Vec<u8>,
}

impl Joiner {
    pub(crate) fn new(meta: &SnapshotMeta) -> Option<Self> {
        // The room is taken piece by piece: a damaged length must not make us ask for more memory than there is.
        Some(Self { left: usize::try_from(meta.length).ok()?, state: Vec::new() })
    }

    /// Takes the next piece; `None` when it is damaged.
    pub(crate) fn push(&mut self, checksum: &[u8], bytes: &[u8]) -> Option<()> {
        if blake3::hash(bytes).as_bytes().as_slice() != checksum {
            return None;
        }
        let expected = self.left.min(PIECE);
        let piece = zstd::bulk::decompress(bytes, expected).ok()?;
        if piece.len() != expected {
            return None;
        }
        self.left = self.left.checked_sub(piece.len())?;
        self.state.extend_from_slice(&piece);
        Some(())
    }

    /// The bytes, if all of them came.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (self.left == 0).then_some(self.state)
    }
}

/// A hash as it stands in a column.
pub(crate) fn hash_column(bytes: Vec<u8>) -> Option<Hash> {
    <[u8; 32]>::try_from(bytes).ok().map(Hash)
}
