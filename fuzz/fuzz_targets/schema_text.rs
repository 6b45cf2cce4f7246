//! A schema as text: reading it ends, and what was read is the same after writing and reading it again.
#![no_main]

use grantd_engine::{Schema, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(schema) = Schema::parse(&[Source { name: "fuzz", text }]) else { return };
    let written = schema.to_text();
    let again = Schema::parse(&[Source { name: "written", text: &written }]);
    assert_eq!(again.as_ref().map_err(ToString::to_string), Ok(&schema), "{written}");
    let json = schema.to_json().to_string();
    let again = Schema::from_json("written", &json);
    assert_eq!(again.as_ref().map_err(ToString::to_string), Ok(&schema), "{json}");
});
