//! `grantd ledger`: the ledgers themselves, without a server.

mod address;
mod archive;
mod backup;
mod checkpoint;
mod checkpoint_file;
mod copy;
mod erase;
mod restore;
mod show;
mod signers;
mod told;
mod unarchive;
mod verify;
mod words;

use clap::Subcommand;

use crate::exit::Ended;

/// What to do with ledgers.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Verify hashes, chain, checkpoints and state: exits with 0 when good, 1 when broken, 2 when it cannot be read
    Verify(verify::VerifyArgs),
    /// Show the entries: who did what, when and why
    Show(show::ShowArgs),
    /// Copy the whole store into a file, also while the server runs
    Backup(backup::BackupArgs),
    /// Put a backup into a new data directory
    Restore(restore::RestoreArgs),
    /// Carry all ledgers over into another store: from SQLite to PostgreSQL, back, or between two of a kind
    Copy(copy::CopyArgs),
    /// Erase the names (and reasons) of a user, key or repository for good; the ledger still verifies
    Erase(erase::EraseArgs),
    /// Sign where the ledger stands; whoever keeps that can tell later whether it was cut or rewritten
    Checkpoint(checkpoint::CheckpointArgs),
    /// Take the oldest entries out of the store into a file, behind a signed checkpoint
    Archive(archive::ArchiveArgs),
    /// Put the entries of the last archive back into the store
    Unarchive(unarchive::UnarchiveArgs),
}

/// Runs one of them.
pub(crate) async fn run(command: &LedgerCommand) -> anyhow::Result<Ended> {
    match command {
        LedgerCommand::Verify(args) => return verify::run(args).await,
        LedgerCommand::Show(args) => show::run(args).await,
        LedgerCommand::Backup(args) => backup::run(args).await,
        LedgerCommand::Restore(args) => restore::run(args).await,
        LedgerCommand::Copy(args) => copy::run(args).await,
        LedgerCommand::Erase(args) => erase::run(args).await,
        LedgerCommand::Checkpoint(args) => checkpoint::run(args).await,
        LedgerCommand::Archive(args) => archive::run(args).await,
        LedgerCommand::Unarchive(args) => unarchive::run(args).await,
    }?;
    Ok(Ended::Yes)
}
