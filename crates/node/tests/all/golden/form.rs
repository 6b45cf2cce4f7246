//! A golden ledger's line.

use grantd_ledger::entry::{Disclosed, Disclosure, Entry};
use serde_json::{Value, json};

pub(super) struct Line {
    pub(super) revision: u64,
    pub(super) entry: String,
    pub(super) hash: String,
    pub(super) disclosures: Vec<Disclosure>,
    pub(super) state: String,
}

impl Line {
    pub(super) fn new(disclosed: &Disclosed, state: [u8; 32]) -> Self {
        Self {
            revision: disclosed.entry.revision,
            entry: hex(&disclosed.entry.encode()),
            hash: hex(&disclosed.entry.hash.0),
            disclosures: disclosed.disclosures.clone(),
            state: hex(&state),
        }
    }

    pub(super) fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        let disclosure = |one: &Value| Disclosure {
            slot: u32::try_from(one[0].as_u64().unwrap()).unwrap(),
            salt: unhex(one[1].as_str().unwrap()).try_into().unwrap(),
            value: one[2].as_str().unwrap().as_bytes().to_vec(),
        };
        Self {
            revision: value["revision"].as_u64().unwrap(),
            entry: text("entry"),
            hash: text("hash"),
            disclosures: value["disclosures"].as_array().unwrap().iter().map(disclosure).collect(),
            state: text("state"),
        }
    }

    pub(super) fn write(&self) -> String {
        let disclosure =
            |one: &Disclosure| json!([one.slot, hex(&one.salt), String::from_utf8_lossy(&one.value)]);
        let disclosures: Vec<Value> = self.disclosures.iter().map(disclosure).collect();
        let line = json!({
            "revision": self.revision,
            "entry": self.entry,
            "hash": self.hash,
            "disclosures": disclosures,
            "state": self.state,
        });
        line.to_string()
    }

    pub(super) fn disclosed(&self) -> Disclosed {
        let entry = Entry::decode(&unhex(&self.entry)).unwrap_or_else(|error| panic!("{error}"));
        Disclosed { entry, disclosures: self.disclosures.clone() }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
