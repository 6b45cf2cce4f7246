//! The percent-encoding of ids in text forms.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::name::NameError;

/// Writes an id with everything encoded that a text form uses as punctuation.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

fn must_escape(c: char) -> bool {
    matches!(c, '%' | '#' | '*' | ':') || c.is_whitespace()
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if must_escape(c) {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    write!(f, "%{byte:02X}")?;
                }
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Reads what [`Escaped`] writes. A bare `:` is let through, since the type has ended before the id begins.
pub(crate) fn unescape(text: &str) -> Result<Cow<'_, str>, NameError> {
    let broken = || NameError::Escape(text.to_owned());
    if text.chars().any(|c| c != '%' && c != ':' && must_escape(c)) {
        return Err(broken());
    }
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { hex_pair(rest.next(), rest.next()).ok_or_else(broken)? } else { byte });
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| broken())
}

/// The byte that two hexadecimal digits, of either case, name.
pub(crate) fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high?)? << 4 | digit(low?)?)
}
