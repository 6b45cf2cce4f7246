//! The binary form of an entry, the one that is stored and hashed.
//!
//! ```text
//! format u16 = 1 | ledger_id 16 | revision u64 | time i64 | actor s | via s | command_id 16
//! | reason: 0, or 1 and u32 | changes: u32 count, each kind u16, version u16, body b
//! | commitments: u32 count, each 32 | prev 32
//! ```
//!
//! Integers are big-endian and of fixed width, `s` and `b` are a u32 length and that many bytes. There is one
//! form for each entry: what decodes, encodes to the same bytes again. The hash is not part of the form, it is taken
//! over it.

mod reader;

use uuid::Uuid;

use crate::entry::{ChangeBytes, CommandId, Entry, Hash, LedgerId};
use reader::Reader;

/// The format that this program writes, and the only one it reads.
pub const FORMAT: u16 = 1;

/// Longest form of an entry, in bytes; a longer one is refused before it is written.
pub const MAX_ENTRY: usize = 64 << 20;

/// Keeps the hash of an entry apart from every other use of BLAKE3. Never changes.
const ENTRY_CONTEXT: &str = "grantd ledger entry, format 1";

/// Why bytes are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written in a form that this program does not know.
    #[error("entry format {0} is not known to this program; use a newer grantd")]
    Format(u16),
    /// The bytes end too early.
    #[error("the entry is cut short in `{0}`")]
    Short(&'static str),
    /// Bytes follow the entry.
    #[error("{0} bytes follow the end of the entry")]
    Trailing(usize),
    /// A text is not UTF-8.
    #[error("`{0}` is not UTF-8")]
    Text(&'static str),
    /// A field holds a value that no entry has.
    #[error("`{0}` is out of range")]
    Range(&'static str),
}

impl Entry {
    /// The canonical form; see the module.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bodies: usize = self.changes.iter().map(|change| change.body.len() + 8).sum();
        let fixed = 2 + 16 + 8 + 8 + 4 + 4 + 16 + 5 + 4 + 4 + 32;
        let mut out = Vec::with_capacity(
            fixed + self.actor.len() + self.via.len() + bodies + self.commitments.len() * 32,
        );
        out.extend_from_slice(&FORMAT.to_be_bytes());
        out.extend_from_slice(self.ledger_id.0.as_bytes());
        out.extend_from_slice(&self.revision.to_be_bytes());
        out.extend_from_slice(&self.time.to_be_bytes());
        put_bytes(&mut out, self.actor.as_bytes());
        put_bytes(&mut out, self.via.as_bytes());
        out.extend_from_slice(&self.command_id.0);
        match self.reason {
            None => out.push(0),
            Some(slot) => {
                out.push(1);
                out.extend_from_slice(&slot.to_be_bytes());
            }
        }
        put_length(&mut out, self.changes.len());
        for change in &self.changes {
            out.extend_from_slice(&change.kind.to_be_bytes());
            out.extend_from_slice(&change.version.to_be_bytes());
            put_bytes(&mut out, &change.body);
        }
        put_length(&mut out, self.commitments.len());
        for commitment in &self.commitments {
            out.extend_from_slice(&commitment.0);
        }
        out.extend_from_slice(&self.prev.0);
        out
    }

    /// Reads the canonical form, and nothing else, for any bytes whatever. [`Entry::hash`] is computed.
    ///
    /// # Errors
    /// Says which part is wrong; never with content.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let format = reader.u16("format")?;
        if format != FORMAT {
            return Err(DecodeError::Format(format));
        }
        let ledger_id = LedgerId(Uuid::from_bytes(reader.array("ledger_id")?));
        let revision = reader.u64("revision")?;
        let time = reader.i64("time")?;
        let actor = reader.text("actor")?;
        let via = reader.text("via")?;
        let command_id = CommandId(reader.array("command_id")?);
        let reason = match reader.u8("reason")? {
            0 => None,
            1 => Some(reader.u32("reason")?),
            _ => return Err(DecodeError::Range("reason")),
        };
        let changes = reader.list("changes", 8, |reader| {
            Ok(ChangeBytes {
                kind: reader.u16("kind")?,
                version: reader.u16("version")?,
                body: reader.bytes("body")?.to_vec(),
            })
        })?;
        let commitments = reader.list("commitments", 32, |reader| Ok(Hash(reader.array("commitments")?)))?;
        let prev = Hash(reader.array("prev")?);
        reader.end()?;

        if changes.is_empty() {
            return Err(DecodeError::Range("changes"));
        }
        if reason.is_some_and(|slot| usize::try_from(slot).map_or(true, |slot| slot >= commitments.len())) {
            return Err(DecodeError::Range("reason"));
        }
        let hash = hash_of(bytes);
        Ok(Self {
            ledger_id,
            revision,
            time,
            actor,
            via,
            command_id,
            reason,
            changes,
            commitments,
            prev,
            hash,
        })
    }

    /// The hash that this entry must have. Equal to [`Entry::hash`] unless somebody tampered.
    #[must_use]
    pub fn computed_hash(&self) -> Hash {
        hash_of(&self.encode())
    }
}

/// Hash of an entry in its canonical form.
#[must_use]
pub fn hash_of(encoded: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(ENTRY_CONTEXT);
    hasher.update(encoded);
    Hash(*hasher.finalize().as_bytes())
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// A length beyond u32 cannot reach here: `Plan` refuses entries over [`MAX_ENTRY`] by adding up their parts first.
fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}
