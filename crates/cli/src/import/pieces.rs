//! A file in pieces of whole lines.

use std::io::{BufRead as _, BufReader, Read};

use anyhow::bail;

/// How much goes into one request. It ends with the line that goes beyond.
const PIECE: usize = 2 << 20;

/// The server refuses lines much shorter than this; a longer one is no file of lines.
const LONGEST: u64 = 16 << 20;

/// Some whole lines.
pub(super) struct Piece {
    /// What to send: with the header in front, for CSV.
    pub(super) body: Vec<u8>,
    /// The number of the last line.
    pub(super) last: u64,
    /// How many bytes of the file were read.
    pub(super) read: u64,
    /// The number of the first line, and which line of the body it is.
    first: u64,
    header: u64,
}

impl Piece {
    /// The number in the file of a line of the body.
    pub(super) fn line(&self, in_body: u64) -> u64 {
        (self.first + in_body).saturating_sub(1 + self.header).max(1)
    }
}

/// Cuts a file.
pub(super) struct Pieces<R> {
    reader: BufReader<R>,
    /// Empty unless it is CSV.
    header: Vec<u8>,
    is_csv: bool,
    /// Lines before this one are passed over.
    begin: u64,
    /// The last line that was read.
    line: u64,
    read: u64,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(reader: BufReader<R>, is_csv: bool, begin: u64) -> Self {
        Self { reader, header: Vec::new(), is_csv, begin, line: 0, read: 0 }
    }

    /// The next piece; none at the end of the file.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Piece>> {
        if self.is_csv && self.line == 0 {
            let mut header = Vec::new();
            if !self.next_line(&mut header)? {
                return Ok(None);
            }
            if !header.ends_with(b"\n") {
                header.push(b'\n');
            }
            self.header = header;
        }
        let mut body = self.header.clone();
        let mut first = None;
        while body.len() < PIECE {
            let before = body.len();
            if !self.next_line(&mut body)? {
                break;
            }
            if self.line < self.begin {
                body.truncate(before);
            } else {
                first.get_or_insert(self.line);
            }
        }
        let header = u64::from(self.is_csv);
        Ok(first.map(|first| Piece { body, last: self.line, read: self.read, first, header }))
    }

    fn next_line(&mut self, into: &mut Vec<u8>) -> anyhow::Result<bool> {
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', into)? as u64;
        if read == LONGEST {
            bail!("line {} is longer than {LONGEST} bytes; is this a file of lines?", self.line + 1);
        }
        self.read += read;
        self.line += u64::from(read > 0);
        Ok(read > 0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn all(text: &str, is_csv: bool, begin: u64) -> Vec<Piece> {
        let mut pieces = Pieces::new(BufReader::new(text.as_bytes()), is_csv, begin);
        std::iter::from_fn(|| pieces.next().unwrap()).collect()
    }

    #[test]
    fn every_line_is_in_one_piece_under_its_number() {
        let text: String =
            (1..=100_000).map(|n| format!("this is the line with the number {n:08}\n")).collect();
        for begin in [1, 2, 70_000, 100_000] {
            let pieces = all(&text, false, begin);
            let mut next = begin;
            for piece in &pieces {
                for (at, line) in std::str::from_utf8(&piece.body).unwrap().lines().enumerate() {
                    assert_eq!(piece.line(at as u64 + 1), next);
                    assert!(line.ends_with(&format!("{next:08}")));
                    next += 1;
                }
                assert_eq!(piece.last, next - 1);
            }
            assert_eq!(next, 100_001);
        }
        assert!(all(&text, false, 1).len() > 1);
        assert!(all(&text, false, 100_001).is_empty());
    }

    #[test]
    fn each_piece_of_csv_begins_with_the_header() {
        let pieces = all("head\na\nb\nc", true, 3);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].body, b"head\nb\nc");
        assert_eq!((pieces[0].line(2), pieces[0].line(3), pieces[0].last), (3, 4, 4));
        assert!(all("head", true, 1).is_empty());
        assert!(all("", true, 1).is_empty());
    }

    #[test]
    fn a_file_without_lines_is_refused() {
        let text = "x".repeat(usize::try_from(LONGEST).unwrap() + 1);
        assert!(Pieces::new(BufReader::new(text.as_bytes()), false, 1).next().is_err());
    }
}
