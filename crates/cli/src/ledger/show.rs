//! `grantd ledger show`.

use clap::Args;
use grantd_node::entry::{Disclosed, changes, reason};
use grantd_server::ledger_view::change_as_json;
use grantd_server::time::rfc3339;
use serde_json::{Value, json};

use super::verify::realm_or_default;
use super::words;
use crate::store::StoreArgs;
use crate::{hex, output};

/// How many entries are read at a time.
const PAGE: usize = 1_000;

/// Which entries.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Realm whose entries to show [default: default]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    realm: Option<String>,
    /// Entries after this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0)]
    after: u64,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Print one JSON object for each entry
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let realm = realm_or_default(args.realm.as_ref());
    let store = args.store.read().await?;
    let (mut after, mut left) = (args.after, args.limit);
    while left > 0 {
        let page = store.entries(realm, after, left.min(PAGE)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.entry.revision;
        left = left.saturating_sub(page.len());
        for disclosed in &page {
            if args.json { output::json(&to_json(disclosed)) } else { print(disclosed) }?;
        }
    }
    if store.head(realm).await?.revision > after && !args.json {
        output::note(format_args!("there are more; go on with --after {after}"))?;
    }
    Ok(())
}

fn print(disclosed: &Disclosed) -> anyhow::Result<()> {
    let entry = &disclosed.entry;
    let (actor, via) = (words::plain(&entry.actor), words::plain(&entry.via));
    output::line(format_args!("{:>6}  {}  {actor} via {via}", entry.revision, rfc3339(entry.time)))?;
    for line in words::lines(disclosed) {
        output::line(format_args!("        {line}"))?;
    }
    match (entry.reason, reason(disclosed)) {
        (None, _) => Ok(()),
        (Some(_), Some(reason)) => output::line(format_args!("        reason: {}", words::plain(&reason))),
        (Some(_), None) => output::line("        reason: (erased)"),
    }
}

/// As `GET /api/v1/ledger` answers it.
fn to_json(disclosed: &Disclosed) -> Value {
    let entry = &disclosed.entry;
    let (changes, problem) = match changes(disclosed) {
        Ok(changes) => (changes.iter().map(change_as_json).collect::<Vec<_>>(), None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let mut json = json!({
        "revision": entry.revision,
        "time": rfc3339(entry.time),
        "actor": entry.actor,
        "via": entry.via,
        "command_id": uuid::Uuid::from_bytes(entry.command_id.0),
        "changes": changes,
        "hash": hex::encode(&entry.hash.0),
    });
    if let Some(members) = json.as_object_mut() {
        members.extend(reason(disclosed).map(|reason| ("reason".to_owned(), reason.into())));
        members.extend(problem.map(|problem| ("problem".to_owned(), problem.into())));
    }
    json
}
