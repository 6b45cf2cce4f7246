//! `grantd ledger restore`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{anyhow, bail};
use clap::Args;
use grantd_node::offline::{Continued, Restoring, restore};
use grantd_node::realm::builtin;
use grantd_node::realm::realms::DEFAULT;

use super::address::Address;
use super::told::Told;
use crate::{hex, output};

/// What to put where.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Backup to restore
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// New data directory; must be empty or not there yet
    #[arg(long, env = "GRANTD_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Store to restore into, in place of --data: sqlite://DIR, or postgres://... of a database that holds no ledgers
    #[arg(long, env = "GRANTD_COPY_TO", value_name = "STORE", hide_env_values = true)]
    to: Option<Address>,
    /// Only up to this revision of the realm [default: default]; may be given for several realms. What came later is left
    /// behind, and with it all sessions, tokens, codes and waiting webhooks of the realm, and passwords that were set later
    #[arg(long, value_name = "[REALM=]REVISION")]
    until: Vec<Until>,
    /// Master key of the original; copied to <data>/master.key when it opens the backup's secrets
    #[arg(long, env = "GRANTD_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

/// Where a realm's ledger shall end.
#[derive(Debug, Clone)]
struct Until {
    realm: String,
    revision: u64,
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (realm, revision) = text.rsplit_once('=').unwrap_or((DEFAULT, text));
        let revision =
            revision.parse().map_err(|_| format!("`{revision}` is no revision: a number like 812"))?;
        Ok(Self { realm: realm.to_owned(), revision })
    }
}

pub(super) async fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    if !args.from.is_file() {
        bail!("there is no backup `{}`", args.from.display());
    }
    let to = match (&args.to, &args.data) {
        (Some(to), _) => to.clone(),
        (None, Some(data)) => Address::Sqlite(data.clone()),
        (None, None) => {
            bail!("say where to: a new data directory with --data DIR, or a store with --to STORE")
        }
    };
    let mut until = BTreeMap::new();
    for Until { realm, revision } in &args.until {
        if until.insert(realm.clone(), *revision).is_some() {
            return Err(anyhow!("--until is given twice for realm `{realm}`"));
        }
    }
    let told = Told::new();
    let restoring = Restoring {
        from: &args.from,
        to: &to.location()?,
        until: &until,
        key: args.master_key_file.as_deref(),
        schema: builtin::schema()?,
        told: &|step| told.step(step),
    };
    let restored = restore(&restoring).await;
    told.end();
    let restored = restored?;
    match &to {
        Address::Sqlite(data) => {
            output::line(format_args!("the backup is restored to `{}`", data.display()))?;
            report(&restored)?;
            note_key(&data.join("master.key"))
        }
        Address::Postgres(_) | Address::Unknown => {
            output::line("the backup is restored to the PostgreSQL store")?;
            report(&restored)?;
            output::note("start every server with the original's master key (--master-key-file)")
        }
    }
}

fn report(restored: &[Continued]) -> anyhow::Result<()> {
    for realm in restored {
        output::line(format_args!(
            "realm {}\n  revision    {}\n  state hash  {}\n  ledger id   {} (a new one: revisions of the original are not its)",
            realm.realm,
            realm.revision,
            hex::encode(&realm.state_hash.0),
            realm.ledger_id.0,
        ))?;
        if realm.left_behind > 0 {
            output::note(format_args!(
                "realm {}: {} rows and secrets are left behind, because something newer than the revision could live on in \
                 them: everybody signs in again, apps are authorized again, and passwords and signing secrets that were set \
                 later have to be set anew",
                realm.realm, realm.left_behind
            ))?;
        }
    }
    Ok(())
}

fn note_key(there: &Path) -> anyhow::Result<()> {
    if there.exists() {
        return Ok(());
    }
    output::note(format_args!(
        "the master key is not there yet: copy the original's to `{}` before the server is started; \
         without it passwords and other sealed secrets cannot be read",
        there.display()
    ))
}
