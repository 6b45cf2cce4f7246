//! `grantd ledger restore`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use grantd_node::offline::restore;
use grantd_node::realm::builtin;

use crate::{hex, output};

/// What to put where.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Backup to restore
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// New data directory; must be empty or not there yet
    #[arg(long, env = "GRANTD_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Master key of the original; copied to <data>/master.key when it opens the backup's secrets
    #[arg(long, env = "GRANTD_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

pub(super) async fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    if !args.from.is_file() {
        bail!("there is no backup `{}`", args.from.display());
    }
    let key = args.master_key_file.as_deref();
    let continued = restore(&args.from, &args.data, key, builtin::schema()?).await?;
    output::line(format_args!("the backup is restored to `{}`", args.data.display()))?;
    for realm in continued {
        output::line(format_args!(
            "realm {}\n  revision    {}\n  state hash  {}\n  ledger id   {} (a new one: revisions of the original are not its)",
            realm.realm,
            realm.revision,
            hex::encode(&realm.state_hash.0),
            realm.ledger_id.0,
        ))?;
    }
    let there = args.data.join("master.key");
    if !there.exists() {
        output::note(format_args!(
            "the master key is not there yet: copy the original's to `{}` before the server is started; \
             without it passwords and other sealed secrets cannot be read",
            there.display()
        ))?;
    }
    Ok(())
}
