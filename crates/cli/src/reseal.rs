//! `grantd admin reseal`: one master key takes the place of another.

use std::collections::BTreeMap;

use clap::Args;
use grantd_node::offline::{Resealed, Unopened, reseal};
use serde_json::json;

use crate::exit::Ended;
use crate::output;
use crate::store::StoreArgs;

/// What to seal anew.
#[derive(Debug, Args)]
pub(crate) struct ResealArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Remove the secrets that no key of the file opens, because the key to them is gone for good: passwords have to be set
    /// anew then, webhooks given new secrets, and VMs new keys of the gateway
    #[arg(long)]
    forget_lost: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Exits with 1 if secrets are left that are not under the first key of the file.
pub(crate) async fn run(args: &ResealArgs) -> anyhow::Result<Ended> {
    let store = args.store.change().await?;
    let master_key = args.store.location().master_key()?;
    let unopened = if args.forget_lost { Unopened::Forget } else { Unopened::Keep };
    let done = reseal(&*store, &master_key, unopened).await;
    let closed = store.close().await;
    let done = done?;
    closed?;
    tell(args, &done)?;
    Ok(Ended::from(args.forget_lost || done.unopened.is_empty()))
}

fn tell(args: &ResealArgs, done: &Resealed) -> anyhow::Result<()> {
    let lost = by_kind(done);
    if args.json {
        let lost: BTreeMap<String, usize> =
            lost.into_iter().map(|((realm, kind), n)| (format!("{realm}/{kind}"), n)).collect();
        return output::json(&json!({
            "resealed": done.resealed, "already": done.already, "forgotten": args.forget_lost, "unopened": lost,
        }));
    }
    output::line(format_args!("sealed anew      {}", done.resealed))?;
    output::line(format_args!("were so already  {}", done.already))?;
    for ((realm, kind), count) in &lost {
        let what = if args.forget_lost { "forgotten" } else { "not opened" };
        output::line(format_args!("{what:<15}  {count} of kind `{kind}` in realm `{realm}`"))?;
    }
    if lost.is_empty() {
        return output::note("the other keys of the file can go, once no server uses them any more");
    }
    output::note(if args.forget_lost {
        "set passwords, webhook secrets and keys of the gateway (`grantd vm rotate`) anew where they were forgotten; `grantd admin \
         reset` lets `admin` in"
    } else {
        "these are under a key that is not in the file: add it at the end; or, if it is gone for good, run this again with \
         --forget-lost"
    })
}

/// How many of each realm, and of each kind: what a name begins with.
fn by_kind(done: &Resealed) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for (realm, name) in &done.unopened {
        let kind = name.split('/').next().unwrap_or(name);
        *counts.entry((realm.clone(), kind.to_owned())).or_default() += 1;
    }
    counts
}
