//! Measures grantd and prints one table.
//!
//!     cargo build --release --workspace --bins --features grantd-benches/baselines
//!     ./target/release/grantd-benches [WORKLOAD ...] [--pairs N] [--seconds S] [--large N]
//!
//! Without the feature `baselines` the rows against other permission engines say that they are not available: those engines
//! take long to build. `docs/measurements.md` says how to read the table.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what this program is for")]
#![expect(clippy::indexing_slicing, reason = "a measurement may stop")]
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a failed test panics"))]

mod bench;
mod data;
mod http;
mod memory;
mod options;
mod pairs;
mod ratio;
mod sides;
mod slow_sync;
mod table;
mod workloads;

use std::process::ExitCode;

use crate::bench::Bench;
use crate::data::scale::Scale;
use crate::options::{Options, What};
use crate::table::Row;
use crate::workloads::ALL;

/// That of the server, so that neither side of a row in process has another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(not(feature = "baselines"))]
const NO_BASELINES: &str = "built without `--features baselines`";

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::from_arguments(std::env::args().skip(1))?;
    let wanted = match &options.what {
        What::Insert { file, seconds } => {
            sides::insert::insert_for(file, *seconds)?;
            return Ok(ExitCode::SUCCESS);
        }
        What::Memory => {
            workloads::memory_in_this_process(options.large)?;
            return Ok(ExitCode::SUCCESS);
        }
        What::Lines => {
            http::site::lines(Scale { relationships: options.large }, std::io::stdout().lock())?;
            return Ok(ExitCode::SUCCESS);
        }
        What::List => {
            for workload in &ALL {
                println!("{:<12} {}", workload.name, workload.about);
            }
            return Ok(ExitCode::SUCCESS);
        }
        What::Rows(names) => names.clone(),
    };
    Ok(measure(options, &wanted))
}

/// Runs the workloads. One that fails says so in the table, and the others run all the same.
fn measure(options: Options, wanted: &[String]) -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("not a release build: only grantd's engine is optimised, and the ratios mean nothing");
    }
    let mut bench = Bench::new(options);
    let mut failed = false;
    for workload in
        ALL.iter().filter(|workload| wanted.is_empty() || wanted.iter().any(|name| name == workload.name))
    {
        if let Err(error) = (workload.run)(&mut bench) {
            failed = true;
            eprintln!("{}: {error:#}", workload.name);
            bench.table.row(&Row::not_available(workload.name, "-", format!("it failed: {error:#}")));
        }
    }
    bench.table.end();
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
