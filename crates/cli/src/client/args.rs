//! Which server, and who we are there.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use ureq::RequestBuilder;

/// The environment variable that holds the API key.
const API_KEY: &str = "GRANTD_API_KEY";

/// Which server, and who we are there.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ClientArgs {
    /// Where the server is
    #[arg(long, env = "GRANTD_URL", value_name = "URL", default_value = "http://127.0.0.1:7070")]
    pub(crate) url: String,
    /// File that holds an API key [default: the key itself in GRANTD_API_KEY]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Realm to act on [default: default]
    #[arg(long, env = "GRANTD_REALM", value_name = "NAME")]
    pub(crate) realm: Option<String>,
    /// Certificates to trust (PEM), for a server whose certificate is self-signed
    #[arg(long, env = "GRANTD_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl ClientArgs {
    /// The API key.
    pub(crate) fn key(&self) -> anyhow::Result<String> {
        let (from, key) = match &self.key_file {
            Some(path) => {
                let name = format!("key file `{}`", path.display());
                let key = std::fs::read_to_string(path).with_context(|| name.clone())?;
                (name, key)
            }
            None => match std::env::var(API_KEY) {
                Ok(key) => (API_KEY.to_owned(), key),
                Err(_) => bail!("no API key: set {API_KEY}, or name a file that holds one with --key-file"),
            },
        };
        let key = key.trim();
        // It goes into a header; what is in it instead is not shown, it may be half a secret.
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("{from} does not hold an API key: one line of the form `gdk_...`");
        }
        Ok(key.to_owned())
    }
}

/// Why a change is made.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Why {
    /// Reason to put on record with the change
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Why {
    /// Puts the reason on a request.
    pub(crate) fn on<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.reason {
            Some(reason) => request.header("grantd-reason", reason),
            None => request,
        }
    }
}
