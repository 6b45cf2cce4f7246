//! One segment of a path id from an opaque text, and back.

use std::fmt::Write as _;

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
#[must_use]
pub fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        match from.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = from.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
