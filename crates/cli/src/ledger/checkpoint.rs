//! `grantd ledger checkpoint`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use grantd_node::offline::checkpoint;
use grantd_node::open::{Location, open_existing, open_read_only};
use grantd_node::realm::builtin;

use super::checkpoint_file::CheckpointFile;
use super::verify::realm_or_default;
use crate::output;
use crate::store::StoreArgs;

/// What to sign.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Realm to sign [default: default]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    realm: Option<String>,
    /// Write it to this new file instead of printing it
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) async fn run(args: &CheckpointArgs) -> anyhow::Result<()> {
    let realm = realm_or_default(args.realm.as_ref());
    let location = args.store.location();
    // Beside a server it can be signed, but not stored.
    let (store, may_store) = match open_existing(&location).await {
        Ok(store) => (store, true),
        Err(error) if Location::is_held(&error) => (open_read_only(&location).await?, false),
        Err(error) => return Err(error.into()),
    };
    let key = location.master_key()?;
    let signed = checkpoint(&*store, realm, builtin::schema()?, &key, may_store).await;
    let closed = store.close().await;
    let signed = signed?;
    closed?;
    let file = CheckpointFile::new(realm, &signed.checkpoint);
    match &args.to {
        None => output::json(&file)?,
        Some(path) => {
            write(path, &file).with_context(|| format!("checkpoint file `{}`", path.display()))?;
            output::line(format_args!("the checkpoint is in `{}`", path.display()))?;
        }
    }
    if !signed.stored {
        output::note("the server is running, so the store keeps no copy of it")?;
    }
    output::note("keep it where whoever can write the store cannot; `ledger verify --checkpoint` compares")
}

fn write(path: &Path, file: &CheckpointFile) -> anyhow::Result<()> {
    let mut out = OpenOptions::new().write(true).create_new(true).open(path)?;
    writeln!(out, "{}", serde_json::to_string(file)?)?;
    Ok(out.sync_all()?)
}
