//! `grantd ledger archive`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use grantd_node::offline::{Archival, archive};
use grantd_node::realm::builtin;

use super::signers::Signers;
use super::verify::realm_or_default;
use crate::store::StoreArgs;
use crate::{hex, output};

/// What to archive, and where to.
#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Realm whose entries to archive [default: default]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    realm: Option<String>,
    /// The first entry that stays; those before it go into the file
    #[arg(long, value_name = "REVISION")]
    before: u64,
    /// File to write; it exists only once it is whole [default: <realm>-until-<last revision>.archive]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    signers: Signers,
}

pub(super) async fn run(args: &ArchiveArgs) -> anyhow::Result<()> {
    let realm = realm_or_default(args.realm.as_ref());
    let to = match &args.to {
        Some(to) => to.clone(),
        None => default_file(realm, args.before)?,
    };
    let location = args.store.location();
    let store = args.store.change().await?;
    let archived = match location.master_key() {
        Ok(key) => {
            let archival = Archival { before: args.before, to: &to, signers: &args.signers.keys() };
            Ok(archive(&*store, realm, builtin::schema()?, &key, archival).await)
        }
        Err(error) => Err(error),
    };
    let closed = store.close().await;
    let archived = archived??;
    closed?;
    if archived.already {
        output::line(format_args!(
            "the entries of realm {realm} up to revision {} are in an archive already",
            archived.last
        ))?;
    } else {
        output::line(format_args!(
            "entries {} to {} of realm {realm} are in `{}`, and no longer in the store",
            archived.first,
            archived.last,
            to.display()
        ))?;
    }
    let checkpoint = &archived.checkpoint;
    output::line(format_args!(
        "  head hash   {}\n  state hash  {}\n  signed by   {}",
        hex::encode(&checkpoint.head_hash.0),
        hex::encode(&checkpoint.state_hash.0),
        hex::encode(&checkpoint.public_key)
    ))?;
    output::note(
        "keep the file: it is the only copy; `ledger verify --archive` looks at it, `ledger unarchive` puts it back",
    )
}

fn default_file(realm: &str, before: u64) -> anyhow::Result<PathBuf> {
    if realm.contains(['/', '\\']) {
        bail!("name the file with --to: realm `{realm}` gives no name for one");
    }
    Ok(PathBuf::from(format!("{realm}-until-{}.archive", before.saturating_sub(1))))
}
