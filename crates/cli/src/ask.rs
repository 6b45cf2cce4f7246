//! `grantd ask`: asks for a permission and waits for somebody to decide.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::client::{Answer, Client, ClientArgs, Why, segment, text};
use crate::exit::Ended;
use crate::output;

/// How long one request to the server waits, in seconds.
const POLL: u64 = 25;

/// How long after its end the server may take to say so.
const GRACE: Duration = Duration::from_secs(5);

/// What to ask for.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// Which tool is to be used
    #[arg(long, value_name = "TOOL")]
    tool: String,
    /// What it is to do, for a person to read
    #[arg(long, value_name = "TEXT")]
    action: String,
    /// The same at length
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A parameter of the tool; may be given again. A shell command is `command=...`
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// All parameters as a JSON object
    #[arg(long = "params", value_name = "JSON", conflicts_with = "params")]
    json_params: Option<String>,
    /// Where: the file, or the working directory
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// In which session; one that is not there is made [default: default]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// How long to wait: 30s, 10m, 2h, 1d; then it is denied
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    wait: Duration,
    #[command(flatten)]
    server: ClientArgs,
}

/// `30s`, `10m`, `2h`, `1d`, or seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time like 30s, 10m, 2h or 1d");
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3_600),
        Some((at, 'd')) => (text.get(..at), 86_400),
        _ => (Some(text), 1),
    };
    let number: u64 = number.and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    match number.checked_mul(unit) {
        Some(seconds @ 1..=2_592_000) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{text}` is not between 1s and 30d")),
    }
}

impl AskArgs {
    fn params(&self) -> anyhow::Result<Map<String, Value>> {
        if let Some(json) = &self.json_params {
            return serde_json::from_str(json).context("--params is no JSON object");
        }
        let mut params = Map::new();
        for param in &self.params {
            let (name, value) =
                param.split_once('=').with_context(|| format!("`{param}` is not like NAME=VALUE"))?;
            ensure!(!params.contains_key(name), "the parameter `{name}` is given twice");
            params.insert(name.into(), value.into());
        }
        Ok(params)
    }
}

/// Exits with 0 when granted, 1 when denied, 3 when nobody decided in time.
pub(crate) fn run(args: &AskArgs) -> anyhow::Result<Ended> {
    let client = Client::new(&args.server)?;
    let body = json!({
        "session": args.session, "tool": args.tool, "action": args.action,
        "description": args.description.clone().unwrap_or_default(), "params": args.params()?, "path": args.path,
        "timeout_seconds": args.wait.as_secs(),
    });
    let asked = client.post("/api/v1/requests", &body, &Why::default())?;
    let request = settled(&client, asked, args.wait)?;
    if args.server.json {
        output::json(&request)?;
    }
    let status = text(&request, "status");
    if !args.server.json {
        let by = match text(&request, "decided_by") {
            by if by == "-" => String::new(),
            by => format!(" by {by}"),
        };
        output::line(format_args!("{status}{by}"))?;
        if let Some(reason) = request.get("reason").and_then(Value::as_str) {
            output::note(crate::client::plain(reason))?;
        }
        if let Some(edited) = request.get("edited_params").filter(|edited| !edited.is_null()) {
            output::line(format_args!("with {edited}"))?;
        }
    }
    Ok(match status.as_str() {
        "approved" => Ended::Yes,
        "expired" | "pending" => Ended::TimedOut,
        _ => Ended::No,
    })
}

/// Waits. A server that restarts meanwhile is asked again: the request is still there.
fn settled(client: &Client, asked: Answer, wait: Duration) -> anyhow::Result<Value> {
    let mut request = asked.body;
    let id = request.get("id").and_then(Value::as_str).map(str::to_owned);
    let Some(id) = id else { bail!("the answer names no request; is this a grantd server?") };
    let until = Instant::now() + wait + GRACE;
    let mut heard = true;
    while text(&request, "status") == "pending" {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(request);
        }
        let poll = POLL.min(left.as_secs().max(1));
        match client.get(&format!("/api/v1/requests/{}?wait={poll}", segment(&id))) {
            Ok(answer) => (request, heard) = (answer.body, true),
            Err(error) if left > GRACE => {
                if heard {
                    output::note(format_args!("{error:#}; asking again"))?;
                }
                heard = false;
                sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for wrong in ["", "m", "0s", "31d", "-1s", "1.5h", "99999999999999999999d", "10x"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
