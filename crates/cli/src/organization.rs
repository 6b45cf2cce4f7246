//! `grantd organization`: who agrees to what apps ask for.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::app::fields;
use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub(crate) enum OrganizationCommand {
    /// Make an organization, without members
    Create(CreateArgs),
    /// List the organizations
    List(ClientArgs),
    /// Show one organization and who belongs to it
    Show(ShowArgs),
    /// Change what people call it, or on what terms its members agree to anything
    Set(SetArgs),
    /// Delete an organization, with its tokens and everything that it let apps do
    Delete(OneArgs),
    /// Give somebody a seat
    Seat(SeatArgs),
    /// Take somebody's seat
    Unseat(UnseatArgs),
    /// Approve scopes of an app, so that members may agree to them
    Approve(ApproveArgs),
    /// Make a token of the organization's own, shown this once
    Token(TokenArgs),
    /// List the tokens of its own
    Tokens(ShowArgs),
    /// Revoke a token of its own
    RevokeToken(RevokeArgs),
}

/// An organization to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// What people call it
    name: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which organization.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which organization, and why.
#[derive(Debug, Args)]
pub(crate) struct OneArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A change of an organization.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct SetArgs {
    /// Its id
    id: String,
    /// What people call it
    #[arg(long, value_name = "TEXT", group = "what", conflicts_with_all = ["approval", "longest_life"])]
    name: Option<String>,
    /// Whether an admin has to approve what members may agree to; sets all terms anew
    #[arg(long, value_name = "BOOL", group = "what")]
    approval: Option<bool>,
    /// What is agreed on ends after so many seconds; sets all terms anew
    #[arg(long, value_name = "SECONDS", group = "what")]
    longest_life: Option<u64>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeatArg {
    /// Speaks for the organization
    Admin,
    /// Agrees to what apps ask for, as far as the terms allow
    Member,
}

/// Who gets a seat.
#[derive(Debug, Args)]
pub(crate) struct SeatArgs {
    /// The organization's id
    id: String,
    /// `user:alice` or just the login; `role:dev#member` is everybody in the role `dev`
    member: String,
    /// Which seat
    #[arg(long, value_name = "SEAT", default_value = "member")]
    seat: SeatArg,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Who loses their seat.
#[derive(Debug, Args)]
pub(crate) struct UnseatArgs {
    /// The organization's id
    id: String,
    /// `user:alice` or just the login; `role:dev#member` is everybody in the role `dev`
    member: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// What is approved.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The organization's id
    id: String,
    /// The app's client id
    app: String,
    /// These and no others; none takes the approval back
    #[arg(value_name = "SCOPE")]
    scopes: Vec<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A token to be made.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The organization's id
    id: String,
    /// What it is for
    #[arg(required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A token to be revoked.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The organization's id
    id: String,
    /// The token's id, see `grantd organization tokens`
    token: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &OrganizationCommand) -> anyhow::Result<Ended> {
    match command {
        OrganizationCommand::Create(args) => create(args),
        OrganizationCommand::List(args) => list(args),
        OrganizationCommand::Show(args) => show(args),
        OrganizationCommand::Set(args) => set(args),
        OrganizationCommand::Delete(args) => delete(args),
        OrganizationCommand::Seat(args) => seat(args),
        OrganizationCommand::Unseat(args) => unseat(args),
        OrganizationCommand::Approve(args) => approve(args),
        OrganizationCommand::Token(args) => token(args),
        OrganizationCommand::Tokens(args) => tokens(args),
        OrganizationCommand::RevokeToken(args) => revoke_token(args),
    }?;
    Ok(Ended::Yes)
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let body = json!({ "name": args.name });
    let made = Client::new(&args.server)?.post("/api/v1/organizations", &body, &args.why)?;
    if args.server.json {
        return output::json(&made.body);
    }
    output::line(format_args!("organization {} is made", made.text("id")))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let all = Client::new(args)?.list("/api/v1/organizations")?;
    if args.json {
        return output::json(&all);
    }
    let row = |one: &Value| ["id", "name", "created_at"].map(|member| text(one, member)).to_vec();
    output::table(&["ID", "NAME", "CREATED"], all.iter().map(row).collect())
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let mut organization = client.get(&of(&args.id))?.body;
    let members = client.list(&format!("{}/members", of(&args.id)))?;
    if args.server.json {
        if let Value::Object(shown) = &mut organization {
            shown.insert("members".into(), members.into());
        }
        return output::json(&organization);
    }
    let mut rows = fields(&organization);
    rows.extend(members.iter().map(|one| vec![text(one, "seat"), text(one, "member")]));
    output::table(&["FIELD", "VALUE"], rows)
}

fn set(args: &SetArgs) -> anyhow::Result<()> {
    let mut body = Map::new();
    match &args.name {
        Some(name) => body.insert("name".into(), json!(name)),
        None => {
            let approval = args.approval.unwrap_or(false);
            let policy = json!({ "approval": approval, "longest_life_seconds": args.longest_life });
            body.insert("policy".into(), policy)
        }
    };
    let changed = Client::new(&args.server)?.patch(&of(&args.id), &body.into(), &args.why)?;
    if args.server.json {
        return output::json(&changed.body);
    }
    output::line(format_args!("organization {} is changed", args.id))
}

fn delete(args: &OneArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&of(&args.id), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("organization {} is deleted, with everything that it let apps do", args.id))
}

fn seat(args: &SeatArgs) -> anyhow::Result<()> {
    let seat = match args.seat {
        SeatArg::Admin => "admin",
        SeatArg::Member => "member",
    };
    let body = json!({ "seat": seat });
    let answer = Client::new(&args.server)?.put(&member_of(&args.id, &args.member), &body, &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("{} is {seat} of {}", args.member, args.id))
}

fn unseat(args: &UnseatArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&member_of(&args.id, &args.member), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("{} has no seat in {}", args.member, args.id))
}

