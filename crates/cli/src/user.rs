//! `grantd user`: people.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::linked_account::{self, LinkArgs, LinksArgs, UnlinkArgs};
use crate::{output, password};

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user
    Create(CreateArgs),
    /// List the users
    List(ClientArgs),
    /// Show one user
    Show(ShowArgs),
    /// Change a user; what is not named stays
    Set(SetArgs),
    /// Delete a user with everything that names them
    Delete(DeleteArgs),
    /// Let whoever proves to be an account of the OpenID provider sign in as a user
    Link(LinkArgs),
    /// Take such an account away from a user, and sign the user out everywhere
    Unlink(UnlinkArgs),
    /// List the accounts by which a user signs in
    Links(LinksArgs),
}

/// A user to be made.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Letters, digits and `.@+_-`; never changes
    login: String,
    /// What people call them
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Set a password: asked for at a terminal, else the first line of stdin
    #[arg(long)]
    password: bool,
    /// Role that they are a member of from the start; may be given again
    #[arg(long = "role", value_name = "KEY", value_delimiter = ',')]
    roles: Vec<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Which user.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Their login
    login: String,
    #[command(flatten)]
    server: ClientArgs,
}

/// A change of a user.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true)))]
pub(crate) struct SetArgs {
    /// Their login
    login: String,
    /// What people call them
    #[arg(long, value_name = "TEXT", group = "what", conflicts_with = "no_name")]
    name: Option<String>,
    /// Forget their name
    #[arg(long, group = "what")]
    no_name: bool,
    /// Set a new password: asked for at a terminal, else the first line of stdin
    #[arg(long, group = "what")]
    password: bool,
    /// Whether they may sign in
    #[arg(long, value_name = "true|false", group = "what")]
    active: Option<bool>,
    /// Role that they are a member of from now on, in place of those before; may be given again
    #[arg(
        long = "role",
        value_name = "KEY",
        value_delimiter = ',',
        group = "what",
        conflicts_with = "no_roles"
    )]
    roles: Vec<String>,
    /// Take them out of all roles
    #[arg(long, group = "what")]
    no_roles: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A user to be deleted.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Their login
    login: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Runs one of them.
pub(crate) fn run(command: &UserCommand) -> anyhow::Result<Ended> {
    match command {
        UserCommand::Create(args) => create(args),
        UserCommand::List(args) => list(args),
        UserCommand::Show(args) => show(args),
        UserCommand::Set(args) => set(args),
        UserCommand::Delete(args) => delete(args),
        UserCommand::Link(args) => linked_account::link(args),
        UserCommand::Unlink(args) => linked_account::unlink(args),
        UserCommand::Links(args) => linked_account::links(args),
    }?;
    Ok(Ended::Yes)
}

fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let password = args.password.then(password::read).transpose()?;
    let body = json!({ "login": args.login, "name": args.name, "password": password, "roles": args.roles });
    let user = client.post("/api/v1/users", &body, &args.why)?;
    if args.server.json {
        return output::json(&user.body);
    }
    output::line(format_args!("user {} is made", args.login))
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let users = Client::new(args)?.list("/api/v1/users")?;
    if args.json {
        return output::json(&users);
    }
    let row = |user: &Value| {
        ["login", "name", "active", "has_password", "created_at"].map(|member| text(user, member)).to_vec()
    };
    output::table(&["LOGIN", "NAME", "ACTIVE", "PASSWORD", "CREATED"], users.iter().map(row).collect())
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let user = Client::new(&args.server)?.get(&of(&args.login))?;
    if args.server.json {
        return output::json(&user.body);
    }
    let members = user.body.as_object().into_iter().flat_map(Map::keys);
    output::table(&["FIELD", "VALUE"], members.map(|name| vec![name.clone(), user.text(name)]).collect())
}

fn set(args: &SetArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let mut body = Map::new();
    if args.name.is_some() || args.no_name {
        body.insert("name".into(), json!(args.name));
    }
    if args.password {
        body.insert("password".into(), json!(password::read()?));
    }
    if let Some(active) = args.active {
        body.insert("active".into(), json!(active));
    }
    if !args.roles.is_empty() || args.no_roles {
        body.insert("roles".into(), json!(args.roles));
    }
    let user = client.patch(&of(&args.login), &body.into(), &args.why)?;
    if args.server.json {
        return output::json(&user.body);
    }
    output::line(format_args!("user {} is changed", args.login))
}

fn delete(args: &DeleteArgs) -> anyhow::Result<()> {
    let answer = Client::new(&args.server)?.delete(&of(&args.login), &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("user {} is deleted, with everything that named them", args.login))
}

fn of(login: &str) -> String {
    format!("/api/v1/users/{}", segment(login))
}
