//! The head of what `git http-backend` answers (RFC 3875, section 6).

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The longest head that is read.
pub(super) const LONGEST: usize = 16 << 10;

/// Status and headers of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

/// What is not the head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl Head {
    /// Reads a head and says how many bytes it has, the empty line included; `None`: it does not end in these bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let mut head = Self { status: StatusCode::OK, headers: HeaderMap::new() };
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return if bytes.len() > LONGEST { Err(Malformed) } else { Ok(None) };
            };
            at += end + 1;
            let line = rest.get(..end).unwrap_or_default();
            match line.strip_suffix(b"\r").unwrap_or(line) {
                [] => return Ok(Some((head, at))),
                line => head.field(line)?,
            }
        }
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"status") {
            let code = value.get(..3).ok_or(Malformed)?;
            self.status = StatusCode::from_bytes(code).map_err(|_| Malformed)?;
            return Ok(());
        }
        let name = HeaderName::from_bytes(name).map_err(|_| Malformed)?;
        self.headers.append(name, HeaderValue::from_bytes(value).map_err(|_| Malformed)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        let bytes = b"Expires: Fri\r\nContent-Type: a/b\r\n\r\n0000rest";
        for end in 0..bytes.len() - 8 {
            assert_eq!(Head::read(&bytes[..end]), Ok(None), "{end}");
        }
        let (head, length) = Head::read(bytes).unwrap().unwrap();
        assert_eq!((head.status, length), (StatusCode::OK, bytes.len() - 8));
        assert_eq!(head.headers.get("content-type").unwrap(), "a/b");
        assert_eq!(head.headers.len(), 2);
    }

    #[test]
    fn the_status_is_no_header() {
        let (head, _) = Head::read(b"Status: 403 Forbidden\n\n").unwrap().unwrap();
        assert_eq!((head.status, head.headers.len()), (StatusCode::FORBIDDEN, 0));
    }

    #[test]
    fn what_is_no_head() {
        for bytes in
            [&b"no colon\n\n"[..], b"Status: 99\n\n", b"Status: x\n\n", b"Sta tus: 200\n\n", b"A: b\x00c\n\n"]
        {
            assert_eq!(Head::read(bytes), Err(Malformed), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(Head::read(&vec![b'a'; LONGEST + 1]), Err(Malformed));
    }
}
