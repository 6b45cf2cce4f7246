//! The `grantd` command.

mod admin;
mod app;
mod args;
mod ask;
mod catalogue;
mod check;
mod client;
mod completions;
mod config;
mod consent;
mod exit;
mod export;
mod grant;
mod hex;
mod import;
mod key;
mod ledger;
mod linked_account;
mod mcp;
mod organization;
mod output;
mod password;
mod progress;
mod ready;
mod realm;
mod reseal;
mod role;
mod rule;
mod schema;
mod secret;
mod serve;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod settings_tests;
mod ssh;
mod store;
mod user;
mod vm;
mod webhook;
mod who;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::exit::Ended;

/// The system's allocator is markedly slower on small, short-lived pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve)));
    exit::code(run(command))
}

fn run(command: Command) -> anyhow::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Serve(args) => runtime.block_on(serve::run(*args)).map(|()| Ended::Yes),
        Command::Check(args) => check::run(&args),
        Command::User(command) => user::run(&command),
        Command::Role(command) => role::run(&command),
        Command::Grant(args) => grant::grant(&args),
        Command::Revoke(args) => grant::revoke(&args),
        Command::Who(command) => who::run(&command),
        Command::Ask(args) => ask::run(&args),
        Command::Catalogue(command) => catalogue::run(&command),
        Command::Rule(command) => rule::run(&command),
        Command::Webhook(command) => webhook::run(&command),
        Command::Vm(command) => vm::run(&command),
        Command::SshKey(command) => ssh::key(&command),
        Command::SshCertificate(args) => ssh::certificate(&args),
        Command::SshCa(args) => ssh::ca(&args),
        Command::SshAuthorizedKeys(args) => ssh::authorized_keys(&args),
        Command::SshPrincipals(args) => ssh::principals(&args),
        Command::App(command) => app::run(&command),
        Command::Organization(command) => organization::run(&command),
        Command::Consent(command) => consent::run(&command),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Realm(command) => realm::run(&command),
        Command::Ready(args) => ready::run(&args),
        Command::Mcp(args) => runtime.block_on(mcp::run(args)),
        Command::Key(command) => key::run(&command),
        Command::Schema(command) => schema::run(&command),
        Command::Ledger(command) => runtime.block_on(ledger::run(&command)),
        Command::Admin(command) => runtime.block_on(admin::run(&command)),
        Command::Completions(args) => completions::run(&args),
    }
}
