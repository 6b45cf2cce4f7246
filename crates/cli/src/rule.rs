//! `grantd rule`: standing answers to requests.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// List the rules
    List(ClientArgs),
    /// Make a rule: deny beats ask, ask beats allow
    Add(AddArgs),
    /// Delete a rule
    Remove(RemoveArgs),
    /// Try a rule on the last requests, beside the rules that there are; changes nothing
    Test(TestArgs),
}

/// What a rule answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EffectArg {
    /// Yes
    Allow,
    /// A person has to say, whatever another rule allows
    Ask,
    /// No
    Deny,
}

/// A rule.
#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    /// What it answers
    effect: EffectArg,
    /// Which tools: a name, in which `*` stands for anything
    #[arg(long, value_name = "PATTERN")]
    tool: String,
    /// Which shell commands, such as `git status *`: `*` as the last word stands for any further words, else for anything but
    /// a slash [default: whatever the parameters are]
    #[arg(long, value_name = "PATTERN")]
    command: Option<String>,
    /// Which paths: `*` stands for anything within a segment, `**` for any segments [default: any]
    #[arg(long, value_name = "PATTERN")]
    path: Option<String>,
    /// Only in this session and those below it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// From then on it counts no more, for example 2030-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

/// A rule to be made.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A rule to be deleted.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// Its id, see `grantd rule list`
    id: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// A rule to be tried.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// On how many of the last requests, up to 500
    #[arg(long, value_name = "N", default_value_t = 100)]
    last: u16,
    #[command(flatten)]
    server: ClientArgs,
}

impl RuleArgs {
    fn body(&self) -> Value {
        let effect = match self.effect {
            EffectArg::Allow => "allow",
            EffectArg::Ask => "ask",
            EffectArg::Deny => "deny",
        };
        json!({
            "effect": effect, "tool": self.tool, "command": self.command, "path": self.path,
            "session": self.session, "expires": self.expires,
        })
    }
}

/// Runs one of them.
pub(crate) fn run(command: &RuleCommand) -> anyhow::Result<Ended> {
    match command {
        RuleCommand::List(args) => list(args),
        RuleCommand::Add(args) => add(args),
        RuleCommand::Remove(args) => remove(args),
        RuleCommand::Test(args) => test(args),
    }?;
    Ok(Ended::Yes)
}

fn list(args: &ClientArgs) -> anyhow::Result<()> {
    let rules = Client::new(args)?.list("/api/v1/rules")?;
    if args.json {
        return output::json(&rules);
    }
    let columns = ["id", "effect", "tool", "command", "path", "session", "expires", "created_by"];
    let row = |rule: &Value| columns.map(|member| text(rule, member)).to_vec();
    let header = ["ID", "EFFECT", "TOOL", "COMMAND", "PATH", "SESSION", "EXPIRES", "MADE BY"];
    output::table(&header, rules.iter().map(row).collect())
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let rule = Client::new(&args.server)?.post("/api/v1/rules", &args.rule.body(), &args.why)?;
    if args.server.json {
        return output::json(&rule.body);
    }
    output::line(format_args!("rule {} is made", rule.text("id")))
}

fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/rules/{}", segment(&args.id));
    let answer = Client::new(&args.server)?.delete(&path, &args.why)?;
    if args.server.json {
        return output::json(&answer.body);
    }
    output::line(format_args!("rule {} is deleted", args.id))
}

fn test(args: &TestArgs) -> anyhow::Result<()> {
    let body = json!({ "rule": args.rule.body(), "limit": args.last });
    let trial = Client::new(&args.server)?.ask("/api/v1/rules/test", &body, None)?.body;
    if args.server.json {
        return output::json(&trial);
    }
    let tried = trial.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let row = |one: &Value| {
        let action: String =
            text(one, "action").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mark = if one.get("now") == one.get("would") { "" } else { "*" };
        vec![mark.into(), text(one, "now"), text(one, "would"), text(one, "tool"), action]
    };
    output::table(&["", "NOW", "WOULD", "TOOL", "ACTION"], tried.iter().map(row).collect())?;
    output::note(format_args!("{} of {} would be answered otherwise", text(&trial, "changed"), tried.len()))
}
