//! Measures grantd's server and prints a table of ratios.
//!
//! `cargo build --release && cargo run --release -p grantd-benches -- [check|writes] [--pairs N] [--seconds S] [--sizes 10000,1000000]`
//!
//! Each figure is a ratio taken in one run: two things measured in turn, A B A B ..., the ratio pair by pair, and of
//! those the median with its 95 % interval (by order statistics).

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod baseline;
mod check;
mod load;
mod options;
mod ratio;
mod server;
mod slow_sync;
mod writes;

use crate::options::{Options, What};

fn main() -> anyhow::Result<()> {
    let options = Options::from_arguments(std::env::args().skip(1))?;
    match options.what {
        What::Baseline { ref file, seconds } => return baseline::insert_for(file, seconds),
        What::All => {
            check::run(&options)?;
            writes::run(&options)?;
        }
        What::Check => check::run(&options)?,
        What::Writes => writes::run(&options)?,
    }
    Ok(())
}
