//! The binary form of changes.

use std::collections::BTreeSet;

use grantd_realm::change::{Change, encode_all};
use grantd_realm::codec::CodecError;
use proptest::prelude::*;

use crate::support::samples;

/// The kinds that a reader knows: it finds fault with an empty body instead of with the number.
fn known_kinds() -> BTreeSet<u16> {
    let knows = |kind: &u16| Change::decode(*kind, 1, &[], &[]) == Err(CodecError::Short);
    (0..=u16::MAX).filter(knows).collect()
}

#[test]
fn every_kind_has_a_sample() {
    let sampled: BTreeSet<u16> = samples().iter().map(Change::kind).collect();
    assert_eq!(
        sampled,
        known_kinds(),
        "a kind without a sample in support/sample.rs, or one that nobody can read"
    );
}

#[test]
fn every_kind_comes_back_as_it_was() {
    for change in samples() {
        let (encoded, slots) = encode_all(std::slice::from_ref(&change));
        let [one] = &encoded[..] else { panic!("one change, one form") };
        let back = Change::decode(one.kind, one.version, &one.body, &slots);
        assert_eq!(back.as_ref(), Ok(&change));
        for end in 0..one.body.len() {
            let cut = Change::decode(one.kind, one.version, &one.body[..end], &slots);
            assert!(cut.is_err(), "{change:?} cut at {end} reads as {cut:?}");
        }
        let mut longer = one.body.clone();
        longer.push(0);
        assert_eq!(Change::decode(one.kind, one.version, &longer, &slots), Err(CodecError::Trailing(1)));
    }
}

#[test]
fn personal_fields_are_numbered_through_an_entry() {
    let changes = samples();
    let (encoded, slots) = encode_all(&changes);
    assert_eq!(slots.len(), 34, "one for each sample with a name");
    let back: Result<Vec<_>, _> =
        encoded.iter().map(|one| Change::decode(one.kind, one.version, &one.body, &slots)).collect();
    assert_eq!(back, Ok(changes));
}

#[test]
fn a_version_that_nobody_wrote_is_refused() {
    for kind in known_kinds() {
        for version in [0, 2, u16::MAX] {
            let read = Change::decode(kind, version, &[], &[]);
            assert!(matches!(read, Err(CodecError::Unknown { what: "a change", .. })), "{kind} {version}");
        }
    }
}

#[test]
fn a_slot_that_is_not_there_is_refused() {
    let named = samples().into_iter().find(|change| change.kind() == 20).unwrap();
    let (encoded, _) = encode_all(&[named]);
    let read = Change::decode(20, 1, &encoded[0].body, &[]);
    assert!(matches!(read, Err(CodecError::Unknown { what: "a disclosure slot", .. })), "{read:?}");
}

proptest! {
    #[test]
    fn any_bytes_give_a_change_or_an_error(
        kind in prop::sample::select(known_kinds().into_iter().collect::<Vec<_>>()),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(change) = Change::decode(kind, 1, &body, &[]) {
            let (encoded, _) = encode_all(std::slice::from_ref(&change));
            prop_assert_eq!(&encoded[0].body, &body, "one form for each change");
        }
    }

    #[test]
    fn damaged_samples_give_a_change_or_an_error(
        sample in prop::sample::select(samples()),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (encoded, slots) = encode_all(&[sample]);
        let mut body = encoded[0].body.clone();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = Change::decode(encoded[0].kind, 1, &body, &slots);
    }
}
