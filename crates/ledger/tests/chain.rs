//! The verifier finds what somebody changed, and says at which revision.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

use grantd_ledger::chain::{Broken, ChainVerifier, Fault, Report};
use grantd_ledger::checkpoint::{CheckpointError, CheckpointSigner};
use grantd_ledger::entry::{ChangeBytes, CommandId, Disclosed, Disclosure, Draft, Hash, LedgerId};
use grantd_ledger::secret::Secret;
use grantd_ledger::store::{Checkpoint, Head};
use proptest::prelude::*;
use uuid::Uuid;

fn id(number: u128) -> LedgerId {
    LedgerId(Uuid::from_u128(number))
}

fn draft(number: u8) -> Draft {
    Draft {
        time: 100 + i64::from(number),
        actor: "user:alice".to_owned(),
        via: "api".to_owned(),
        command_id: CommandId([number; 16]),
        reason: Some(0),
        changes: vec![ChangeBytes { kind: 7, version: 1, body: vec![number; 3] }],
        disclosures: vec![Disclosure { slot: 0, salt: [number; 32], value: vec![number; 9] }],
    }
}

fn extend(ledger: &mut Vec<Disclosed>, head: &Head, draft: Draft) {
    let (entry, disclosures) = draft.seal(head);
    ledger.push(Disclosed { entry, disclosures });
}

fn ledger(entries: u8) -> Vec<Disclosed> {
    let mut ledger: Vec<Disclosed> = Vec::new();
    for number in 1..=entries {
        let head = ledger.last().map_or(Head::empty(id(1)), |last| Head::of(&last.entry));
        extend(&mut ledger, &head, draft(number));
    }
    ledger
}

fn verify(ledger: &[Disclosed]) -> Result<Report, Broken> {
    let mut verifier = ChainVerifier::new();
    ledger.iter().try_for_each(|one| verifier.push(one))?;
    Ok(verifier.finish())
}

fn broken(ledger: &[Disclosed]) -> (u64, Fault) {
    let Broken { revision, what } = verify(ledger).unwrap_err();
    (revision, what)
}

/// Gives a changed entry, and all behind it, hashes that fit again.
fn rehash(ledger: &mut [Disclosed]) {
    let mut prev = None;
    for one in ledger {
        one.entry.prev = prev.unwrap_or(one.entry.prev);
        one.entry.hash = one.entry.computed_hash();
        prev = Some(one.entry.hash);
    }
}

#[test]
fn a_whole_ledger_is_good() {
    let mut ledger = ledger(5);
    let head = Some(Head::of(&ledger[4].entry));
    assert_eq!(verify(&ledger), Ok(Report { entries: 5, head, erased: 0 }));
    ledger[1].disclosures.clear();
    ledger[3].disclosures.clear();
    assert_eq!(verify(&ledger), Ok(Report { entries: 5, head, erased: 2 }));
    assert_eq!(verify(&[]), Ok(Report { entries: 0, head: None, erased: 0 }));
}

proptest! {
    #[test]
    fn a_changed_field_is_found(at in 0_usize..6, field in 0_u8..10, flip in 1_u8..) {
        let mut ledger = ledger(6);
        let entry = &mut ledger[at].entry;
        match field {
            0 => entry.time += i64::from(flip),
            1 => entry.actor.push('x'),
            2 => entry.via.clear(),
            3 => entry.command_id.0[0] ^= flip,
            4 => entry.reason = None,
            5 => entry.changes[0].kind ^= u16::from(flip),
            6 => entry.changes[0].body[0] ^= flip,
            7 => entry.commitments[0].0[0] ^= flip,
            8 => entry.prev.0[0] ^= flip,
            _ => entry.hash.0[0] ^= flip,
        }
        let revision = u64::try_from(at).unwrap() + 1;
        prop_assert_eq!(broken(&ledger), (revision, Fault::Hash));
    }

    #[test]
    fn a_removed_or_swapped_entry_is_found(at in 0_usize..5, other in 0_usize..5) {
        let mut removed = ledger(6);
        removed.remove(at);
        let revision = u64::try_from(at).unwrap() + 1;
        prop_assert_eq!(broken(&removed), (revision, Fault::Sequence { found: revision + 1 }));
        let mut swapped = ledger(6);
        swapped.swap(at, other);
        let first = u64::try_from(at.min(other)).unwrap() + 1;
        if at == other {
            prop_assert!(verify(&swapped).is_ok());
        } else {
            prop_assert_eq!(verify(&swapped).unwrap_err().revision, first);
        }
    }
}

#[test]
fn a_rewritten_entry_breaks_the_next() {
    let mut ledger = ledger(3);
    ledger[0].entry.actor = "user:mallory".to_owned();
    rehash(&mut ledger[..1]);
    assert_eq!(broken(&ledger), (2, Fault::Prev));
}

#[test]
fn a_changed_value_is_found() {
    let change = |change: fn(&mut Vec<Disclosure>)| {
        let mut ledger = ledger(3);
        change(&mut ledger[1].disclosures);
        broken(&ledger)
    };
    assert_eq!(change(|values| values[0].value[0] ^= 1), (2, Fault::Commitment { slot: 0 }));
    assert_eq!(change(|values| values[0].salt[0] ^= 1), (2, Fault::Commitment { slot: 0 }));
    assert_eq!(change(|values| values[0].slot = 1), (2, Fault::Commitment { slot: 1 }));
    assert_eq!(change(|values| values.push(values[0].clone())), (2, Fault::Commitment { slot: 0 }));
}

