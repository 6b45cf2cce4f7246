//! How far a command that carries ledgers over is, on stderr: a bar on a terminal, else a line for each realm.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use grantd_node::offline::Step;
use indicatif::ProgressBar;

use crate::{output, progress};

/// Shows the steps of one command.
pub(super) struct Told {
    bar: Mutex<ProgressBar>,
    is_terminal: bool,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { bar: Mutex::new(ProgressBar::hidden()), is_terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn step(&self, step: Step<'_>) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Entries { realm, last } if self.is_terminal => {
                bar.finish_and_clear();
                *bar = progress::entries(last).with_message(realm.to_owned());
            }
            // Whoever closed stderr does not want to know.
            Step::Entries { realm, last } => {
                let _ = output::note(format_args!("realm {realm}: {last} entries"));
            }
            Step::At(revision) => bar.set_position(revision),
            Step::Verifying { realm } if self.is_terminal => {
                bar.set_message(format!("{realm}: verifying what was written"));
            }
            Step::Verifying { realm } => {
                let _ = output::note(format_args!("realm {realm}: verifying what was written"));
            }
        }
    }

    pub(super) fn end(&self) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).finish_and_clear();
    }
}
