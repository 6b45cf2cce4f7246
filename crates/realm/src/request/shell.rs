//! Shell commands taken apart.

use super::act::{Script, Word};

impl Script {
    /// What the shell would run.
    pub(super) fn parse(_text: &str) -> Self {
        Self::default()
    }

    /// A program with its words, without a shell.
    pub(super) fn of_words(_words: Vec<Word>) -> Self {
        Self::default()
    }
}
