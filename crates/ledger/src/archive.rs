//! The file of an archive: entries that were taken out of a ledger, byte for byte, between the base before and the base
//! that the ledger begins with from then on.
//!
//! ```text
//! "grantd archive 1\n" | realm s | 0, or 1 and base | entries: each u32 length > 0, bytes | u32 0 | base | digest 32
//! base: ledger_id 16 | revision u64 | hash 32 | time i64 | state_hash 32 | signed i64 | public_key 32 | signature 64
//!       | format u32 | length u64 | pieces: u32 count, each u32 length and that many bytes
//! ```
//!
//! Integers are big-endian. An entry's bytes are those of [`crate::codec`], a piece is a part of the state, compressed with
//! zstd, and the digest is BLAKE3 of everything before it. The file holds no personal values. That it is whole, its digest
//! says; that it is the ledger's, the chain of its entries and the signatures of its bases.

mod reader;
mod writer;

pub use reader::ArchiveReader;
pub use writer::ArchiveWriter;

/// Begins the file.
const MAGIC: &[u8] = b"grantd archive 1\n";

/// Keeps the digest apart from every other use of BLAKE3. Never changes.
const DIGEST_CONTEXT: &str = "grantd ledger archive, format 1";

/// Why a file is no archive that can be used. What is wrong is told without content.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is something else, or of a newer form.
    #[error("it is no archive that this program knows; use the grantd version that wrote it, or a newer one")]
    Unknown,
    /// It was cut short or changed.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
}

pub(crate) fn damaged(what: impl Into<String>) -> ArchiveError {
    ArchiveError::Damaged(what.into())
}
