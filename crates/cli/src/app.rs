//! `grantd app`: programs that ask organizations for permissions.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Answer, Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with apps.
#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// Register an app; its secret is shown this once
    Create(CreateArgs),
    /// List the apps
    List(ClientArgs),
    /// Show one app
    Show(ShowArgs),
    /// Change an app; what is not named stays
    Set(SetArgs),
    /// Give an app another secret, shown this once; the one before counts no more
    Rotate(OneArgs),
    /// Delete an app, with everything that any organization let it do
    Delete(OneArgs),
}

/// An app to be registered.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// What people call it
    name: String,
    /// Where codes may be sent, letter by letter; may be given again
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// It cannot keep a secret, so it gets none, and proves itself by PKCE
    #[arg(long)]
    public: bool,
    /// A scope that people can decline when they agree to the others; may be given again
    #[arg(long = "optional", value_name = "SCOPE")]
    optional_scopes: Vec<String>,
    /// It has to use PKCE; a public one always has to
    #[arg(long)]
    pkce: bool,
    /// Where people learn more about it
    #[arg(long, value_name = "URL")]
    website: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which app.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its client id
    client_id: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which app, and why.
#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// Its client id
    client_id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A change of an app.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct SetArgs {
    /// Its client id
    client_id: String,
    /// What people call it
    #[arg(long, value_name = "TEXT", group = "what")]
    name: Option<String>,
    /// Where codes may be sent, in place of where they could before; may be given again
    #[arg(long = "redirect-uri", value_name = "URI", group = "what")]
    redirect_uris: Vec<String>,
    /// A scope that people can decline, in place of those before; may be given again
    #[arg(long = "optional", value_name = "SCOPE", group = "what")]
    optional_scopes: Vec<String>,
    /// Whether it has to use PKCE
    #[arg(long, value_name = "BOOL", group = "what")]
    pkce: Option<bool>,
    /// Where people learn more about it; empty: nowhere
    #[arg(long, value_name = "URL", group = "what")]
    website: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &AppCommand) -> anyhow::Result<Ended> {
    match command {
        AppCommand::Create(args) => create(args),
        AppCommand::List(args) => list(args),
        AppCommand::Show(args) => show(args),
        AppCommand::Set(args) => set(args),
        AppCommand::Rotate(args) => rotate(args),
        AppCommand::Delete(args) => delete(args),
    }?;
    Ok(Ended::Yes)
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let body = json!({
        "name": args.name, "redirect_uris": args.redirect_uris, "public": args.public,
        "optional_scopes": args.optional_scopes, "pkce_required": args.pkce, "website": args.website,
    });
    let created = Client::new(&args.server)?.post("/api/v1/apps", &body, &args.why)?;
    if args.server.json {
        return output::json(&created.body);
    }
    let id = created.text("client_id");
    if args.public {
        return output::line(format_args!("app {id} is registered"));
    }
    shown_once(&created, &format!("app {id} is registered"))
}

/// The secret alone on stdout, so that it can be sent into a file.
fn shown_once(created: &Answer, what: &str) -> anyhow::Result<()> {
    output::note(format_args!("{what}; its secret is shown this once:"))?;
    output::line(created.text("client_secret"))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let apps = Client::new(args)?.list("/api/v1/apps")?;
    if args.json {
        return output::json(&apps);
    }
    let row =
        |app: &Value| ["client_id", "name", "public", "created_at"].map(|member| text(app, member)).to_vec();
    output::table(&["CLIENT ID", "NAME", "PUBLIC", "CREATED"], apps.iter().map(row).collect())
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let app = Client::new(&args.server)?.get(&of(&args.client_id))?.body;
    if args.server.json {
        return output::json(&app);
    }
    output::table(&["FIELD", "VALUE"], fields(&app))
}

/// A member for each row; the items of a list have rows of their own.
pub(crate) fn fields(record: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (name, value) in record.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => {
                let item = |item: &Value| item.as_str().map_or_else(|| item.to_string(), Into::into);
                rows.extend(items.iter().map(|one| vec![name.clone(), item(one)]));
            }
            Value::Object(_) => rows.push(vec![name.clone(), value.to_string()]),
            _ => rows.push(vec![name.clone(), text(record, name)]),
        }
    }
    rows
}

fn set(args: &SetArgs) -> anyhow::Result<()> {
    let mut body = Map::new();
    if let Some(name) = &args.name {
        body.insert("name".into(), json!(name));
    }
    if !args.redirect_uris.is_empty() {
        body.insert("redirect_uris".into(), json!(args.redirect_uris));
    }
    if !args.optional_scopes.is_empty() {
        body.insert("optional_scopes".into(), json!(args.optional_scopes));
    }
    if let Some(pkce) = args.pkce {
        body.insert("pkce_required".into(), json!(pkce));
    }
    if let Some(website) = &args.website {
        body.insert("website".into(), json!(Some(website).filter(|website| !website.is_empty())));
    }
    let app = Client::new(&args.server)?.patch(&of(&args.client_id), &body.into(), &args.why)?;
    if args.server.json {
        return output::json(&app.body);
    }
    output::line(format_args!("app {} is changed", args.client_id))
}

fn rotate(args: &OneArgs) -> anyhow::Result<()> {
    let path = format!("{}/secret", of(&args.client_id));
    let created = Client::new(&args.server)?.post(&path, &json!({}), &args.why)?;
    if args.server.json {
        return output::json(&created.body);
    }
    shown_once(&created, &format!("app {} has another secret", args.client_id))
}

fn delete(args: &OneArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&of(&args.client_id), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("app {} is deleted, with everything that it was let do", args.client_id))
}

fn of(client_id: &str) -> String {
    format!("/api/v1/apps/{}", segment(client_id))
}
