//! `grantd who`: who may do something, and what somebody may do.

use clap::{Args, Subcommand};
use grantd_engine::{Schema, Source};
use grantd_realm::builtin;
use serde_json::{Value, json};

use crate::check::reasons;
use crate::client::{Client, ClientArgs, text};
use crate::exit::Ended;
use crate::output;

/// Who may do what.
#[derive(Debug, Subcommand)]
pub(crate) enum WhoCommand {
    /// List who may do something to a resource; exits with 1 if nobody may
    Can(CanArgs),
    /// List what somebody may do, and which roles they are in; exits with 1 if there is nothing
    Is(IsArgs),
}

/// Something that may be done.
#[derive(Debug, Args)]
pub(crate) struct CanArgs {
    /// A relation of the resource's type, for example `read`
    action: String,
    /// To what: `pulp_uri:/v2/repositories/`
    resource: String,
    /// Look for subjects of this type; may be given again [default: user, api_key and identity]
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// Say why each of them may
    #[arg(long)]
    why: bool,
    #[command(flatten)]
    server: ClientArgs,
}

/// Somebody.
#[derive(Debug, Args)]
pub(crate) struct IsArgs {
    /// Who: `user:alice`, `role:qa#member` for everybody in a role
    subject: String,
    /// Look for resources of this type; may be given again [default: all types]
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    #[command(flatten)]
    server: ClientArgs,
}

/// Who asks for access when no type is named.
const CALLERS: [&str; 3] = ["user", "api_key", "identity"];

/// Runs one of them.
pub(crate) fn run(command: &WhoCommand) -> anyhow::Result<Ended> {
    match command {
        WhoCommand::Can(args) => can(args),
        WhoCommand::Is(args) => is(args),
    }
}

fn can(args: &CanArgs) -> anyhow::Result<Ended> {
    let CanArgs { action, resource, types, why, server } = args;
    let client = Client::new(server)?;
    let callers = CALLERS.map(str::to_owned);
    let types: &[String] = if types.is_empty() { &callers } else { types };
    let mut found = Vec::new();
    for kind in types {
        let wanted = json!({ "subject_type": kind, "action": action, "resource": resource });
        found.extend(search(&client, "/api/v1/search/subjects", wanted)?);
    }
    let mut shown = Vec::new();
    for one in &found {
        let subject = text(one, "subject");
        if !why {
            shown.push(json!({ "subject": subject }));
            continue;
        }
        let question = json!({ "subject": subject, "action": action, "resource": resource, "explain": true });
        let mut answer = client.ask("/api/v1/check", &question, None)?.body;
        let because = answer.get_mut("because").map(Value::take).unwrap_or_default();
        shown.push(json!({ "subject": subject, "because": because }));
    }
    if server.json {
        output::json(&shown)?;
        return Ok(Ended::from(!found.is_empty()));
    }
    if found.is_empty() {
        output::note(format_args!("nobody of the types {} may", types.join(", ")))?;
    }
    for one in &shown {
        output::line(text(one, "subject"))?;
        if *why {
            reasons(one)?;
        }
    }
    Ok(Ended::from(!found.is_empty()))
}

fn is(args: &IsArgs) -> anyhow::Result<Ended> {
    let IsArgs { subject, types, server } = args;
    let client = Client::new(server)?;
    let own = client.get_text("/api/v1/schema?format=text")?;
    let schema = Schema::clone(&*builtin::schema()?).extend(&[Source { name: "schema", text: &own }])?;
    for kind in types {
        anyhow::ensure!(schema.type_name(kind).is_some(), "there is no type `{kind}` in the model");
    }
    let mut found = Vec::new();
    let is_wanted = |kind: &str| types.is_empty() || types.iter().any(|one| one == kind);
    for kind in schema.types().filter(|kind| is_wanted(kind.as_str())) {
        for action in schema.relations(kind.as_str()) {
            let wanted =
                json!({ "subject": subject, "action": action.as_str(), "resource_type": kind.as_str() });
            for one in search(&client, "/api/v1/search/resources", wanted)? {
                let covers = one.get("covers").cloned().unwrap_or_default();
                let resource = text(&one, "resource");
                found.push(json!({ "action": action.as_str(), "resource": resource, "covers": covers }));
            }
        }
    }
    if server.json {
        output::json(&found)?;
        return Ok(Ended::from(!found.is_empty()));
    }
    if found.is_empty() {
        output::note(format_args!("{subject} may do nothing"))?;
        return Ok(Ended::No);
    }
    let row = |one: &Value| {
        let below = if one.get("covers").is_some_and(Value::is_string) { "and below" } else { "" };
        vec![text(one, "action"), text(one, "resource"), below.to_owned()]
    };
    output::table(&["ACTION", "RESOURCE", ""], found.iter().map(row).collect())?;
    Ok(Ended::Yes)
}

/// Everything that a search finds, over all its pages.
fn search(client: &Client, path: &str, mut wanted: Value) -> anyhow::Result<Vec<Value>> {
    let mut found = Vec::new();
    if let Value::Object(members) = &mut wanted {
        members.insert("limit".into(), 1_000.into());
    }
    loop {
        let mut page = client.ask(path, &wanted, None)?.body;
        if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
            found.extend(items);
        }
        let next = page.get("next").filter(|next| next.is_string()).cloned();
        let (Some(next), Value::Object(members)) = (next, &mut wanted) else { return Ok(found) };
        members.insert("cursor".into(), next);
    }
}
