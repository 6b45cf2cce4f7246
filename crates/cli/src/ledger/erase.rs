//! `grantd ledger erase`.

use anyhow::anyhow;
use clap::Args;
use grantd_node::offline::{Erasure, erase};
use grantd_node::realm::builtin;
use grantd_node::realm::engine::{NameError, Object};

use super::verify::realm_or_default;
use crate::output;
use crate::store::StoreArgs;

/// What to erase.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Realm that knows it [default: default]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    realm: Option<String>,
    /// Whose names and texts: user:<login>, role:<key>, api_key:<id>, fs_repo:<id>, request:<id>, mix_session:<id> or
    /// tdp_permission:<number>
    #[arg(long, value_name = "TYPE:ID")]
    object: String,
    /// Also the reasons that it gave for the changes it made
    #[arg(long)]
    reasons: bool,
}

pub(super) async fn run(args: &EraseArgs) -> anyhow::Result<()> {
    let object: Object = args
        .object
        .parse()
        .map_err(|error: NameError| anyhow!("`{}` is no object like `user:alice`: {error}", args.object))?;
    let realm = realm_or_default(args.realm.as_ref());
    let store = args.store.change().await?;
    let erased = erase(&*store, realm, builtin::schema()?, &Erasure { object, reasons: args.reasons }).await;
    let closed = store.close().await;
    let erased = erased?;
    closed?;
    if erased.values == 0 {
        return output::line(format_args!("nothing is known of `{}` that could be erased", args.object));
    }
    output::line(format_args!(
        "{} of `{}` erased, at revision {}",
        if erased.values == 1 { "1 value".to_owned() } else { format!("{} values", erased.values) },
        args.object,
        erased.revision
    ))?;
    output::note("backups made before still hold what was erased")
}