#[test]
fn time_does_not_run_back() {
    let mut ledger = ledger(3);
    ledger[2].entry.time = ledger[1].entry.time - 1;
    rehash(&mut ledger);
    assert_eq!(broken(&ledger), (3, Fault::Time));
}

#[test]
fn the_id_changes_only_by_continuing() {
    let continued = |previous, next, extra: Option<ChangeBytes>| {
        let mut ledger = ledger(2);
        let mut draft = draft(3);
        draft.changes.insert(0, ChangeBytes::continued(previous));
        draft.changes.extend(extra);
        let head = Head { ledger_id: next, ..Head::of(&ledger[1].entry) };
        extend(&mut ledger, &head, draft);
        verify(&ledger).map(|report| report.head.unwrap().ledger_id)
    };
    let fault = Err(Broken { revision: 3, what: Fault::LedgerId });
    assert_eq!(continued(id(1), id(2), None), Ok(id(2)));
    assert_eq!(continued(id(3), id(2), None), fault);
    assert_eq!(continued(id(1), id(1), None), fault);
    assert_eq!(continued(id(1), id(2), Some(ChangeBytes::continued(id(1)))), fault);

    let mut silent = ledger(3);
    silent[1].entry.ledger_id = id(2);
    rehash(&mut silent);
    assert_eq!(broken(&silent), (2, Fault::LedgerId));
}

fn walk(ledger: &[Disclosed]) -> ChainVerifier {
    let mut verifier = ChainVerifier::new();
    ledger.iter().for_each(|one| verifier.push(one).unwrap());
    verifier
}

#[test]
fn the_stored_head_shows_a_cut() {
    let ledger = ledger(4);
    let stored = Head::of(&ledger[3].entry);
    assert_eq!(walk(&ledger).check_head(&stored), Ok(()));
    let cut = walk(&ledger[..2]).check_head(&stored);
    assert_eq!(cut, Err(Broken { revision: 3, what: Fault::Truncated { end: 2 } }));
    let other = Head { hash: Hash([1; 32]), ..stored };
    assert_eq!(walk(&ledger).check_head(&other), Err(Broken { revision: 4, what: Fault::Head }));
    let behind = Head::of(&ledger[2].entry);
    assert_eq!(walk(&ledger).check_head(&behind), Err(Broken { revision: 4, what: Fault::BeyondHead }));
}

fn signer() -> CheckpointSigner {
    CheckpointSigner::from_seed(&Secret::new([7; 32])).unwrap()
}

fn checkpoint(at: &Disclosed) -> Checkpoint {
    let entry = &at.entry;
    signer().sign(entry.ledger_id, entry.revision, entry.hash, Hash([5; 32]), 900).unwrap()
}

#[test]
fn a_checkpoint_shows_cutting_and_rewriting() {
    let kept = ledger(4);
    let checkpoint = checkpoint(&kept[2]);
    assert_eq!(walk(&kept[..3]).check_checkpoint(&checkpoint), Ok(()));
    let cut = walk(&kept[..2]).check_checkpoint(&checkpoint);
    assert_eq!(cut, Err(Broken { revision: 3, what: Fault::Truncated { end: 2 } }));

    let mut rewritten = ledger(4);
    rewritten[1].entry.actor = "user:mallory".to_owned();
    rehash(&mut rewritten);
    let found = walk(&rewritten[..3]).check_checkpoint(&checkpoint);
    assert_eq!(found, Err(Broken { revision: 3, what: Fault::Checkpoint }));

    let forged = Checkpoint { head_hash: rewritten[2].entry.hash, ..checkpoint };
    let found = walk(&rewritten[..3]).check_checkpoint(&forged);
    assert_eq!(found, Err(Broken { revision: 3, what: Fault::Signature }));
}

#[test]
fn a_checkpoint_is_signed_as_a_whole() {
    let good = checkpoint(&ledger(1)[0]);
    assert_eq!(good.verify(), Ok(()));
    assert_eq!(good.verify_by(&signer().public_key()), Ok(()));
    assert_eq!(good.verify_by(&[1; 32]), Err(CheckpointError::OtherKey));
    let changed = [
        Checkpoint { ledger_id: id(2), ..good.clone() },
        Checkpoint { revision: 2, ..good.clone() },
        Checkpoint { head_hash: Hash([1; 32]), ..good.clone() },
        Checkpoint { state_hash: Hash([1; 32]), ..good.clone() },
        Checkpoint { time: 901, ..good.clone() },
        Checkpoint { signature: [1; 64], ..good.clone() },
        Checkpoint { public_key: [1; 32], ..good },
    ];
    for one in changed {
        assert_eq!(one.verify(), Err(CheckpointError::Signature), "{one:?}");
    }
    assert!(CheckpointSigner::from_seed(&Secret::new([7; 31])).is_err());
    assert!(!format!("{:?}", signer()).contains('7'));
}
