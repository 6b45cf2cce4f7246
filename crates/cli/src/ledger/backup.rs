//! `grantd ledger backup`.

use std::path::PathBuf;

use clap::Args;
use grantd_node::offline::backup;
use grantd_node::realm::builtin;

use super::told::Told;
use crate::output;
use crate::store::StoreArgs;

/// Where the copy goes.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// File to write; it must not exist, and exists only once it is whole
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(super) async fn run(args: &BackupArgs) -> anyhow::Result<()> {
    let location = args.store.location();
    let told = Told::new();
    let copied = backup(&location, &args.to, builtin::schema()?, &|step| told.step(step)).await;
    told.end();
    copied?;
    output::line(format_args!("the store is copied to `{}`", args.to.display()))?;
    output::note(format_args!(
        "the master key is not in it: keep `{}` too, but not in the same place",
        location.master_key_path().display()
    ))
}
