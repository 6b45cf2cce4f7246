//! `grantd ledger unarchive`.

use std::path::PathBuf;

use clap::Args;
use grantd_node::offline::unarchive;
use grantd_node::realm::builtin;

use super::verify::realm_or_default;
use crate::output;
use crate::store::StoreArgs;

/// What to put back.
#[derive(Debug, Args)]
pub(crate) struct UnarchiveArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Realm whose archive it is [default: default]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    realm: Option<String>,
    /// The archive that was made last
    #[arg(value_name = "FILE")]
    from: PathBuf,
}

pub(super) async fn run(args: &UnarchiveArgs) -> anyhow::Result<()> {
    let realm = realm_or_default(args.realm.as_ref());
    let store = args.store.change().await?;
    let unarchived = unarchive(&*store, realm, builtin::schema()?, &args.from).await;
    let closed = store.close().await;
    let unarchived = unarchived?;
    closed?;
    output::line(format_args!(
        "entries {} to {} of realm {realm} are in the store again; `{}` is no longer needed",
        unarchived.first,
        unarchived.last,
        args.from.display()
    ))
}
