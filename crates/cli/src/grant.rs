//! `grantd grant` and `grantd revoke`: one relationship.

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::client::{Client, ClientArgs, Why};
use crate::exit::Ended;
use crate::output;

/// Who may do what to what.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    triple: Triple,
    /// From then on no longer, for example 2030-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only under this condition of the model
    #[arg(long, value_name = "NAME")]
    condition: Option<String>,
    /// What is known of the condition already: a JSON object
    #[arg(long, value_name = "JSON", requires = "condition")]
    parameters: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

/// Who may no longer do what to what.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    triple: Triple,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    server: ClientArgs,
}

#[derive(Debug, Args)]
struct Triple {
    /// Who: `user:alice`, `role:qa#member` for everybody in a role
    subject: String,
    /// What: a relation of the resource's type that can be given directly, for example `read`
    action: String,
    /// To what: `pulp_uri:/v2/repositories/`
    resource: String,
}

impl Triple {
    fn relationship(&self) -> Map<String, Value> {
        let parts = [("resource", &self.resource), ("relation", &self.action), ("subject", &self.subject)];
        parts.into_iter().map(|(name, value)| (name.to_owned(), value.as_str().into())).collect()
    }
}

/// Grants.
pub(crate) fn grant(args: &GrantArgs) -> anyhow::Result<Ended> {
    let mut relationship = args.triple.relationship();
    if let Some(until) = &args.until {
        relationship.insert("until".into(), until.as_str().into());
    }
    if let Some(name) = &args.condition {
        let parameters: Map<String, Value> = serde_json::from_str(args.parameters.as_deref().unwrap_or("{}"))
            .context("--parameters is no JSON object")?;
        relationship.insert("condition".into(), json!({ "name": name, "parameters": parameters }));
    }
    let body = json!({ "write": [relationship] });
    let answer = Client::new(&args.server)?.post("/api/v1/relationships", &body, &args.why)?;
    if args.server.json {
        return output::json(&answer.body).map(|()| Ended::Yes);
    }
    let Triple { subject, action, resource } = &args.triple;
    let already = if answer.text("written") == "0" { " already" } else { "" };
    output::line(format_args!("{subject} has `{action}` on {resource}{already}"))?;
    Ok(Ended::Yes)
}

/// Revokes.
pub(crate) fn revoke(args: &RevokeArgs) -> anyhow::Result<Ended> {
    let body = json!({ "delete": [args.triple.relationship()] });
    let answer = Client::new(&args.server)?.post("/api/v1/relationships", &body, &args.why)?;
    if args.server.json {
        return output::json(&answer.body).map(|()| Ended::Yes);
    }
    let Triple { subject, action, resource } = &args.triple;
    if answer.text("deleted") == "0" {
        output::line(format_args!("{subject} was not granted `{action}` on {resource} itself"))?;
    } else {
        output::line(format_args!("the grant of `{action}` on {resource} to {subject} is revoked"))?;
    }
    Ok(Ended::Yes)
}
