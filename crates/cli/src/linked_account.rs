//! `grantd user link`, `unlink` and `links`: the accounts at the OpenID provider by which somebody signs in.

use clap::Args;
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::output;

/// An account to be linked.
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// Who signs in by it
    login: String,
    /// The account's `sub` at the provider
    #[arg(long, value_name = "SUB")]
    subject: String,
    /// The provider [default: the one by which people sign in there]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// An account to be unlinked.
#[derive(Debug, Args)]
pub(crate) struct UnlinkArgs {
    /// Whose it is
    login: String,
    /// Its id, see `grantd user links`
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Whose accounts.
#[derive(Debug, Args)]
pub(crate) struct LinksArgs {
    /// Whose
    login: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// Links an account.
pub(crate) fn link(args: &LinkArgs) -> anyhow::Result<()> {
    let body = json!({ "subject": args.subject, "issuer": args.issuer });
    let made = Client::new(&args.server)?.post(&of(&args.login), &body, &args.why)?;
    if args.server.json {
        return output::json(&made.body);
    }
    output::line(format_args!("{} signs in by that account of {}", args.login, text(&made.body, "issuer")))
}

/// Takes one away.
pub(crate) fn unlink(args: &UnlinkArgs) -> anyhow::Result<()> {
    let path = format!("{}/{}", of(&args.login), segment(&args.id));
    let done = Client::new(&args.server)?.delete(&path, &args.why)?;
    if args.server.json {
        return output::json(&done.body);
    }
    output::line(format_args!("the account is unlinked, and {} is signed out everywhere", args.login))
}

/// Lists them.
pub(crate) fn links(args: &LinksArgs) -> anyhow::Result<()> {
    let found = Client::new(&args.server)?.get(&of(&args.login))?;
    if args.server.json {
        return output::json(&found.body);
    }
    let row = |account: &Value| ["id", "issuer", "linked_at"].map(|member| text(account, member)).to_vec();
    let items = found.body.get("items").and_then(Value::as_array).into_iter().flatten();
    output::table(&["ID", "ISSUER", "LINKED"], items.map(row).collect())
}

fn of(login: &str) -> String {
    format!("/api/v1/users/{}/linked-accounts", segment(login))
}
