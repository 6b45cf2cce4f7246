//! `grantd ledger verify`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use grantd_node::ledger::store::Checkpoint;
use grantd_node::offline::{Evidence, InArchives, Verified, realm_of_archive, signing_key, verify_with};
use grantd_node::realm::builtin;
use grantd_node::realm::realms::DEFAULT;
use serde_json::{Value, json};

use super::checkpoint_file::CheckpointFile;
use super::signers::Signers;
use crate::exit::Ended;
use crate::store::StoreArgs;
use crate::{hex, output};

/// What to verify.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Only this realm [default: all of them]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    realm: Option<String>,
    /// Compare with a checkpoint that was kept: the JSON that `ledger checkpoint` printed
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Also look at the entries in these archives, the oldest first
    #[arg(long, value_name = "FILE", num_args = 1..)]
    archive: Vec<PathBuf>,
    #[command(flatten)]
    signers: Signers,
    /// Print one JSON object for each realm
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &VerifyArgs) -> anyhow::Result<Ended> {
    let kept = args.checkpoint.as_deref().map(read_kept).transpose()?;
    let store = args.store.read().await?;
    let realms = match &args.realm {
        Some(realm) => vec![realm.clone()],
        None => store.realms().await?,
    };
    if realms.is_empty() {
        bail!("the store holds no realm; the first start of the server makes one");
    }
    let mut ended = Ended::Yes;
    match &kept {
        Some((of, _)) if !realms.contains(of) && args.realm.is_some() => {
            bail!("the checkpoint is of realm `{of}`; verify that one, or all")
        }
        Some((of, _)) if !realms.contains(of) => {
            report_lost(of, args.json)?;
            ended = Ended::No;
        }
        Some(_) | None => {}
    }
    let mut unreadable = Vec::new();
    let archives = by_realm(&args.archive, &realms)?;
    // Without its file nobody can tell whose signatures they are.
    let signers = match args.store.location().master_key() {
        Ok(key) => args.signers.with(signing_key(&key)?),
        Err(_) => args.signers.keys(),
    };
    for realm in &realms {
        let kept: Vec<_> = kept.iter().filter(|(of, _)| of == realm).map(|(_, c)| c.clone()).collect();
        let archives = archives.get(realm).map(Vec::as_slice).unwrap_or_default();
        let evidence = Evidence { checkpoints: &kept, archives, signers: &signers };
        match verify_with(&*store, realm, builtin::schema()?, &evidence).await {
            Ok(verified) => {
                report(realm, &verified, args.json)?;
                if verified.problem.is_some() {
                    ended = Ended::No;
                }
            }
            Err(error) => unreadable.push(format!("realm `{realm}`: {error}")),
        }
    }
    if unreadable.is_empty() {
        return Ok(ended);
    }
    bail!("{}", unreadable.join("; "))
}

/// The archives of each realm, in the order in which they were named.
fn by_realm(files: &[PathBuf], realms: &[String]) -> anyhow::Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut archives: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        let realm = realm_of_archive(file)?;
        if !realms.contains(&realm) {
            bail!("archive `{}` is of realm `{realm}`; verify that one, or all", file.display());
        }
        archives.entry(realm).or_default().push(file.clone());
    }
    Ok(archives)
}

/// A checkpoint that somebody kept, and the realm that it is of.
fn read_kept(path: &Path) -> anyhow::Result<(String, Checkpoint)> {
    let file = CheckpointFile::read(path)?;
    let checkpoint = file.checkpoint()?;
    Ok((file.realm, checkpoint))
}

fn report(realm: &str, verified: &Verified, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return output::json(&to_json(realm, verified));
    }
    let Verified { head, state_hash, erased, checkpoints, archived, problem } = verified;
    if let Some(problem) = problem {
        return output::line(format_args!(
            "realm {realm}: BROKEN: {}\n  good up to     revision {} of ledger {}",
            problem.what, head.revision, head.ledger_id.0
        ));
    }
    output::line(format_args!(
        "realm {realm}: good\n  entries        {}\n  ledger id      {}\n  head hash      {}\n  state hash     {}\n  \
         erased values  {erased}\n  checkpoints    {checkpoints}",
        head.revision,
        head.ledger_id.0,
        hex::encode(&head.hash.0),
        hex::encode(&state_hash.0)
    ))?;
    let Some(InArchives { entries, looked_at, public_key }) = archived else { return Ok(()) };
    let not_looked_at = match entries - looked_at {
        0 => String::new(),
        rest => format!(" ({rest} of them not looked at: name their files with --archive)"),
    };
    output::line(format_args!(
        "  archived       the first {entries} entries are in archives{not_looked_at}\n  signed by      {}",
        hex::encode(public_key)
    ))
}

fn to_json(realm: &str, verified: &Verified) -> Value {
    let Verified { head, state_hash, erased, checkpoints, archived, problem } = verified;
    json!({
        "realm": realm,
        "ledger_id": head.ledger_id.0,
        "revision": head.revision,
        "head_hash": hex::encode(&head.hash.0),
        "state_hash": hex::encode(&state_hash.0),
        "erased": erased,
        "checkpoints": checkpoints,
        "archived": archived.map_or(0, |archived| archived.entries),
        "archived_looked_at": archived.map_or(0, |archived| archived.looked_at),
        "signed_by": archived.map(|archived| hex::encode(&archived.public_key)),
        "ok": problem.is_none(),
        "problem": problem.as_ref().map(|problem| &problem.what),
        "problem_revision": problem.as_ref().map(|problem| problem.revision),
    })
}

/// A whole ledger that somebody kept a checkpoint of is gone.
fn report_lost(realm: &str, as_json: bool) -> anyhow::Result<()> {
    let problem = "the ledger that the checkpoint was signed for is not there";
    if as_json {
        return output::json(&json!({
            "realm": realm, "ledger_id": null, "revision": 0, "head_hash": null, "state_hash": null,
            "erased": 0, "checkpoints": 0, "archived": 0, "archived_looked_at": 0, "signed_by": null, "ok": false, "problem": problem, "problem_revision": 1,
        }));
    }
    output::line(format_args!("realm {realm}: BROKEN: {problem}"))
}

/// The realm of a command that works on one.
pub(super) fn realm_or_default(realm: Option<&String>) -> &str {
    realm.map_or(DEFAULT, String::as_str)
}
