//! `grantd ledger copy`.

use std::path::PathBuf;

use clap::Args;
use grantd_node::offline::{Copied, Copying, copy};
use grantd_node::realm::builtin;

use super::address::Address;
use super::told::Told;
use crate::{hex, output};

/// What to carry where.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// Store to copy: sqlite://DIR, with a data directory, or postgres://...
    #[arg(long, env = "GRANTD_COPY_FROM", value_name = "STORE", hide_env_values = true)]
    from: Address,
    /// Store to copy into, which must hold nothing, or an unfinished copy of the same
    #[arg(long, env = "GRANTD_COPY_TO", value_name = "STORE", hide_env_values = true)]
    to: Address,
    /// Only this realm; may be given again [default: all of them]
    #[arg(long, value_name = "NAME")]
    realm: Vec<String>,
    /// Copy the entries that are there by now while servers go on; the same without --live finishes the copy later
    #[arg(long)]
    live: bool,
    /// Master key of the source [default: master.key in the data directory of either]
    #[arg(long, env = "GRANTD_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

pub(super) async fn run(args: &CopyArgs) -> anyhow::Result<()> {
    let (from, to) = (args.from.location()?, args.to.location()?);
    let told = Told::new();
    let copying = Copying {
        from: &from,
        to: &to,
        realms: &args.realm,
        live: args.live,
        key: args.master_key_file.as_deref(),
        schema: builtin::schema()?,
        told: &|step| told.step(step),
    };
    let copied = copy(&copying).await;
    told.end();
    report(args, &copied?)
}

fn report(args: &CopyArgs, copied: &Copied) -> anyhow::Result<()> {
    if copied.already {
        output::line("the copy had been finished before; nothing was left to do")?;
        return output::note(format_args!("start servers with {}", args.to.as_settings()));
    }
    for (index, realm) in copied.realms.iter().enumerate() {
        output::line(format_args!("realm {}\n  entries     {}", realm.realm, realm.end.revision))?;
        let Some(head) = copied.heads.get(index) else { continue };
        output::line(format_args!(
            "  rows        {}\n  secrets     {}\n  state hash  {} (verified in both)\n  goes on at  revision {} as ledger {}",
            realm.rows,
            realm.secrets,
            hex::encode(&realm.state_hash.0),
            head.revision,
            head.ledger_id.0,
        ))?;
    }
    if copied.heads.is_empty() {
        return output::note(
            "the copy is not finished, and no server starts on it: stop the servers on the source, then run the same \
             command without --live",
        );
    }
    output::line("the copy is finished")?;
    match &copied.key {
        Some(key) => output::note(format_args!(
            "the secrets are sealed under the same master key as before (`{}` opens all of them): start every server with \
             {} and that key; do not start one on the source again",
            key.display(),
            args.to.as_settings(),
        )),
        None => output::note(format_args!("start servers with {}", args.to.as_settings())),
    }
}
