//! One segment of a path id from an opaque text, and back.

use std::fmt::Write as _;

use crate::text::hex_pair;

/// Any text as one segment: every byte outside `[A-Za-z0-9_.~-]` is percent-encoded, `%` included, and so are the
/// dots of `.` and `..`. Two texts never give the same segment.
///
/// ```
/// assert_eq!(grantd_engine::segment::encode("a/b%2F"), "a%2Fb%252F");
/// assert_eq!(grantd_engine::segment::encode(".."), "%2E%2E");
/// ```
#[must_use]
pub fn encode(text: &str) -> String {
    let dots = text == "." || text == "..";
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"_~-".contains(&byte) || (byte == b'.' && !dots);
        if plain {
            segment.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

/// The text that [`encode`] made this segment of. What is not percent-encoded as it should be stays as it is.
///
/// ```
/// assert_eq!(grantd_engine::segment::decode("a%2fb%252F"), "a/b%2F");
/// assert_eq!(grantd_engine::segment::decode("%+f%2"), "%+f%2");
/// ```
#[must_use]
pub fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let encoded = if byte == b'%' { hex_pair(ahead.next(), ahead.next()) } else { None };
        if encoded.is_some() {
            rest = ahead;
        }
        bytes.push(encoded.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
