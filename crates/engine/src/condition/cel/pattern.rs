//! Regular expressions of bounded size, matched in linear time.

use regex::{Regex, RegexBuilder};

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// How much a byte of text costs: patterns that compile to more take longer for each.
    weight: usize,
}

/// The sizes that a compiled pattern may have, in bytes, each with its weight.
const SIZES: [(usize, usize); 3] = [(16 << 10, 1), (64 << 10, 4), (256 << 10, 16)];

/// The most bytes that the text of a pattern may have.
const MAX_TEXT: usize = 1024;

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("the regular expression has more than {MAX_TEXT} bytes"));
        }
        let mut problem = String::new();
        for (size, weight) in SIZES {
            match RegexBuilder::new(text).size_limit(size).dfa_size_limit(1 << 20).nest_limit(64).build() {
                Ok(regex) => return Ok(Self { regex, weight }),
                Err(regex::Error::CompiledTooBig(_)) => {
                    "the regular expression compiles to more than 256 KiB".clone_into(&mut problem);
                }
                Err(_) => {
                    return Err(format!("`{text}` is not a regular expression"));
                }
            }
        }
        Err(problem)
    }

    /// The steps that a match on so many bytes is counted for.
    pub(super) fn cost(&self, bytes: usize) -> usize {
        (bytes / 16).saturating_mul(self.weight)
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}
