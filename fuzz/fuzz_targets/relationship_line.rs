//! A relationship as a line of an import: one line of JSON, or two of CSV, a header and a record. Reading ends, and what was read
//! is the same after writing and reading it again.
#![no_main]

use std::sync::{Arc, OnceLock};

use grantd_engine::Schema;
use grantd_server::fuzzing::{csv_line, json_line, written};
use libfuzzer_sys::fuzz_target;

fn schema() -> Arc<Schema> {
    static SCHEMA: OnceLock<Arc<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(|| grantd_realm::builtin::schema().expect("the built-in schema")).clone()
}

fuzz_target!(|bytes: &[u8]| {
    let schema = schema();
    let read = match bytes.iter().position(|byte| *byte == b'\n') {
        None => json_line(bytes, &schema),
        Some(end) => csv_line(&bytes[..end], &bytes[end + 1..], &schema),
    };
    let Some(relationship) = read else { return };
    // Other names no schema can have: such a line is read, and its relationship refused when it is to be written.
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if relationship.condition.as_ref().is_some_and(|condition| !is_name(&condition.name)) {
        return;
    }
    let (json, csv) = written(&relationship);
    assert_eq!(json_line(&json, &schema).as_ref(), Some(&relationship), "{}", json.escape_ascii());
    let mut lines = csv.splitn(2, |byte| *byte == b'\n');
    let (header, record) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    assert_eq!(csv_line(header, record, &schema).as_ref(), Some(&relationship), "{}", csv.escape_ascii());
});
