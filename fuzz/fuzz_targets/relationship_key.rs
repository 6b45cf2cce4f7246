//! The text form of a relationship's key: reading it ends, and what was read is the same after writing and reading it again.
#![no_main]

use grantd_engine::Key;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(key) = text.parse::<Key>() else { return };
    // Not the same text: an id's `:` may come as it is, and is written as `%3A`.
    let written = key.to_string();
    assert_eq!(written.parse::<Key>().as_ref(), Ok(&key));
    assert_eq!(key.to_string(), written);
});
