//! `grantd role`: roles, and who is in them.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with roles.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// Make a role, without members
    Create(CreateArgs),
    /// List the roles
    List(ClientArgs),
    /// Show one role and who is in it
    Show(ShowArgs),
    /// Change what a role is called; what is not named stays
    Set(SetArgs),
    /// Delete a role with everything that names it; made again it starts empty
    Delete(ShowWhyArgs),
    /// Put somebody into a role
    Add(MemberArgs),
    /// Take somebody out of a role
    Remove(MemberArgs),
}

/// A role to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Letters, digits, `-` and `_`; never changes
    key: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which role.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its key
    key: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// A change of a role.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct SetArgs {
    /// Its key
    key: String,
    /// What people call it
    #[arg(long, value_name = "TEXT", group = "what", conflicts_with = "no_name")]
    name: Option<String>,
    /// Call it by its key
    #[arg(long, group = "what")]
    no_name: bool,
    /// What it is for
    #[arg(long, value_name = "TEXT", group = "what", conflicts_with = "no_description")]
    description: Option<String>,
    /// Forget what it is for
    #[arg(long, group = "what")]
    no_description: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A role to be deleted.
#[derive(Debug, Args)]
pub(crate) struct ShowWhyArgs {
    /// Its key
    key: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Who comes into a role, or leaves it.
#[derive(Debug, Args)]
pub(crate) struct MemberArgs {
    /// The role's key
    key: String,
    /// `user:alice` or just the login; `role:dev#member` is everybody in the role `dev`
    #[arg(required = true, value_name = "MEMBER")]
    members: Vec<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &RoleCommand) -> anyhow::Result<Ended> {
    match command {
        RoleCommand::Create(args) => create(args),
        RoleCommand::List(args) => list(args),
        RoleCommand::Show(args) => show(args),
        RoleCommand::Set(args) => set(args),
        RoleCommand::Delete(args) => delete(args),
        RoleCommand::Add(args) => add(args),
        RoleCommand::Remove(args) => remove(args),
    }?;
    Ok(Ended::Yes)
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let body = json!({ "key": args.key, "display_name": args.name, "description": args.description });
    let role = Client::new(&args.server)?.post("/api/v1/roles", &body, &args.why)?;
    if args.server.json {
        return output::json(&role.body);
    }
    output::line(format_args!("role {} is made", args.key))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let roles = Client::new(args)?.list("/api/v1/roles")?;
    if args.json {
        return output::json(&roles);
    }
    let row = |role: &Value| {
        ["key", "display_name", "description", "created_at"].map(|member| text(role, member)).to_vec()
    };
    output::table(&["KEY", "NAME", "DESCRIPTION", "CREATED"], roles.iter().map(row).collect())
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let mut role = client.get(&of(&args.key))?.body;
    let members = client.list(&format!("{}/members", of(&args.key)))?;
    if args.server.json {
        if let Value::Object(shown) = &mut role {
            shown.insert("members".into(), members.into());
        }
        return output::json(&role);
    }
    let fields = role.as_object().into_iter().flat_map(Map::keys);
    let mut rows: Vec<Vec<String>> = fields.map(|name| vec![name.clone(), text(&role, name)]).collect();
    rows.extend(members.iter().map(|member| vec!["member".into(), text(member, "member")]));
    output::table(&["FIELD", "VALUE"], rows)
}

fn set(args: &SetArgs) -> anyhow::Result<()> {
    let mut body = Map::new();
    if args.name.is_some() || args.no_name {
        body.insert("display_name".into(), json!(args.name));
    }
    if args.description.is_some() || args.no_description {
        body.insert("description".into(), json!(args.description));
    }
    let role = Client::new(&args.server)?.patch(&of(&args.key), &body.into(), &args.why)?;
    if args.server.json {
        return output::json(&role.body);
    }
    output::line(format_args!("role {} is changed", args.key))
}

fn delete(args: &ShowWhyArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&of(&args.key), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("role {} is deleted, with everything that named it", args.key))
}

fn add(args: &MemberArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    for member in &args.members {
        let answer = client.put(&member_of(&args.key, member), &json!({}), &args.why)?;
        if args.server.json {
            output::json(&answer.body)?;
        } else {
            output::line(format_args!("{member} is in role {}", args.key))?;
        }
    }
    Ok(())
}

fn remove(args: &MemberArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    for member in &args.members {
        let answer = client.delete(&member_of(&args.key, member), &args.why)?;
        if args.server.json {
            output::json(&answer.body)?;
        } else {
            output::line(format_args!("{member} is not in role {}", args.key))?;
        }
    }
    Ok(())
}

fn of(key: &str) -> String {
    format!("/api/v1/roles/{}", segment(key))
}

fn member_of(key: &str, member: &str) -> String {
    let member = if member.contains(':') { member.to_owned() } else { format!("user:{member}") };
    format!("{}/members/{}", of(key), segment(&member))
}
