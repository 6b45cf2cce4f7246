//! Asking a server how it is, which needs no credential.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use ureq::Agent;

use super::{agent, failure};

/// Longer than a server that is well takes, and shorter than whoever asks waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks one server, as often as wanted.
pub(crate) struct Probe {
    agent: Agent,
    base: String,
}

impl Probe {
    /// Nothing is sent yet.
    pub(crate) fn new(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self { agent: agent(ca_file, PATIENCE)?, base: url.trim_end_matches('/').to_owned() })
    }

    /// Whether that page says yes (200), and what it says.
    pub(crate) fn ask(&self, path: &str) -> anyhow::Result<(bool, Value)> {
        let sent = self.agent.get(format!("{}{path}", self.base)).call();
        let mut response = sent.map_err(|error| failure::unreachable(&self.base, &error))?;
        let body = response.body_mut().read_json::<Value>();
        let body = body.with_context(|| format!("{} answered no JSON; is it a grantd server?", self.base))?;
        Ok((response.status().is_success(), body))
    }
}
