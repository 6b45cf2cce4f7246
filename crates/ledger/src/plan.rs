//! What an append will write, worked out before a store touches anything; the same for every store.

use std::collections::HashMap;

use crate::chain::ChainVerifier;
use crate::codec::{MAX_ENTRY, hash_of};
use crate::entry::{CONTINUED, ChangeBytes, Disclosed, Disclosure, Draft, Entry, Revision};
use crate::store::{Append, Head, RowWrite, SecretWrite, StoreError};

/// Longest realm name, in bytes.
const MAX_REALM: usize = 255;

/// An entry ready to be stored.
pub(crate) struct Placed {
    pub(crate) entry: Entry,
    pub(crate) bytes: Vec<u8>,
    pub(crate) disclosures: Vec<Disclosure>,
}

/// An append whose entries have their places in the chain.
pub(crate) struct Plan {
    pub(crate) realm: String,
    pub(crate) expected: Head,
    pub(crate) entries: Vec<Placed>,
    pub(crate) rows: Vec<RowWrite>,
    pub(crate) secrets: Vec<SecretWrite>,
    pub(crate) erase: Vec<(Revision, u32)>,
    /// The head afterwards.
    pub(crate) head: Head,
}

impl Plan {
    /// Places what is adopted and seals the drafts, one behind the other.
    pub(crate) fn of(append: Append) -> Result<Self, StoreError> {
        let Append { realm, expected, adopted, mut drafts, rows, secrets, erase, continue_as } = append;
        check_realm(&realm)?;
        if drafts.iter().any(|draft| draft.changes.iter().any(|change| change.kind == CONTINUED)) {
            return Err(invalid("change kind 0 belongs to the ledger; set `continue_as` instead"));
        }
        let mut head = expected;
        let mut entries = Vec::with_capacity(adopted.len() + drafts.len());
        let mut chain = ChainVerifier::after(expected);
        for disclosed in adopted {
            chain.push(&disclosed).map_err(|broken| invalid(&broken.to_string()))?;
            head = Head::of(&disclosed.entry);
            entries.push(as_it_is(disclosed));
        }
        if let Some(new_id) = continue_as {
            let first = drafts.first_mut().ok_or_else(|| invalid("`continue_as` needs a draft"))?;
            first.changes.insert(0, ChangeBytes::continued(head.ledger_id));
            head.ledger_id = new_id;
        }
        for draft in drafts {
            check_draft(&draft)?;
            if head.revision >= i64::MAX.unsigned_abs() {
                return Err(invalid("the ledger has no revision left"));
            }
            let placed = place(draft, &head);
            head = Head::of(&placed.entry);
            entries.push(placed);
        }
        Ok(Self { realm, expected, entries, rows, secrets, erase, head })
    }
}

/// What of a plan's rows was already judged: what becomes of each row by the ones before it. `None`: it is gone.
#[derive(Default)]
pub(crate) struct Taking<'a> {
    touched: HashMap<(&'a str, &'a [u8]), Option<&'a [u8]>>,
    untaken: Vec<usize>,
}

impl<'a> Taking<'a> {
    /// Judges one row. Gives the key of the row that the store has to be asked for, if what went before does not tell.
    pub(crate) fn judge(&mut self, index: usize, row: &'a RowWrite) -> Option<(&'a str, &'a [u8])> {
        match row {
            RowWrite::Put { kind, key, value, .. } => {
                self.touched.insert((*kind, key), Some(value));
                None
            }
            // Whether it does anything, only the store knows; nobody takes what they renew or move in the same append.
            RowWrite::Renew { .. } | RowWrite::Move { .. } => None,
            RowWrite::Delete { kind, key } => {
                self.touched.insert((*kind, key), None);
                None
            }
            RowWrite::Take { kind, key, value } => match self.touched.insert((*kind, key), None) {
                None => Some((*kind, key)),
                Some(found) => {
                    if found != Some(value.as_slice()) {
                        self.untaken.push(index);
                    }
                    None
                }
            },
        }
    }

    /// What the store found for the row that it was asked for.
    pub(crate) fn found(&mut self, index: usize, row: &RowWrite, found: Option<&[u8]>) {
        if !matches!(row, RowWrite::Take { value, .. } if found == Some(value.as_slice())) {
            self.untaken.push(index);
        }
    }

    /// The takes that cannot be.
    pub(crate) fn untaken(self) -> Vec<usize> {
        self.untaken
    }
}

fn as_it_is(disclosed: Disclosed) -> Placed {
    let Disclosed { entry, disclosures } = disclosed;
    let bytes = entry.encode();
    Placed { entry, bytes, disclosures }
}

/// As [`Draft::seal`], but keeps the encoded form so that it is made only once.
fn place(draft: Draft, head: &Head) -> Placed {
    let (mut entry, disclosures) = draft.into_unhashed(head);
    let bytes = entry.encode();
    entry.hash = hash_of(&bytes);
    Placed { entry, bytes, disclosures }
}

/// A realm's name as a store's key: not empty, at most 255 bytes, no control characters.
pub(crate) fn check_realm(realm: &str) -> Result<(), StoreError> {
    if realm.is_empty() || realm.len() > MAX_REALM || realm.chars().any(char::is_control) {
        return Err(invalid("a realm's name has 1 to 255 bytes and no control characters"));
    }
    Ok(())
}

fn check_draft(draft: &Draft) -> Result<(), StoreError> {
    if draft.changes.is_empty() {
        return Err(invalid("an entry needs at least one change"));
    }
    let gapless = draft.disclosures.iter().zip(0_u32..).all(|(disclosure, slot)| disclosure.slot == slot);
    if !gapless {
        return Err(invalid("the slots of disclosures ascend from 0 without a gap"));
    }
    let reason_ok = draft.reason.is_none_or(|slot| draft.disclosures.iter().any(|d| d.slot == slot));
    if !reason_ok {
        return Err(invalid("the reason's slot has no disclosure"));
    }
    let size = draft.actor.len()
        + draft.via.len()
        + draft.changes.iter().map(|change| change.body.len() + 8).sum::<usize>()
        + draft.disclosures.iter().map(|disclosure| disclosure.value.len() + 32).sum::<usize>();
    if size > MAX_ENTRY {
        return Err(StoreError::Invalid(format!(
            "an entry of {size} bytes is over the limit of {MAX_ENTRY}; split the command"
        )));
    }
    Ok(())
}

fn invalid(text: &str) -> StoreError {
    StoreError::Invalid(text.to_owned())
}
