//! How a command ends.

use std::io::ErrorKind;
use std::process::ExitCode;

/// The answer of a command that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Done; allowed; good: 0.
    Yes,
    /// Denied; broken: 1.
    No,
    /// Nobody decided in time: 3.
    TimedOut,
}

impl From<bool> for Ended {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The exit code. An error is said on stderr and is 2.
pub(crate) fn code(ended: anyhow::Result<Ended>) -> ExitCode {
    match ended {
        Ok(Ended::Yes) => ExitCode::SUCCESS,
        Ok(Ended::No) => ExitCode::from(1),
        Ok(Ended::TimedOut) => ExitCode::from(3),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
