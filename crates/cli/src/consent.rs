//! `grantd consent`: what organizations let apps do.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::fields;
use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with authorizations.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// List what organizations let apps do
    List(ListArgs),
    /// Show one authorization: its scopes, and who agreed to what text
    Show(ShowArgs),
    /// Let an app do something at an organization without a consent
    Grant(GrantArgs),
    /// Withdraw scopes; the app's tokens stay good for the others
    Withdraw(WithdrawArgs),
    /// Disconnect the app: all its tokens for the organization are over
    End(EndArgs),
}

/// Which authorizations.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Of this app, by client id
    #[arg(long, value_name = "CLIENT ID")]
    app: Option<String>,
    /// Of this organization
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which authorization.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id, see `grantd consent list`
    id: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// What an app is let do.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// Its client id
    app: String,
    /// The organization's id
    organization: String,
    /// Which scopes, beside those that it has there
    #[arg(required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    /// In place of those that it has there; its tokens are over
    #[arg(long)]
    force: bool,
    /// From then on it counts no more, for example 2030-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Issue tokens for these scopes and print them
    #[arg(long)]
    tokens: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Scopes to be withdrawn.
#[derive(Debug, Args)]
pub(crate) struct WithdrawArgs {
    /// The authorization's id, see `grantd consent list`
    id: String,
    /// Which scopes
    #[arg(required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// An authorization to be ended.
#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    /// Its id, see `grantd consent list`
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &ConsentCommand) -> anyhow::Result<Ended> {
    match command {
        ConsentCommand::List(args) => list(args),
        ConsentCommand::Show(args) => show(args),
        ConsentCommand::Grant(args) => grant(args),
        ConsentCommand::Withdraw(args) => withdraw(args),
        ConsentCommand::End(args) => end(args),
    }?;
    Ok(Ended::Yes)
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let named = [("app", &args.app), ("organization", &args.organization)];
    let query: Vec<String> = named
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", segment(value.as_ref()?))))
        .collect();
    let path = match query.is_empty() {
        true => "/api/v1/authorizations".to_owned(),
        false => format!("/api/v1/authorizations?{}", query.join("&")),
    };
    let found = Client::new(&args.server)?.list(&path)?;
    if args.server.json {
        return output::json(&found);
    }
    let row = |one: &Value| {
        let scopes = one.get("scopes").and_then(Value::as_array).into_iter().flatten();
        let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
        let mut row = ["id", "app", "organization", "status"].map(|member| text(one, member)).to_vec();
        row.push(scopes.join(" "));
        row.push(text(one, "expires"));
        row
    };
    output::table(
        &["ID", "APP", "ORGANIZATION", "STATUS", "SCOPES", "EXPIRES"],
        found.iter().map(row).collect(),
    )
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let found = Client::new(&args.server)?.get(&of(&args.id))?.body;
    if args.server.json {
        return output::json(&found);
    }
    output::table(&["FIELD", "VALUE"], fields(&found))
}

fn grant(args: &GrantArgs) -> anyhow::Result<()> {
    let body = json!({
        "app": args.app, "organization": args.organization, "scopes": args.scopes, "force": args.force,
        "expires": args.expires, "tokens": args.tokens,
    });
    let given = Client::new(&args.server)?.post("/api/v1/authorizations", &body, &args.why)?;
    // Both tokens and what they are good for belong together.
    if args.server.json || args.tokens {
        return output::json(&given.body);
    }
    let (id, scope) = (given.text("id"), given.text("scope"));
    output::line(format_args!("app {} has {scope} at {} (authorization {id})", args.app, args.organization))
}

fn withdraw(args: &WithdrawArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    for scope in &args.scopes {
        let path = format!("{}/scopes/{}", of(&args.id), segment(scope));
        let answer = client.delete(&path, &args.why)?;
        if args.server.json {
            output::json(&answer.body)?;
        } else {
            output::line(format_args!("{scope} is withdrawn"))?;
        }
    }
    Ok(())
}

fn end(args: &EndArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&of(&args.id), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("authorization {} is over", args.id))
}

fn of(id: &str) -> String {
    format!("/api/v1/authorizations/{}", segment(id))
}
