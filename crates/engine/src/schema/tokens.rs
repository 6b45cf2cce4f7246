//! Words and punctuation of one line.

/// A piece of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// A keyword or a name.
    Word(&'a str),
    /// One of `: [ ] ( ) , # * < > . =` or anything else that is not a word.
    Mark(char),
}

impl Token<'_> {
    /// How a message shows it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Word(word) => (*word).to_owned(),
            Self::Mark(mark) => mark.to_string(),
        }
    }
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.'
}

/// The line without its comment. A `#` starts one at the start of the line or after white space, so that
/// `team#member` is none.
pub(super) fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or(line);
        }
        before = c;
    }
    line
}

/// The pieces of one line without its comment.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let (token, length) = match rest.get(..end) {
            Some(word) if end > 0 => (Token::Word(word), end),
            _ => (Token::Mark(first), first.len_utf8()),
        };
        found.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    found
}
