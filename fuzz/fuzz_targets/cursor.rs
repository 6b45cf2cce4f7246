//! A cursor: arbitrary text is refused, arbitrary content behind a right tag is read or refused, and what was sealed is
//! refused once one bit of it is another.
#![no_main]

use grantd_server::fuzzing::{open_cursor, seal_cursor};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(!open_cursor(text), "a cursor that nobody sealed");
    }
    let sealed = seal_cursor(bytes);
    if open_cursor(&sealed) {
        let last = sealed.len() - 1;
        let other = if sealed.ends_with('A') { "Q" } else { "A" };
        assert!(!open_cursor(&format!("{}{other}", &sealed[..last])), "a cursor that was changed");
    }
});
