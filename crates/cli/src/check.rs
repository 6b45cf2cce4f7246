//! `grantd check`: may this subject do this to that resource?

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs};
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
    #[command(flatten)]
    server: ClientArgs,
}

/// Exits with 0 when allowed, 1 when denied.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<Ended> {
    let CheckArgs { subject, action, resource, at_least, server } = args;
    let question = json!({ "subject": subject, "action": action, "resource": resource });
    let answer = Client::new(server)?.ask("/api/v1/check", &question, at_least.as_deref())?;
    let allowed = answer.body.get("allowed").and_then(Value::as_bool);
    let allowed =
        allowed.context("the answer does not say whether it is allowed; is this a grantd server?")?;
    let missing = answer.body.get("missing").cloned().unwrap_or_else(|| json!([]));
    if server.json {
        output::json(&json!({ "allowed": allowed, "revision": answer.revision, "missing": missing }))?;
        return Ok(allowed.into());
    }
    let word = if allowed { "allowed" } else { "denied" };
    output::line(format_args!("{word} (revision {})", answer.text("revision")))?;
    let names: Vec<&str> = missing.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !names.is_empty() {
        output::note(format_args!("it depends on what was not given: {}", names.join(", ")))?;
    }
    Ok(allowed.into())
}
