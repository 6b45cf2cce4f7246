//! `grantd check`: may this subject do this to that resource?

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, text};
use crate::exit::Ended;
use crate::output;

/// One question.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Who: `user:alice`, `role:qa#member`
    subject: String,
    /// What they want to do: a relation of the resource's type, for example `read`
    action: String,
    /// To what: `fs_repo:6f1c2f0e-0d4b-4f0f-9a55-0c5b4a5b7b0e`
    resource: String,
    /// Answer at this revision or a newer one: the `revision` of an earlier answer in JSON, or its Grantd-Revision
    #[arg(long, value_name = "TOKEN")]
    at_least: Option<String>,
    /// What conditions may want to know: a JSON object, for example '{"ip": "10.0.0.1"}'
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    /// Say why: the relationships that a yes rests on, or what was tried in vain
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    server: ClientArgs,
}

/// Exits with 0 when allowed, 1 when denied.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Ended> {
    let CheckArgs { subject, action, resource, at_least, context, explain, server } = args;
    let context: serde_json::Map<String, Value> =
        serde_json::from_str(context.as_deref().unwrap_or("{}")).context("--context is no JSON object")?;
    let question = json!({
        "subject": subject, "action": action, "resource": resource, "context": context, "explain": explain,
    });
    let answer = Client::new(server)?.ask("/api/v1/check", &question, at_least.as_deref())?;
    let allowed = answer.body.get("allowed").and_then(Value::as_bool);
    let allowed =
        allowed.context("the answer does not say whether it is allowed; is this a grantd server?")?;
    let missing = answer.body.get("missing").cloned().unwrap_or_else(|| json!([]));
    if server.json {
        let mut shown = answer.body.clone();
        if let Value::Object(members) = &mut shown {
            members.insert("revision".into(), answer.revision.into());
            members.insert("missing".into(), missing);
        }
        output::json(&shown)?;
        return Ok(allowed.into());
    }
    let word = if allowed { "allowed" } else { "denied" };
    output::line(format_args!("{word} (revision {})", answer.text("revision")))?;
    let names: Vec<&str> = missing.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !names.is_empty() {
        output::note(format_args!("it depends on what was not given: {}", names.join(", ")))?;
    }
    if *explain {
        reasons(&answer.body)?;
    }
    Ok(allowed.into())
}

/// What the answer says about its reasons, a line for each.
pub(crate) fn reasons(answer: &Value) -> anyhow::Result<()> {
    let because = answer.get("because").unwrap_or(&Value::Null);
    for used in list(because, "relationships") {
        output::line(format_args!("  because {}", relationship(used)))?;
    }
    for absent in list(because, "absences") {
        let [resource, relation, taken, subject] =
            ["resource", "relation", "taken", "subject"].map(|name| text(absent, name));
        output::line(format_args!(
            "  because {resource}#{relation} takes away `{taken}`, and not {subject}"
        ))?;
    }
    for used in list(because, "properties") {
        output::line(format_args!("  {} is from: {}", text(used, "name"), text(used, "from")))?;
    }
    for miss in list(answer, "misses") {
        let (resource, relation, reason) =
            (text(miss, "resource"), text(miss, "relation"), text(miss, "reason"));
        output::line(format_args!("  {resource}#{relation}: {}", reason.replace('_', " ")))?;
        if let Some(tried) = miss.get("relationship") {
            output::line(format_args!("    {}", relationship(tried)))?;
        }
        for name in ["problem", "by"].into_iter().filter(|name| miss.get(name).is_some()) {
            output::line(format_args!("    {name}: {}", text(miss, name)))?;
        }
    }
    Ok(())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `resource#relation@subject`, with its end and its condition.
fn relationship(value: &Value) -> String {
    let [resource, relation, subject] = ["resource", "relation", "subject"].map(|name| text(value, name));
    let mut shown = format!("{resource}#{relation}@{subject}");
    if value.get("until").is_some() {
        shown = format!("{shown} until {}", text(value, "until"));
    }
    if let Some(condition) = value.get("condition") {
        shown = format!("{shown} with {}", text(condition, "name"));
    }
    shown
}
