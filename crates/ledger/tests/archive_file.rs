//! The file of an archive: what is written comes back, and nothing else is taken for it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

use grantd_ledger::archive::{ArchiveError, ArchiveReader, ArchiveWriter};
use grantd_ledger::base::{Base, BaseState};
use grantd_ledger::checkpoint::CheckpointSigner;
use grantd_ledger::entry::{ChangeBytes, CommandId, Disclosure, Draft, Entry, Hash, LedgerId};
use grantd_ledger::secret::Secret;
use grantd_ledger::store::Head;
use uuid::Uuid;

fn entries(count: u8) -> Vec<Entry> {
    let mut head = Head::empty(LedgerId(Uuid::from_u128(1)));
    let mut entries = Vec::new();
    for number in 0..count {
        let draft = Draft {
            time: i64::from(number),
            actor: "user:alice".to_owned(),
            via: "api".to_owned(),
            command_id: CommandId([number; 16]),
            reason: Some(0),
            changes: vec![ChangeBytes { kind: 7, version: 1, body: vec![number; 3] }],
            disclosures: vec![Disclosure { slot: 0, salt: [number; 32], value: b"because of bob".to_vec() }],
        };
        let (entry, _) = draft.seal(&head);
        head = Head::of(&entry);
        entries.push(entry);
    }
    entries
}

fn base(entry: &Entry, length: usize) -> BaseState {
    let head = Head::of(entry);
    let signer = CheckpointSigner::from_seed(&Secret::new([9; 32])).unwrap();
    let signed = signer.sign(head.ledger_id, head.revision, head.hash, Hash([7; 32]), 5).unwrap();
    let state = (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect();
    BaseState { base: Base::new(head, &signed, 3), state }
}

fn write(begin: Option<&BaseState>, entries: &[Entry], end: &BaseState) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new(), "a realm", begin).unwrap();
    entries.iter().for_each(|entry| writer.push(entry).unwrap());
    writer.finish(end).unwrap()
}

/// Everything that an archive says.
fn read(bytes: &[u8]) -> Result<(String, Option<BaseState>, Vec<Entry>, BaseState), ArchiveError> {
    let mut reader = ArchiveReader::new(bytes)?;
    let (realm, begin) = (reader.realm().to_owned(), reader.begin().cloned());
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    Ok((realm, begin, entries, reader.finish()?))
}

#[test]
fn what_is_written_comes_back() {
    let all = entries(5);
    for length in [0, 10, 9_000_000] {
        let (begin, end) = (base(&all[1], length), base(&all[4], length));
        let bytes = write(Some(&begin), &all[2..], &end);
        let (realm, found, entries, last) = read(&bytes).unwrap();
        assert_eq!((realm.as_str(), found.as_ref(), &last), ("a realm", Some(&begin), &end));
        assert_eq!(entries, all[2..]);
        assert_eq!(
            ArchiveReader::new(&*bytes).unwrap().finish().unwrap(),
            end,
            "without asking for the entries"
        );
    }
    let whole = write(None, &all, &base(&all[4], 3));
    let (_, begin, entries, _) = read(&whole).unwrap();
    assert_eq!((begin, entries), (None, all));
}

#[test]
fn it_holds_no_values() {
    let all = entries(2);
    let bytes = write(None, &all, &base(&all[1], 3));
    assert!(!bytes.windows(3).any(|window| window == b"bob"));
}

#[test]
fn any_change_is_noticed() {
    let all = entries(3);
    let bytes = write(Some(&base(&all[0], 30)), &all[1..], &base(&all[2], 40));
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut at {length}");
    }
    for at in 0..bytes.len() {
        for bit in [1, 128] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            assert!(read(&changed).is_err(), "changed at {at}");
        }
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(matches!(read(&longer), Err(ArchiveError::Damaged(_))));
    assert!(matches!(read(b"SQLite format 3\0 and more"), Err(ArchiveError::Unknown)));
    assert!(matches!(read(b""), Err(ArchiveError::Unknown)));
}
