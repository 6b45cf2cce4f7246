//! `check-history [--stale-after SECONDS] LEDGER HISTORY`: holds what clients saw against the ledger.
//!
//! Prints each violation on a line. Ends with 0 if there is none, with 1 if there is one, with 2 if a file cannot be read.

use std::fs::File;
use std::io::{BufReader, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use grantd_testkit::history::{self, Kind, Operation, Outcome, Rules, Unreadable};

const USAGE: &str = "usage: check-history [--stale-after SECONDS] LEDGER HISTORY";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If nobody reads it, the exit code still says it.
            let _ = writeln!(stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything is as promised.
fn run(mut arguments: Vec<String>) -> Result<bool, String> {
    let mut rules = Rules::default();
    if arguments.first().is_some_and(|first| first == "--stale-after") {
        let seconds = arguments.get(1).and_then(|seconds| seconds.parse().ok()).ok_or(USAGE)?;
        rules.stale_after = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
        arguments.drain(..2);
    }
    let [ledger, history] = arguments.as_slice() else { return Err(USAGE.to_owned()) };
    let ledger = read(ledger, history::ledger)?;
    let history = read(history, history::operations)?;
    let violations = history::check(&ledger, &history, rules);
    let mut out = stdout().lock();
    for violation in &violations {
        writeln!(out, "{violation}").map_err(|error| error.to_string())?;
    }
    let count = |kind, outcome| {
        history.iter().filter(|one: &&Operation| one.kind == kind && one.outcome == outcome).count()
    };
    writeln!(
        out,
        "{} writes acknowledged, {} unknown; {} reads; {} changes in the ledger; {} violations",
        count(Kind::Write, Outcome::Ok),
        count(Kind::Write, Outcome::Unknown),
        count(Kind::Read, Outcome::Ok),
        ledger.len(),
        violations.len()
    )
    .map_err(|error| error.to_string())?;
    Ok(violations.is_empty())
}

fn read<T>(path: &str, parse: fn(BufReader<File>) -> Result<T, Unreadable>) -> Result<T, String> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    parse(BufReader::new(file)).map_err(|error| format!("{path}: {error}"))
}
