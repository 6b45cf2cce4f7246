//! The commitment to an erasable value, and the sealing of a draft behind a head.

use crate::entry::{Disclosure, Draft, Entry, Hash};
use crate::store::Head;

/// Keeps commitments apart from every other keyed use of BLAKE3. Never changes.
const COMMITMENT_DOMAIN: &[u8] = b"grantd ledger commitment, format 1\0";

/// `H(salt, value)`: BLAKE3 keyed with the salt.
#[must_use]
pub fn commit(salt: &[u8; 32], value: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(salt);
    hasher.update(COMMITMENT_DOMAIN);
    hasher.update(value);
    Hash(*hasher.finalize().as_bytes())
}

impl Disclosure {
    /// The commitment that the entry holds for this value.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        commit(&self.salt, &self.value)
    }
}

impl Draft {
    /// Places the draft behind `head`. Its time becomes the later of its own and the head's, so that time never runs
    /// backwards in a ledger.
    #[must_use]
    pub fn seal(self, head: &Head) -> (Entry, Vec<Disclosure>) {
        let (mut entry, disclosures) = self.into_unhashed(head);
        entry.hash = entry.computed_hash();
        (entry, disclosures)
    }

    /// The sealed entry, but for its hash.
    pub(crate) fn into_unhashed(self, head: &Head) -> (Entry, Vec<Disclosure>) {
        let entry = Entry {
            ledger_id: head.ledger_id,
            revision: head.revision.saturating_add(1),
            time: self.time.max(head.time),
            actor: self.actor,
            via: self.via,
            command_id: self.command_id,
            reason: self.reason,
            changes: self.changes,
            commitments: self.disclosures.iter().map(Disclosure::commitment).collect(),
            prev: head.hash,
            hash: Hash::default(),
        };
        (entry, self.disclosures)
    }
}
