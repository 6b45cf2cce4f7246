//! Between the realm's changes and the ledger's entries.

pub use grantd_ledger::entry::Disclosed;
use grantd_ledger::entry::{ChangeBytes, CommandId, Disclosure, Draft};
use grantd_realm::change::{self, Change, Stamp};
use grantd_realm::codec::CodecError;
use grantd_realm::personal::Personal;
use grantd_realm::state::Misfit;
use grantd_realm::{Micros, State};

/// An entry that this program cannot fold: damaged, or written by a newer grantd.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// A change of a kind or form that this program does not know.
    #[error(
        "revision {revision} cannot be read: {problem}; use the grantd version that wrote it, or a newer one"
    )]
    Unreadable {
        /// Which entry.
        revision: u64,
        /// What cannot be read.
        problem: CodecError,
    },
    /// A change that does not fit the state.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// Makes the commitments that the ledger will find again.
pub fn commit(salt: &[u8; 32], value: &[u8]) -> [u8; 32] {
    grantd_ledger::commitment::commit(salt, value).0
}

/// What an entry is made of, besides its changes.
pub(crate) struct Heading {
    pub(crate) time: Micros,
    pub(crate) actor: String,
    pub(crate) via: &'static str,
    pub(crate) command_id: CommandId,
    pub(crate) reason: Option<Personal>,
}

/// An entry as it is handed to the ledger.
pub(crate) fn draft(changes: &[Change], heading: Heading) -> Draft {
    let (encoded, mut personal) = change::encode_all(changes);
    let reason = heading.reason.map(|reason| {
        personal.push(reason);
        personal.len() - 1
    });
    let slot = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    Draft {
        time: heading.time,
        actor: heading.actor,
        via: heading.via.into(),
        command_id: heading.command_id,
        reason: reason.map(slot),
        changes: encoded
            .into_iter()
            .map(|change| ChangeBytes { kind: change.kind, version: change.version, body: change.body })
            .collect(),
        disclosures: personal
            .into_iter()
            .enumerate()
            .map(|(index, field)| Disclosure {
                slot: slot(index),
                salt: field.salt.unwrap_or_default(),
                value: field.value.map(|value| value.as_bytes().to_vec()).unwrap_or_default(),
            })
            .collect(),
    }
}

/// The personal fields of an entry by slot; an erased one has no value.
fn personal_fields(disclosed: &Disclosed) -> Vec<Personal> {
    let value_of = |slot: usize| {
        let known =
            disclosed.disclosures.iter().find(|d| usize::try_from(d.slot).is_ok_and(|s| s == slot))?;
        std::str::from_utf8(&known.value).ok().map(Into::into)
    };
    let field = |(slot, commitment): (usize, &grantd_ledger::entry::Hash)| Personal {
        commitment: commitment.0,
        salt: None,
        value: value_of(slot),
    };
    disclosed.entry.commitments.iter().enumerate().map(field).collect()
}

/// The changes of an entry. The ledger's own change (kind 0) is none of the realm's.
pub fn changes(disclosed: &Disclosed) -> Result<Vec<Change>, FoldError> {
    let slots = personal_fields(disclosed);
    let own = |change: &&ChangeBytes| change.kind != grantd_ledger::entry::CONTINUED;
    let decode = |change: &ChangeBytes| {
        Change::decode(change.kind, change.version, &change.body, &slots)
            .map_err(|problem| FoldError::Unreadable { revision: disclosed.entry.revision, problem })
    };
    disclosed.entry.changes.iter().filter(own).map(decode).collect()
}

/// The reason that the caller gave, if any and if it was not erased.
pub fn reason(disclosed: &Disclosed) -> Option<String> {
    let slot = disclosed.entry.reason?;
    let known = disclosed.disclosures.iter().find(|d| d.slot == slot)?;
    String::from_utf8(known.value.clone()).ok()
}

/// Folds one entry into a state.
pub fn fold(state: &mut State, disclosed: &Disclosed) -> Result<(), FoldError> {
    let stamp = Stamp { revision: disclosed.entry.revision, time: disclosed.entry.time };
    for change in changes(disclosed)? {
        state.apply(&change, stamp)?;
    }
    Ok(())
}
