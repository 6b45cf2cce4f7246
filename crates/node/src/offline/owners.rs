//! Whose the personal and free-text values of an entry are.

use grantd_ledger::base::ArchivedValue;
use grantd_ledger::entry::{Disclosed, Hash};
use grantd_realm::engine::ObjectRef;
use grantd_realm::erasure::Owned;

use crate::entry::{FoldError, changes};

/// The values of an entry that are still known, each with its owner; one that is of two objects comes twice.
pub(super) fn owned_values(disclosed: &Disclosed) -> Result<Vec<ArchivedValue>, FoldError> {
    let entry = &disclosed.entry;
    let is_known = |slot: u32| disclosed.disclosures.iter().any(|disclosure| disclosure.slot == slot);
    let value = |slot, owner, is_reason| ArchivedValue { revision: entry.revision, slot, owner, is_reason };
    let mut owned = Vec::new();
    for change in changes(disclosed)? {
        for field in change.personal_fields() {
            // Salts make commitments unique.
            let slot = entry.commitments.iter().position(|one| *one == Hash(field.field.commitment));
            if let Some(slot) = slot.and_then(|slot| u32::try_from(slot).ok()) {
                owned.push(value(slot, name_of(&field), false));
            }
        }
    }
    owned.extend(entry.reason.map(|slot| value(slot, entry.actor.clone(), true)));
    owned.retain(|value| is_known(value.slot));
    Ok(owned)
}

/// As whoever erases names the object.
fn name_of(Owned { kind, id, .. }: &Owned<'_>) -> String {
    ObjectRef { kind, id }.to_string()
}
