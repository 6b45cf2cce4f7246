//! What `fuzz/` reaches of this crate's private readers; built for it alone.

use crate::cursor;

pub use crate::api::fuzzing::{csv_line, json_line, written};

/// Whether a text is a cursor that [`seal_cursor`] made; if so, it says the same when it is sealed again.
pub fn open_cursor(text: &str) -> bool {
    let Some(content) = cursor::open(text, tag) else { return false };
    let again = cursor::seal(&content.to_bytes(), tag);
    assert_eq!(cursor::open(&again, tag), Some(content), "sealed again");
    true
}

/// A cursor with this content, under a key that stands for the process's own.
pub fn seal_cursor(content: &[u8]) -> String {
    cursor::seal(content, tag)
}

fn tag(content: &[u8]) -> blake3::Hash {
    blake3::keyed_hash(&[7; 32], content)
}
