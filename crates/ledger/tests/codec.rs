//! The binary form: it comes back as it was, there is only one of each entry, and no bytes make the reader panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

use grantd_ledger::codec::DecodeError;
use grantd_ledger::commitment::commit;
use grantd_ledger::entry::{ChangeBytes, CommandId, Disclosure, Draft, Entry, Hash, LedgerId};
use grantd_ledger::store::Head;
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

prop_compose! {
    fn any_change()(kind: u16, version: u16, body in vec(any::<u8>(), 0..40)) -> ChangeBytes {
        ChangeBytes { kind, version, body }
    }
}

prop_compose! {
    fn any_head()(id: u128, revision in 0..u64::MAX, hash: [u8; 32], time: i64) -> Head {
        Head { ledger_id: LedgerId(Uuid::from_u128(id)), revision, hash: Hash(hash), time }
    }
}

prop_compose! {
    fn any_draft()(
        time: i64,
        actor in "\\PC{0,20}",
        via in "\\PC{0,20}",
        command_id: [u8; 16],
        reason: Option<u32>,
        changes in vec(any_change(), 1..5),
        values in vec((any::<[u8; 32]>(), vec(any::<u8>(), 0..40)), 0..4),
    ) -> Draft {
        let slots = u32::try_from(values.len()).unwrap();
        let disclosures = (0..).zip(values).map(|(slot, (salt, value))| Disclosure { slot, salt, value }).collect();
        let reason = reason.filter(|_| slots > 0).map(|slot| slot % slots);
        Draft { time, actor, via, command_id: CommandId(command_id), reason, changes, disclosures }
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    (any_draft(), any_head()).prop_map(|(draft, head)| draft.seal(&head).0)
}

proptest! {
    #[test]
    fn comes_back_as_it_was(entry in any_entry()) {
        prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    #[test]
    fn sealing_places_the_draft_behind_the_head(draft in any_draft(), head in any_head()) {
        let (entry, disclosures) = draft.clone().seal(&head);
        prop_assert_eq!(entry.revision, head.revision + 1);
        prop_assert_eq!(entry.prev, head.hash);
        prop_assert_eq!(entry.ledger_id, head.ledger_id);
        prop_assert_eq!(entry.time, draft.time.max(head.time));
        prop_assert_eq!(entry.hash, entry.computed_hash());
        let commitments: Vec<_> = disclosures.iter().map(|one| commit(&one.salt, &one.value)).collect();
        prop_assert_eq!(&entry.commitments, &commitments);
        prop_assert_eq!(disclosures, draft.disclosures);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode(), bytes);
        }
    }

    /// Changed, cut and lengthened forms either are refused or are the one form of another entry.
    #[test]
    fn only_the_canonical_form_is_read(
        entry in any_entry(), at: prop::sample::Index, flip in 1_u8.., more in vec(any::<u8>(), 1..9),
    ) {
        let whole = entry.encode();
        let mut changed = whole.clone();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        if let Ok(other) = Entry::decode(&changed) {
            prop_assert_ne!(other.hash, entry.hash);
            prop_assert_eq!(other.encode(), changed);
        }
        prop_assert!(Entry::decode(&whole[..at]).is_err());
        let longer = [whole, more.clone()].concat();
        prop_assert_eq!(Entry::decode(&longer), Err(DecodeError::Trailing(more.len())));
    }
}

fn entry() -> Entry {
    let draft = Draft {
        time: 5,
        actor: "user:alice".to_owned(),
        via: "api".to_owned(),
        command_id: CommandId([1; 16]),
        reason: Some(0),
        changes: vec![ChangeBytes { kind: 7, version: 1, body: vec![1, 2, 3] }],
        disclosures: vec![Disclosure { slot: 0, salt: [4; 32], value: b"because".to_vec() }],
    };
    draft.seal(&Head::empty(LedgerId(Uuid::from_u128(9)))).0
}

/// Where the parts of [`entry`]'s form begin.
const REASON: usize = 2 + 16 + 8 + 8 + (4 + 10) + (4 + 3) + 16;
const CHANGES: usize = REASON + 5;
const COMMITMENTS: usize = CHANGES + 4 + 2 + 2 + 4 + 3;

fn refused(at: usize, with: &[u8]) -> DecodeError {
    let mut bytes = entry().encode();
    bytes[at..at + with.len()].copy_from_slice(with);
    Entry::decode(&bytes).unwrap_err()
}

#[test]
fn each_wrong_part_has_its_error() {
    assert_eq!(refused(0, &[0, 2]), DecodeError::Format(2));
    assert_eq!(refused(34, &u32::MAX.to_be_bytes()), DecodeError::Short("actor"));
    assert_eq!(refused(38, &[0xff]), DecodeError::Text("actor"));
    assert_eq!(refused(REASON, &[2]), DecodeError::Range("reason"));
    assert_eq!(refused(REASON + 1, &1_u32.to_be_bytes()), DecodeError::Range("reason"));
    assert_eq!(refused(CHANGES, &u32::MAX.to_be_bytes()), DecodeError::Short("changes"));
    assert_eq!(refused(COMMITMENTS, &u32::MAX.to_be_bytes()), DecodeError::Short("commitments"));
    let mut no_change = entry();
    no_change.changes.clear();
    assert_eq!(Entry::decode(&no_change.encode()), Err(DecodeError::Range("changes")));
    assert_eq!(Entry::decode(&[]), Err(DecodeError::Short("format")));
}

/// The form and both hashes never change: these are the ones of the first release. A difference here would make every
/// ledger that exists unreadable.
#[test]
fn form_and_hashes_stay_for_ever() {
    let entry = entry();
    assert_eq!(
        format!("{:?}", entry.hash),
        "4d573768680ffdc222034ec44d925f1086eb5570d8e476af5d0bec5626e9cfba"
    );
    assert_eq!(
        format!("{:?}", entry.commitments[0]),
        "c63677f256e6eedc020ec46a01d878bd3df6e4b47003155cc22071e21d19c07f"
    );
    assert_eq!(entry.encode().len(), COMMITMENTS + 4 + 32 + 32);
}
