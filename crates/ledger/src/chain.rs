//! Walks a ledger and finds the first thing in it that does not fit.

use crate::entry::{CONTINUED, ChangeBytes, Disclosed, Disclosure, Entry, Hash, LedgerId, Micros, Revision};
use crate::store::{Checkpoint, Head};

/// Checks the entries of one realm in order. What it says rests on nothing but the entries it was given.
#[derive(Debug, Default)]
pub struct ChainVerifier {
    head: Option<Head>,
    entries: u64,
    erased: u64,
}

/// What a walk found when nothing was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// Where they end; none when there are none.
    pub head: Option<Head>,
    /// How many erasable values are no longer there.
    pub erased: u64,
}

/// The first thing that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is broken at revision {revision}: {what}")]
pub struct Broken {
    /// Where.
    pub revision: Revision,
    /// What.
    pub what: Fault,
}

/// In which way an entry does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The content is not what the hash was taken of.
    #[error("the entry does not have its hash")]
    Hash,
    /// An entry lies between that is not here, or it stands at the wrong place.
    #[error("the entry found there has revision {found}")]
    Sequence {
        /// The revision of the entry that came.
        found: Revision,
    },
    /// It was not written behind the entry before it.
    #[error("the entry does not follow from the one before it")]
    Prev,
    /// The ledger's id changes without the change that may do so, or with a wrong one.
    #[error("the ledger id does not follow from the one before it")]
    LedgerId,
    /// It is earlier than the entry before it.
    #[error("the entry is earlier than the one before it")]
    Time,
    /// A value is not the one that was committed to.
    #[error("the value in slot {slot} is not the one that was committed to")]
    Commitment {
        /// Which one.
        slot: u32,
    },
    /// The ledger ends before the head or checkpoint that it is compared with.
    #[error("the entries end at revision {end}")]
    Truncated {
        /// The last revision that is there.
        end: Revision,
    },
    /// There are entries behind the stored head.
    #[error("the stored head does not know this entry")]
    BeyondHead,
    /// The stored head is another one than the last entry makes.
    #[error("the entry is not the one that the stored head names")]
    Head,
    /// A checkpoint signed for another entry.
    #[error("the entry is not the one that the checkpoint was signed for")]
    Checkpoint,
    /// A checkpoint whose signature is not that of its content.
    #[error("the signature of the checkpoint is wrong")]
    Signature,
}

impl ChainVerifier {
    /// Starts at the beginning of a ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts behind a head that is believed.
    #[must_use]
    pub fn after(head: Head) -> Self {
        Self { head: (head.revision > 0).then_some(head), ..Self::default() }
    }

    /// Checks the next entry.
    ///
    /// # Errors
    /// The first thing that does not fit. The verifier stays before that entry.
    pub fn push(&mut self, disclosed: &Disclosed) -> Result<(), Broken> {
        let entry = &disclosed.entry;
        let revision = self.head.map_or(0, |head| head.revision).saturating_add(1);
        let broken = |what| Err(Broken { revision, what });
        if entry.revision != revision {
            return broken(Fault::Sequence { found: entry.revision });
        }
        if entry.hash != entry.computed_hash() {
            return broken(Fault::Hash);
        }
        if entry.prev != self.head.map_or(Hash::default(), |head| head.hash) {
            return broken(Fault::Prev);
        }
        if entry.time < self.head.map_or(Micros::MIN, |head| head.time) {
            return broken(Fault::Time);
        }
        if !id_follows(self.head.map(|head| head.ledger_id), entry) {
            return broken(Fault::LedgerId);
        }
        if let Some(slot) = wrong_value(entry, &disclosed.disclosures) {
            return broken(Fault::Commitment { slot });
        }
        let known = u64::try_from(disclosed.disclosures.len()).unwrap_or(u64::MAX);
        let committed = u64::try_from(entry.commitments.len()).unwrap_or(u64::MAX);
        self.erased = self.erased.saturating_add(committed.saturating_sub(known));
        self.entries = self.entries.saturating_add(1);
        self.head = Some(Head::of(entry));
        Ok(())
    }

    /// Compares a checkpoint that speaks of the entry pushed last, or of one that never came. Call it after the entry of
    /// its revision, and for those left over after the last entry.
    ///
    /// # Errors
    /// A wrong signature, another entry at its revision, or a ledger that ends before it.
    pub fn check_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        let broken = |what| Err(Broken { revision: checkpoint.revision, what });
        if checkpoint.verify().is_err() {
            return broken(Fault::Signature);
        }
        let Some(head) = self.head.filter(|head| head.revision >= checkpoint.revision) else {
            return broken(Fault::Truncated { end: self.head.map_or(0, |head| head.revision) });
        };
        // Before the first entry there is nothing to compare with.
        let same = head.hash == checkpoint.head_hash && head.ledger_id == checkpoint.ledger_id;
        if head.revision == checkpoint.revision && !same {
            return broken(Fault::Checkpoint);
        }
        Ok(())
    }

    /// Compares the end of the walk with the head that the store has written down.
    ///
    /// # Errors
    /// When entries are missing at the end, or are there beyond it, or the last one is another.
    pub fn check_head(&self, stored: &Head) -> Result<(), Broken> {
        let end = self.head.map_or(0, |head| head.revision);
        let broken = |revision, what| Err(Broken { revision, what });
        if end < stored.revision {
            return broken(end.saturating_add(1), Fault::Truncated { end });
        }
        if end > stored.revision {
            return broken(stored.revision.saturating_add(1), Fault::BeyondHead);
        }
        match &self.head {
            Some(head) if head != stored => broken(end, Fault::Head),
            Some(_) | None => Ok(()),
        }
    }

    /// Where the walk is: the head after the last entry, or none.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// The end of the walk.
    #[must_use]
    pub fn finish(self) -> Report {
        Report { entries: self.entries, head: self.head, erased: self.erased }
    }
}

/// The id stays, unless the first change says that it follows on the previous one. The first entry of all may do so
/// too: a ledger can be restored before it has any.
fn id_follows(previous: Option<LedgerId>, entry: &Entry) -> bool {
    let mut changes = entry.changes.iter();
    let continues = changes.next().filter(|change| change.kind == CONTINUED);
    if changes.any(|change| change.kind == CONTINUED) {
        return false;
    }
    match (continues, previous) {
        (None, None) => true,
        (None, Some(previous)) => entry.ledger_id == previous,
        (Some(change), Some(previous)) => {
            *change == ChangeBytes::continued(previous) && entry.ledger_id != previous
        }
        (Some(change), None) => change.version == 1 && change.body.len() == 16,
    }
}

/// The slot of the first value that was not committed to, or that comes twice or out of order.
fn wrong_value(entry: &Entry, disclosures: &[Disclosure]) -> Option<u32> {
    let mut least = 0;
    for disclosure in disclosures {
        let committed = usize::try_from(disclosure.slot).ok().and_then(|slot| entry.commitments.get(slot));
        if disclosure.slot < least || committed != Some(&disclosure.commitment()) {
            return Some(disclosure.slot);
        }
        least = disclosure.slot.saturating_add(1);
    }
    None
}
