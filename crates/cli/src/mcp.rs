//! `grantd mcp`: the tools of `/mcp` over stdin and stdout, for agents that start a program of their own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use grantd_server::mcp::{Approvals, Ask, Listing, Outcome, Tools};
use rmcp::service::RequestContext;
use rmcp::transport::stdio;
use rmcp::{RoleServer, ServiceExt as _};
use serde_json::{Value, json};

use crate::client::{Client, ClientArgs, Why, segment};
use crate::exit::Ended;

/// How long one question to the server waits; its own limit is a minute.
const ROUND: u64 = 45;

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    /// Session of the requests made here [default: one of its own for each run]
    #[arg(long, env = "GRANTD_SESSION", value_name = "ID")]
    session: Option<String>,
    /// Seconds that somebody has to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    wait: u64,
    #[command(flatten)]
    client: ClientArgs,
}

/// Serves until stdin ends.
pub(crate) async fn run(args: McpArgs) -> anyhow::Result<Ended> {
    let client = Arc::new(Client::new(&args.client)?);
    let session = args.session.unwrap_or_else(|| format!("mcp-{}", std::process::id()));
    let at_server = AtServer { client, session: session.into(), wait: Duration::from_secs(args.wait) };
    let service = Tools(at_server).serve(stdio()).await.context("the other side speaks no MCP")?;
    service.waiting().await?;
    Ok(Ended::Yes)
}

/// Asks a server through its API.
#[derive(Clone)]
struct AtServer {
    client: Arc<Client>,
    session: Arc<str>,
    wait: Duration,
}

impl AtServer {
    /// Does what blocks elsewhere.
    async fn at<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Client) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let client = self.client.clone();
        match tokio::task::spawn_blocking(move || work(&client)).await {
            Ok(done) => done.map_err(|error| format!("{error:#}")),
            Err(_) => Err("it failed".into()),
        }
    }
}

impl Approvals for AtServer {
    async fn ask(&self, ask: Ask, context: &RequestContext<RoleServer>) -> Result<Outcome, String> {
        let wait = ask.wait.unwrap_or(self.wait);
        let body = json!({
            "session": &*self.session,
            "tool": ask.tool,
            "action": ask.action,
            "description": ask.description,
            "params": ask.params,
            "path": ask.path.filter(|path| !path.is_empty()),
            "timeout_seconds": wait.as_secs(),
        });
        let made = self.at(move |client| client.post("/api/v1/requests", &body, &Why::default())).await?.body;
        let id = made.get("id").and_then(Value::as_str).ok_or("the server names no request")?.to_owned();
        let path = format!("/api/v1/requests/{}", segment(&id));
        let until = Instant::now() + wait + Duration::from_secs(5);
        let mut request = made;
        while request.get("status").and_then(Value::as_str) == Some("pending") && Instant::now() < until {
            let asked = format!("{path}?wait={ROUND}");
            let round = self.at(move |client| client.get(&asked));
            let answer = tokio::select! {
                answer = round => answer,
                () = context.ct.cancelled() => {
                    let cancel = format!("{path}/cancel");
                    self.at(move |client| client.post(&cancel, &json!({}), &Why::default())).await?;
                    return Err("cancelled".into());
                }
            };
            match answer {
                Ok(answer) => request = answer.body,
                // A server that is being started again knows the request when it is back.
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
        let text = |name| request.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let status = match text("status").as_deref() {
            Some("approved") => "granted".into(),
            Some("pending") | None => return Err("the server could not be asked again in time".into()),
            Some(other) => other.to_owned(),
        };
        let edited_params = request.get("edited_params").filter(|params| params.is_object()).cloned();
        Ok(Outcome { id, status, decided_by: text("decided_by"), reason: text("reason"), edited_params })
    }

    async fn list(&self, listing: Listing, _: &RequestContext<RoleServer>) -> Result<Value, String> {
        let mut path = "/api/v1/requests?limit=100".to_owned();
        for (name, value) in [("status", listing.status), ("session", listing.session)] {
            if let Some(value) = value {
                let value = if value == "granted" { "approved".to_owned() } else { value };
                path.push_str(&format!("&{name}={}", segment(&value)));
            }
        }
        let mut answer = self.at(move |client| client.get(&path)).await?.body;
        Ok(answer.get_mut("items").map(Value::take).unwrap_or_default())
    }
}
