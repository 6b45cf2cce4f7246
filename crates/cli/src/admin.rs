//! `grantd admin`: for who lost the password or the key.

use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use grantd_node::offline::reset_admin;
use grantd_node::realm::builtin;
use grantd_node::{Node, Settings, SystemClock};
use serde_json::json;

use crate::exit::Ended;
use crate::reseal::{self, ResealArgs};
use crate::store::StoreArgs;
use crate::{output, password, secret};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make a new password of user `admin` (made again if gone) and a new system API key; both are printed once
    Reset(ResetArgs),
    /// Seal every secret of the store under the first key of the master key file, after a change of keys or the loss of one;
    /// with PostgreSQL beside running servers. Exits with 1 when some are under a key that is not there
    Reseal(ResealArgs),
}

/// How to reset.
#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Choose the password: asked for at a terminal, else the first line of stdin [default: a random one]
    #[arg(long)]
    password: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs one of them.
pub(crate) async fn run(command: &AdminCommand) -> anyhow::Result<Ended> {
    match command {
        AdminCommand::Reset(args) => reset(args).await.map(|()| Ended::Yes),
        AdminCommand::Reseal(args) => reseal::run(args).await,
    }
}

async fn reset(args: &ResetArgs) -> anyhow::Result<()> {
    let store = args.store.change().await?;
    let master_key = args.store.location().master_key()?;
    let (password, shown) = if args.password {
        (password::read()?, None)
    } else {
        let random = secret::random()?;
        (random.clone(), Some(random))
    };
    anyhow::ensure!((8..=1024).contains(&password.len()), "a password has 8 to 1024 bytes");
    let hash = grantd_server::password::hash_now(&password).context("the password cannot be hashed")?;
    let node = Node::new(Settings {
        store,
        master_key,
        schema: builtin::schema()?,
        clock: Arc::new(SystemClock),
        follow: None,
        decision_log: None,
        observer: Arc::new(()),
    });
    let reset = reset_admin(&node, hash).await;
    let stopped = node.stop().await;
    let reset = reset?;
    stopped?;
    if args.json {
        return output::json(&json!({ "api_key": reset.api_key.0, "password": shown }));
    }
    output::line("These are shown once and stored nowhere in the clear:")?;
    output::line(format_args!("  system API key            {}", reset.api_key.0))?;
    match shown {
        Some(password) => output::line(format_args!("  password of user `admin`  {password}"))?,
        None => output::line("  password of user `admin`  the one that you gave")?,
    }
    output::note("older keys still work; revoke what was lost with `grantd key revoke` in realm `system`")
}
