//! `grantd ssh-key`: by which keys identities are known to a VM's own sshd.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with SSH keys.
#[derive(Debug, Subcommand)]
pub(crate) enum SshKeyCommand {
    /// Give an identity a key
    Add(AddArgs),
    /// List the keys
    List(ListArgs),
    /// Take a key away from its identity
    Remove(RemoveArgs),
}

/// A key to be added.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Whose: the identity's id
    identity: String,
    /// The public key (`.pub`); its comment is not kept
    #[arg(value_name = "FILE")]
    key: PathBuf,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which keys to list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Those of this identity
    #[arg(long, value_name = "ID")]
    identity: Option<String>,
    #[command(flatten)]
    server: ClientArgs,
}

/// A key to be removed.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Its id, see `grantd ssh-key list`
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &SshKeyCommand) -> anyhow::Result<Ended> {
    match command {
        SshKeyCommand::Add(args) => add(args),
        SshKeyCommand::List(args) => list(args),
        SshKeyCommand::Remove(args) => remove(args),
    }?;
    Ok(Ended::Yes)
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let key =
        std::fs::read_to_string(&args.key).with_context(|| format!("key file `{}`", args.key.display()))?;
    let body = json!({ "identity": args.identity, "public_key": key, "name": args.name });
    let added = Client::new(&args.server)?.post("/api/v1/ssh-keys", &body, &args.why)?;
    if args.server.json {
        return output::json(&added.body);
    }
    output::line(format_args!("key {} ({}) is added", added.text("id"), added.text("fingerprint")))
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let of = args.identity.as_ref().map(|id| format!("?identity={}", segment(id))).unwrap_or_default();
    let keys = Client::new(&args.server)?.list(&format!("/api/v1/ssh-keys{of}"))?;
    if args.server.json {
        return output::json(&keys);
    }
    let members = ["id", "identity", "fingerprint", "name", "created_at"];
    let row = |key: &Value| members.map(|member| text(key, member)).to_vec();
    output::table(&["ID", "IDENTITY", "FINGERPRINT", "NAME", "ADDED"], keys.iter().map(row).collect())
}

fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/ssh-keys/{}", segment(&args.id));
    let answer = Client::new(&args.server)?.delete(&path, &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("key {} is removed", args.id))
}
