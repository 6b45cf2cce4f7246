//! A cursor over one statement of a schema.

use super::body::body_end;
use super::tokens::{Token, tokens, without_comment};

/// One statement: a line, and the lines after it while a bracket is open; of a condition also its `{ body }`.
pub(super) struct Line<'a> {
    /// Where it starts, from 1.
    pub(super) number: usize,
    /// What stands in the braces of a condition.
    pub(super) body: Option<Body<'a>>,
    tokens: std::vec::IntoIter<Token<'a>>,
}

/// What stands between the braces of a condition.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    /// The line on which `text` begins, from 1.
    pub(super) line: usize,
    /// The text as it stands there.
    pub(super) text: &'a str,
    /// Whether the closing brace is there.
    pub(super) closed: bool,
}

impl<'a> Line<'a> {
    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.as_slice().first().copied()
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        self.tokens.next()
    }

    /// Takes the next token if it is this one.
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
    let mut reader = Reader { rest: text, number: 1, found: Vec::new() };
    while !reader.rest.is_empty() {
        reader.statement();
    }
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    /// The line on which `rest` begins.
    number: usize,
    found: Vec<Line<'a>>,
}

impl<'a> Reader<'a> {
    fn statement(&mut self) {
        let number = self.number;
        let mut statement: Vec<Token<'a>> = Vec::new();
        let mut depth = 0_i64;
        loop {
            let line = without_comment(self.rest.split('\n').next().unwrap_or_default());
            let is_condition = statement.first().map_or_else(
                || line.split_whitespace().next() == Some("condition"),
                |first| *first == Token::Word("condition"),
            );
            if is_condition && let Some(brace) = line.find('{') {
                statement.extend(tokens(line.get(..brace).unwrap_or_default()));
                self.rest = self.rest.get(brace + 1..).unwrap_or_default();
                let body = self.body();
                return self.found.push(Line { number, body: Some(body), tokens: statement.into_iter() });
            }
            let more = tokens(line);
            depth += more.iter().map(bracket).sum::<i64>();
            statement.extend(more);
            self.skip_line();
            if self.rest.is_empty() || (depth <= 0 && !(is_condition && self.skip_to_brace())) {
                break;
            }
        }
        if !statement.is_empty() {
            self.found.push(Line { number, body: None, tokens: statement.into_iter() });
        }
    }

    /// Takes the text up to the closing brace, and the brace.
    fn body(&mut self) -> Body<'a> {
        let line = self.number;
        let end = body_end(self.rest);
        let text = self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or_default();
        self.number += text.matches('\n').count();
        self.rest = self.rest.get(text.len() + 1..).unwrap_or_default();
        Body { line, text, closed: end.is_some() }
    }

    /// Skips white space if a brace comes after it: that of a condition may stand on a line of its own.
    fn skip_to_brace(&mut self) -> bool {
        let trimmed = self.rest.trim_start();
        let found = trimmed.starts_with('{');
        if found {
            let skipped = self.rest.get(..self.rest.len() - trimmed.len()).unwrap_or_default();
            self.number += skipped.matches('\n').count();
            self.rest = trimmed;
        }
        found
    }

    fn skip_line(&mut self) {
        match self.rest.split_once('\n') {
            Some((_, rest)) => {
                self.rest = rest;
                self.number += 1;
            }
            None => self.rest = "",
        }
    }
}

fn bracket(token: &Token<'_>) -> i64 {
    match token {
        Token::Mark('[' | '(' | '{') => 1,
        Token::Mark(']' | ')' | '}') => -1,
        _ => 0,
    }
}
