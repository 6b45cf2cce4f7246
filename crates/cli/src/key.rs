//! `grantd key`: API keys.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is printed this one time
    Create(CreateArgs),
    /// List the keys
    List(ClientArgs),
    /// Revoke a key
    Revoke(RevokeArgs),
}

/// A key to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// What people call it
    name: String,
    /// What it may do to grantd: admin, operator, auditor, approver, writer, checker or requester; may be given again
    /// [default: checker and requester]
    #[arg(long = "grant", value_name = "RELATION", value_delimiter = ',')]
    grants: Vec<String>,
    /// From then on it is refused, for example 2030-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A key to be revoked.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// Its id, see `grantd key list`
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &KeyCommand) -> anyhow::Result<Ended> {
    match command {
        KeyCommand::Create(args) => create(args),
        KeyCommand::List(args) => list(args),
        KeyCommand::Revoke(args) => revoke(args),
    }?;
    Ok(Ended::Yes)
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let body = json!({ "name": args.name, "grants": args.grants, "expires": args.expires });
    let created = Client::new(&args.server)?.post("/api/v1/keys", &body, &args.why)?;
    if args.server.json {
        return output::json(&created.body);
    }
    // The secret alone on stdout, so that it can be sent into a file.
    output::note(format_args!("key {} is made; its secret is shown this once:", created.text("id")))?;
    output::line(created.text("key"))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let keys = Client::new(args)?.list("/api/v1/keys")?;
    if args.json {
        return output::json(&keys);
    }
    output::table(&["ID", "NAME", "GRANTS", "CREATED", "EXPIRES"], keys.iter().map(row).collect())
}

fn row(key: &Value) -> Vec<String> {
    let grants = key.get("grants").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let grants = grants.collect::<Vec<_>>().join(",");
    vec![text(key, "id"), text(key, "name"), grants, text(key, "created_at"), text(key, "expires")]
}

fn revoke(args: &RevokeArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/keys/{}", segment(&args.id));
    let answer = Client::new(&args.server)?.delete(&path, &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("key {} is revoked", args.id))
}
