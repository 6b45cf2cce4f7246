//! The `grantd` command.

mod args;
mod config;
mod exit;
mod serve;

use clap::Parser as _;

use crate::args::{Cli, Command};

/// The system's allocator is markedly slower on small, short-lived pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&error.into()),
    };
    let done = runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::run(args).await,
        }
    });
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => exit::failed(&error),
    }
}
