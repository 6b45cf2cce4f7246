//! `grantd webhook`: who is told of what happens.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// List the webhooks
    List(ClientArgs),
    /// Make a webhook; its signing secret is printed this one time
    Add(AddArgs),
    /// Delete a webhook, with what waits to be sent to it
    Remove(OneArgs),
    /// Send a ping; whether it arrived is in `grantd webhook deliveries`
    Test(OneArgs),
    /// List what waits to be sent, and how the last messages ended
    Deliveries(ShowArgs),
    /// Make another signing secret, printed this one time; the one before signs too for 24 hours
    Rotate(OneArgs),
}

/// A webhook to be made.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Where to: https, and a public address, unless the server allows others
    #[arg(value_name = "URL")]
    receiver: String,
    /// Of what: request.created, request.decided, request.expired or request.cancelled; may be given again [default: of
    /// everything]
    #[arg(long = "event", value_name = "EVENT", value_delimiter = ',')]
    events: Vec<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A webhook to be changed.
#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// Its id, see `grantd webhook list`
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A webhook to be shown.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id, see `grantd webhook list`
    id: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &WebhookCommand) -> anyhow::Result<Ended> {
    match command {
        WebhookCommand::List(args) => list(args),
        WebhookCommand::Add(args) => add(args),
        WebhookCommand::Remove(args) => remove(args),
        WebhookCommand::Test(args) => test(args),
        WebhookCommand::Deliveries(args) => deliveries(args),
        WebhookCommand::Rotate(args) => rotate(args),
    }?;
    Ok(Ended::Yes)
}

fn path(id: &str, rest: &str) -> String {
    format!("/api/v1/webhooks/{}{rest}", segment(id))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let webhooks = Client::new(args)?.list("/api/v1/webhooks")?;
    if args.json {
        return output::json(&webhooks);
    }
    let row = |webhook: &Value| {
        let events = webhook.get("events").and_then(Value::as_array).into_iter().flatten();
        let events = events.filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        let events = if events.is_empty() { "all".into() } else { events };
        let member = |name| text(webhook, name);
        vec![
            member("id"),
            member("url"),
            events,
            member("enabled"),
            member("description"),
            member("created_at"),
        ]
    };
    output::table(
        &["ID", "URL", "EVENTS", "ENABLED", "DESCRIPTION", "CREATED"],
        webhooks.iter().map(row).collect(),
    )
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let body = json!({ "url": args.receiver, "events": args.events, "description": args.description });
    let created = Client::new(&args.server)?.post("/api/v1/webhooks", &body, &args.why)?;
    if args.server.json {
        return output::json(&created.body);
    }
    // The secret alone on stdout, so that it can be sent into a file.
    output::note(format_args!("webhook {} is made; its secret is shown this once:", created.text("id")))?;
    output::line(created.text("secret"))
}

fn rotate(args: &OneArgs) -> anyhow::Result<()> {
    let rotated = Client::new(&args.server)?.post(&path(&args.id, "/secret"), &json!({}), &args.why)?;
    if args.server.json {
        return output::json(&rotated.body);
    }
    let until = rotated.text("previous_secret_until");
    output::note(format_args!("the secret is shown this once; the one before signs too until {until}:"))?;
    output::line(rotated.text("secret"))
}

fn remove(args: &OneArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&path(&args.id, ""), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("webhook {} is deleted", args.id))
}

fn test(args: &OneArgs) -> anyhow::Result<()> {
    let sent = Client::new(&args.server)?.post(&path(&args.id, "/test"), &json!({}), &args.why)?;
    if args.server.json {
        return output::json(&sent.body);
    }
    output::line(format_args!("{} is on its way", sent.text("id")))
}

fn deliveries(args: &ShowArgs) -> anyhow::Result<()> {
    let found = Client::new(&args.server)?.get(&path(&args.id, "/deliveries"))?.body;
    if args.server.json {
        return output::json(&found);
    }
    let items = found.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let members = [
        "id",
        "type",
        "status",
        "attempts",
        "last_status",
        "last_problem",
        "last_attempt_at",
        "next_attempt_at",
    ];
    let row = |delivery: &Value| members.map(|member| text(delivery, member)).to_vec();
    let header = ["ID", "TYPE", "STATUS", "ATTEMPTS", "ANSWER", "PROBLEM", "LAST", "NEXT"];
    output::table(&header, items.iter().map(row).collect())?;
    match found.get("more_waiting").and_then(Value::as_bool) {
        Some(true) => output::note(format_args!("more are waiting")),
        _ => Ok(()),
    }
}
