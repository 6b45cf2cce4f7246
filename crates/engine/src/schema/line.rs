//! A cursor over one statement of a schema.

use super::tokens::{Token, tokens};

/// One statement: a line, and the lines after it while a bracket is open.
pub(super) struct Line<'a> {
    /// Where it starts, from 1.
    pub(super) number: usize,
    tokens: std::vec::IntoIter<Token<'a>>,
}

impl<'a> Line<'a> {
    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.as_slice().first().copied()
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        self.tokens.next()
    }

    /// Takes the next token if it is this word.
    pub(super) fn takes(&mut self, token: Token<'_>) -> bool {
        let found = self.peek() == Some(token);
        if found {
            self.tokens.next();
        }
        found
    }
}

/// The statements of a text; empty lines and comments are left out.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut found: Vec<Line<'_>> = Vec::new();
    let mut open: Option<(usize, Vec<Token<'_>>)> = None;
    for (at, line) in text.lines().enumerate() {
        let (number, mut statement) = open.take().unwrap_or((at + 1, Vec::new()));
        statement.extend(tokens(line));
        if depth(&statement) > 0 {
            open = Some((number, statement));
        } else if !statement.is_empty() {
            found.push(Line { number, tokens: statement.into_iter() });
        }
    }
    if let Some((number, statement)) = open {
        found.push(Line { number, tokens: statement.into_iter() });
    }
    found
}

fn depth(statement: &[Token<'_>]) -> i64 {
    statement
        .iter()
        .map(|token| match token {
            Token::Mark('[' | '(' | '{') => 1,
            Token::Mark(']' | ')' | '}') => -1,
            _ => 0,
        })
        .sum()
}
