//! How a command ends: 0 done (or allowed), 1 denied (or broken), 2 an error.

use std::process::ExitCode;

/// Says what went wrong and ends with 2.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("error: {error:#}");
    ExitCode::from(2)
}
