//! `grantd ready`: whether a server can be sent requests, for who has no program at hand that speaks HTTP.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::client::{Probe, plain};
use crate::exit::Ended;
use crate::output;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// Which server, and how long to wait.
#[derive(Debug, Args)]
pub(crate) struct ReadyArgs {
    /// Where the server is
    #[arg(long, env = "GRANTD_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    url: String,
    /// Certificates to trust (PEM), for a server whose certificate is self-signed
    #[arg(long, env = "GRANTD_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Ask only whether it runs, not whether it is level with its store: what a restart would help against
    #[arg(long)]
    alive: bool,
    /// Wait so long for it to be so, also while nobody listens yet
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

/// Exits with 0 when it is ready, 1 when it says that it is not, 2 when it does not answer.
pub(crate) fn run(args: &ReadyArgs) -> anyhow::Result<Ended> {
    let probe = Probe::new(&args.url, args.ca_file.as_deref())?;
    let path = if args.alive { "/healthz" } else { "/readyz" };
    let (begun, wait) = (Instant::now(), Duration::from_secs(args.wait));
    loop {
        let asked = probe.ask(path);
        let good = matches!(asked, Ok((true, _)));
        if !good && begun.elapsed() < wait {
            std::thread::sleep(PAUSE);
            continue;
        }
        let (good, said) = asked?;
        output::line(words(&said))?;
        return Ok(good.into());
    }
}

/// The body without its form: `ready`; `not ready: behind`.
fn words(said: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), plain);
    let status = said.get("status").map_or_else(String::new, text);
    let reasons = said.get("reasons").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let reasons: Vec<String> =
        reasons.iter().map(|reason| text(reason.get("code").unwrap_or(reason))).collect();
    if reasons.is_empty() { status } else { format!("{status}: {}", reasons.join(", ")) }
}