fn approve(args: &ApproveArgs) -> anyhow::Result<()> {
    let path = format!("{}/approvals/{}", of(&args.id), segment(&args.app));
    let client = Client::new(&args.server)?;
    let answer = match args.scopes.is_empty() {
        true => client.delete(&path, &args.why)?,
        false => client.put(&path, &json!({ "scopes": args.scopes }), &args.why)?,
    };
    if args.server.json {
        return output::json(&answer.body);
    }
    match args.scopes.is_empty() {
        true => output::line(format_args!("nothing of app {} is approved", args.app)),
        false => {
            output::line(format_args!("members may agree to {} for app {}", args.scopes.join(" "), args.app))
        }
    }
}

fn token(args: &TokenArgs) -> anyhow::Result<()> {
    let body = json!({ "scopes": args.scopes, "name": args.name });
    let path = format!("{}/tokens", of(&args.id));
    let made = Client::new(&args.server)?.post(&path, &body, &args.why)?;
    if args.server.json {
        return output::json(&made.body);
    }
    // The secret alone on stdout, so that it can be sent into a file.
    output::note(format_args!("token {} is made; it is shown this once:", made.text("id")))?;
    output::line(made.text("access_token"))
}

fn tokens(args: &ShowArgs) -> anyhow::Result<()> {
    let all = Client::new(&args.server)?.list(&format!("{}/tokens", of(&args.id)))?;
    if args.server.json {
        return output::json(&all);
    }
    let row = |one: &Value| {
        let scopes = one.get("scopes").and_then(Value::as_array).into_iter().flatten();
        let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
        vec![
            text(one, "id"),
            text(one, "name"),
            scopes.join(" "),
            text(one, "created_by"),
            text(one, "created_at"),
        ]
    };
    output::table(&["ID", "NAME", "SCOPES", "MADE BY", "CREATED"], all.iter().map(row).collect())
}

fn revoke_token(args: &RevokeArgs) -> anyhow::Result<()> {
    let path = format!("{}/tokens/{}", of(&args.id), segment(&args.token));
    let answer = Client::new(&args.server)?.delete(&path, &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("token {} is revoked", args.token))
}

fn of(id: &str) -> String {
    format!("/api/v1/organizations/{}", segment(id))
}

fn member_of(id: &str, member: &str) -> String {
    let member = if member.contains(':') { member.to_owned() } else { format!("user:{member}") };
    format!("{}/members/{}", of(id), segment(&member))
}
