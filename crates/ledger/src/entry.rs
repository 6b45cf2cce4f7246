//! An entry: one durable step of a realm, and the hash that chains it to the step before.

use uuid::Uuid;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// A BLAKE3 hash.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Names one life of a ledger; a restore, a copy or a re-creation makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, std::hash::Hash, PartialOrd, Ord)]
pub struct LedgerId(pub Uuid);

/// Names one command for ever, so that a lost answer can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, std::hash::Hash, PartialOrd, Ord)]
pub struct CommandId(pub [u8; 16]);

/// The position of an entry in its ledger: 1 is the first, 0 the empty ledger.
pub type Revision = u64;

/// One change as the ledger sees it: what kind, in which version of that kind, and bytes it cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeBytes {
    /// Number of the kind; 0 is the ledger's own ("continued under a new id"), see [`CONTINUED`].
    pub kind: u16,
    /// Version of that kind's body.
    pub version: u16,
    /// The body, in the realm's binary form.
    pub body: Vec<u8>,
}

/// Kind of the ledger's own change: from this entry on the ledger has a new id; the body is the 16 bytes of
/// the previous one. Only a store writes it, as the first change of an entry.
pub const CONTINUED: u16 = 0;

impl ChangeBytes {
    /// The change that stands first in the first entry under a new id.
    #[must_use]
    pub fn continued(previous: LedgerId) -> Self {
        Self { kind: CONTINUED, version: 1, body: previous.0.as_bytes().to_vec() }
    }
}

/// A personal or free-text value that the hash covers only through its commitment, so that it can be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Index into the entry's [`Entry::commitments`].
    pub slot: u32,
    /// 32 random bytes, without which a short value could be guessed from its commitment.
    pub salt: [u8; 32],
    /// The value itself.
    pub value: Vec<u8>,
}

/// What a caller of [`crate::store::Store::append`] hands in: an entry not yet placed in the chain. The chain fields
/// (revision, prev, hash) follow from the head it is appended to, see [`Draft::seal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The store's clock when it was decided, never before the previous entry's.
    pub time: Micros,
    /// Who did it, in text form (`user:alice`, `api_key:<uuid>`, `system:bootstrap`).
    pub actor: String,
    /// Through which face (`freestyle`, `api`, `cli`).
    pub via: String,
    /// The command it came from.
    pub command_id: CommandId,
    /// Slot of the caller's reason among the commitments, if one was given.
    pub reason: Option<u32>,
    /// The changes, in order; at least one (none only in the first draft of an append that sets
    /// [`crate::store::Append::continue_as`], which gets its change from the store).
    pub changes: Vec<ChangeBytes>,
    /// The values behind the commitments, slots ascending from 0 without a gap.
    pub disclosures: Vec<Disclosure>,
}

/// One entry, in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id of the ledger when this was written.
    pub ledger_id: LedgerId,
    /// Its position.
    pub revision: Revision,
    /// See [`Draft::time`].
    pub time: Micros,
    /// See [`Draft::actor`].
    pub actor: String,
    /// See [`Draft::via`].
    pub via: String,
    /// See [`Draft::command_id`].
    pub command_id: CommandId,
    /// See [`Draft::reason`].
    pub reason: Option<u32>,
    /// See [`Draft::changes`].
    pub changes: Vec<ChangeBytes>,
    /// `H(salt, value)` of each personal or free-text field of the entry.
    pub commitments: Vec<Hash>,
    /// Hash of the entry before; all zero at revision 1.
    pub prev: Hash,
    /// Hash of everything above.
    pub hash: Hash,
}

/// An entry together with what is still known of its erasable values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// The entry.
    pub entry: Entry,
    /// Its values; one that was erased is missing here.
    pub disclosures: Vec<Disclosure>,
}
