//! `grantd realm`: realms.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with realms. Each needs a key of the realm `system` with `admin`; to list, `auditor` will do.
#[derive(Debug, Subcommand)]
pub(crate) enum RealmCommand {
    /// Make a realm
    Create(CreateArgs),
    /// List the realms
    List(ClientArgs),
    /// Delete a realm: nothing of it is served any more; its ledger stays in the store
    Delete(DeleteArgs),
}

/// A realm to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// 1 to 64 of `a-z`, `0-9` and `-`
    name: String,
    /// Make a first API key in it, with `admin`; its secret is printed this one time
    #[arg(long)]
    admin_key: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A realm to be deleted.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Which
    name: String,
    /// The name once more: what is deleted does not come back
    #[arg(long, value_name = "NAME")]
    confirm: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &RealmCommand) -> anyhow::Result<Ended> {
    match command {
        RealmCommand::Create(args) => create(args),
        RealmCommand::List(args) => list(args),
        RealmCommand::Delete(args) => delete(args),
    }?;
    Ok(Ended::Yes)
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let body = json!({ "name": args.name, "admin_key": args.admin_key });
    let created = Client::new(&args.server)?.post("/api/v1/realms", &body, &args.why)?;
    if args.server.json {
        return output::json(&created.body);
    }
    match created.body.get("admin_key") {
        None => output::line(format_args!("realm {} is made", args.name)),
        Some(key) => {
            // The secret alone on stdout, so that it can be sent into a file.
            output::note(format_args!(
                "realm {} is made; the secret of its key is shown this once:",
                args.name
            ))?;
            output::line(text(key, "key"))
        }
    }
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let realms = Client::new(args)?.list("/api/v1/realms")?;
    if args.json {
        return output::json(&realms);
    }
    let row = |realm: &Value| vec![text(realm, "name"), text(realm, "created_at")];
    output::table(&["NAME", "CREATED"], realms.iter().map(row).collect())
}

fn delete(args: &DeleteArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/realms/{}?confirm={}", segment(&args.name), segment(&args.confirm));
    let answer = Client::new(&args.server)?.delete(&path, &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("realm {} is deleted", args.name))
}
