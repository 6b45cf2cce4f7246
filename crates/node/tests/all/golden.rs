//! Golden ledgers: what was written once reads, and folds to the same state, for ever.

mod apps;
mod ending;
mod form;
mod linking;
mod making;
mod ssh;
mod triggers;

use std::collections::BTreeSet;
use std::path::PathBuf;

use grantd_ledger::chain::ChainVerifier;
use grantd_ledger::entry::{CONTINUED, Disclosed};
use grantd_node::Realm;
use grantd_node::entry::{changes, fold};
use grantd_node::realm::change::encode_all;
use grantd_node::realm::codec::CodecError;
use grantd_node::realm::{Change, State, builtin};

use form::{Line, hex};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../cases/ledgers")
}

fn ledgers() -> Vec<(String, Vec<Line>)> {
    let files = std::fs::read_dir(directory()).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|ext| ext == "jsonl"));
    let ledger = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.file_name().unwrap().to_string_lossy().into_owned(), text.lines().map(Line::read).collect())
    };
    files.map(ledger).collect()
}

/// Makes a file of a ledger. Refuses to replace one that is there: golden ledgers are for ever.
fn keep(name: &str, ledger: Vec<Disclosed>, realm: Option<&Realm>) {
    let mut state = State::empty(builtin::schema().unwrap());
    let mut text = String::new();
    for disclosed in ledger {
        fold(&mut state, &disclosed).unwrap();
        text.push_str(&Line::new(&disclosed, state.hash()).write());
        text.push('\n');
    }
    if let Some(realm) = realm {
        assert_eq!(hex(&state.hash()), hex(&realm.published().state.hash()));
    }
    let file = directory().join(format!("{name}-{}.jsonl", &hex(&state.hash())[..8]));
    let mut file = std::fs::File::create_new(file).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

#[test]
fn every_golden_ledger_folds_to_the_state_that_it_folded_to() {
    let ledgers = ledgers();
    assert!(!ledgers.is_empty());
    for (name, lines) in ledgers {
        let mut chain = ChainVerifier::new();
        let mut state = State::empty(builtin::schema().unwrap());
        for line in lines {
            let at = format!("{name}, revision {}", line.revision);
            let disclosed = line.disclosed();
            assert_eq!(disclosed.entry.revision, line.revision, "{at}");
            assert_eq!(hex(&disclosed.entry.hash.0), line.hash, "{at}");
            assert_eq!(hex(&disclosed.entry.encode()), line.entry, "{at}: one form for each entry");
            let written: Vec<_> =
                disclosed.entry.changes.iter().filter(|one| one.kind != CONTINUED).collect();
            let (again, _) = encode_all(&changes(&disclosed).unwrap());
            let again: Vec<_> = again.iter().map(|one| (one.kind, one.version, &one.body)).collect();
            let written: Vec<_> = written.iter().map(|one| (one.kind, one.version, &one.body)).collect();
            assert_eq!(again, written, "{at}: one form for each change");
            chain.push(&disclosed).unwrap_or_else(|broken| panic!("{at}: {broken}"));
            fold(&mut state, &disclosed).unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!(hex(&state.hash()), line.state, "{at}: the state");
            let restored = State::from_snapshot(&state.to_snapshot(), builtin::schema().unwrap()).unwrap();
            assert_eq!(hex(&restored.hash()), line.state, "{at}: the state by way of a snapshot");
        }
    }
}

#[test]
fn every_kind_of_change_is_in_a_golden_ledger() {
    let knows = |kind: &u16| Change::decode(*kind, 1, &[], &[]) == Err(CodecError::Short);
    let known: BTreeSet<u16> = (0..=u16::MAX).filter(knows).collect();
    let lines = ledgers().into_iter().flat_map(|(_, lines)| lines);
    let found = lines.flat_map(|line| changes(&line.disclosed()).unwrap());
    let found: BTreeSet<u16> = found.map(|change| change.kind()).collect();
    assert_eq!(found, known, "make a ledger that has the new kind: see cases/ledgers/README.md");
}
