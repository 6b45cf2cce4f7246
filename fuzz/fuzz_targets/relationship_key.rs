//! The text form of a relationship's key: reading it ends, and what was read is written as the same text.
#![no_main]

use grantd_engine::Key;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(key) = text.parse::<Key>() else { return };
    assert_eq!(key.to_string(), text);
    assert_eq!(key.to_string().parse::<Key>().as_ref(), Ok(&key));
});
