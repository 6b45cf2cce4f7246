//! Turns stored rows back into entries and finds what does not fit; the same for every store.

use std::collections::BTreeMap;

use crate::codec::hash_of;
use crate::entry::{Disclosed, Disclosure, Entry, Hash, Revision};
use crate::store::{Head, StoreError};

/// A row of the entry table.
pub(crate) struct EntryRow {
    pub(crate) revision: i64,
    /// Beside the entry only so that it can be found by it.
    pub(crate) command_id: Vec<u8>,
    pub(crate) hash: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// A row of the disclosure table.
pub(crate) struct DisclosureRow {
    pub(crate) revision: i64,
    pub(crate) slot: i64,
    pub(crate) salt: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// Puts a page of entries together. `head` was read before `rows`, so the rows may go beyond it, but when fewer than
/// `limit` came they must reach it.
pub(crate) fn page(
    after: Revision,
    limit: usize,
    head: &Head,
    rows: Vec<EntryRow>,
    disclosures: Vec<DisclosureRow>,
) -> Result<Vec<Disclosed>, StoreError> {
    let mut known = by_revision(disclosures)?;
    let mut page: Vec<Disclosed> = Vec::with_capacity(rows.len());
    let mut prev: Option<Hash> = (after == 0).then(Hash::default);
    for row in rows {
        let expected = next_revision(after, page.len());
        let entry = read_entry(&row, expected)?;
        if prev.is_some_and(|prev| prev != entry.prev) {
            return Err(damaged(expected, "does not follow from the entry before it"));
        }
        if entry.revision == head.revision && entry.hash != head.hash {
            return Err(damaged(expected, "is not the entry that the head names"));
        }
        prev = Some(entry.hash);
        let disclosures = known.remove(&entry.revision).unwrap_or_default();
        page.push(Disclosed { entry, disclosures });
    }
    let next = next_revision(after, page.len());
    if page.len() < limit && next <= head.revision {
        return Err(damaged(next, "is missing"));
    }
    Ok(page)
}

fn next_revision(after: Revision, read: usize) -> Revision {
    after.saturating_add(u64::try_from(read).unwrap_or(u64::MAX)).saturating_add(1)
}

fn read_entry(row: &EntryRow, expected: Revision) -> Result<Entry, StoreError> {
    if u64::try_from(row.revision) != Ok(expected) {
        return Err(damaged(expected, "is missing"));
    }
    if hash_of(&row.bytes).0.as_slice() != row.hash.as_slice() {
        return Err(damaged(expected, "does not have its hash"));
    }
    let entry = Entry::decode(&row.bytes).map_err(|error| damaged(expected, &error.to_string()))?;
    if entry.revision != expected {
        return Err(damaged(expected, "holds the entry of another revision"));
    }
    if entry.command_id.0.as_slice() != row.command_id.as_slice() {
        return Err(damaged(expected, "is filed under another command"));
    }
    Ok(entry)
}

fn by_revision(rows: Vec<DisclosureRow>) -> Result<BTreeMap<Revision, Vec<Disclosure>>, StoreError> {
    let mut known: BTreeMap<Revision, Vec<Disclosure>> = BTreeMap::new();
    for (revision, disclosure) in values(rows)? {
        known.entry(revision).or_default().push(disclosure);
    }
    Ok(known)
}

/// The values of entries, each with the revision of its entry.
pub(crate) fn values(rows: Vec<DisclosureRow>) -> Result<Vec<(Revision, Disclosure)>, StoreError> {
    let value = |row: DisclosureRow| {
        let at = u64::try_from(row.revision).unwrap_or_default();
        let slot = u32::try_from(row.slot).map_err(|_| damaged(at, "has a disclosure without a slot"))?;
        let salt = <[u8; 32]>::try_from(row.salt.as_slice())
            .map_err(|_| damaged(at, "has a disclosure with a salt of the wrong length"))?;
        Ok((at, Disclosure { slot, salt, value: row.value }))
    };
    rows.into_iter().map(value).collect()
}

/// The error for an entry that cannot be trusted.
pub(crate) fn damaged(revision: Revision, what: &str) -> StoreError {
    StoreError::Damaged(format!("entry {revision} {what}"))
}
