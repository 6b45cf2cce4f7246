//! The client of the commands that ask a running server.

mod answer;
mod args;
mod failure;
mod probe;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::crypto::aws_lc_rs;
use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, http::Response};

pub(crate) use answer::{Answer, Sent, plain, text};
pub(crate) use args::{ClientArgs, Why};
pub(crate) use probe::Probe;

/// What may stand unescaped in a path segment (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server, a realm of it, and who we are there.
pub(crate) struct Client {
    agent: Agent,
    /// With `/r/<realm>` if one was named, without a slash at the end.
    base: String,
    authorization: String,
}

impl Client {
    /// Reads the key and the certificates; nothing is sent yet.
    pub(crate) fn new(args: &ClientArgs) -> anyhow::Result<Self> {
        Self::within(args, Duration::from_secs(60))
    }

    /// The same, for who waits for an answer no longer than that.
    pub(crate) fn within(args: &ClientArgs, patience: Duration) -> anyhow::Result<Self> {
        let mut base = args.url.trim_end_matches('/').to_owned();
        if let Some(realm) = &args.realm {
            base.push_str("/r/");
            base.push_str(&segment(realm));
        }
        let agent = agent(args.ca_file.as_deref(), patience)?;
        Ok(Self { agent, base, authorization: format!("Bearer {}", args.key()?) })
    }

    /// Reads.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let request = self.agent.get(self.address(path)).header("authorization", &self.authorization);
        self.answer(request.call())
    }

    /// Reads a text.
    pub(crate) fn get_text(&self, path: &str) -> anyhow::Result<String> {
        let request = self.agent.get(self.address(path)).header("authorization", &self.authorization);
        let response = request.call().map_err(|error| failure::unreachable(&self.base, &error))?;
        Answer::read_text(response, &self.base)
    }

    /// Asks, at a revision at least as new as the token says.
    pub(crate) fn ask(&self, path: &str, body: &Value, at_least: Option<&str>) -> anyhow::Result<Answer> {
        let mut request = self.agent.post(self.address(path)).header("authorization", &self.authorization);
        if let Some(token) = at_least {
            request = request.header("grantd-at-least", token);
        }
        self.answer(request.send_json(body))
    }

    /// Makes something.
    pub(crate) fn post(&self, path: &str, body: &Value, why: &Why) -> anyhow::Result<Answer> {
        let request = self.agent.post(self.address(path)).header("authorization", &self.authorization);
        self.answer(why.on(request).send_json(body))
    }

    /// Stores something in place of what was there.
    pub(crate) fn put(&self, path: &str, body: &Value, why: &Why) -> anyhow::Result<Answer> {
        let request = self.agent.put(self.address(path)).header("authorization", &self.authorization);
        self.answer(why.on(request).send_json(body))
    }

    /// Sends a body of another type than JSON, for as long as it takes.
    pub(crate) fn send(
        &self,
        path: &str,
        content_type: &str,
        body: &[u8],
        why: &Why,
    ) -> anyhow::Result<Sent> {
        let request = self.agent.post(self.address(path)).header("authorization", &self.authorization);
        let request = request.config().timeout_global(None).build().header("content-type", content_type);
        let response =
            why.on(request).send(body).map_err(|error| failure::unreachable(&self.base, &error))?;
        Sent::read(response, &self.base)
    }

    /// Reads a body of any length.
    pub(crate) fn stream(&self, path: &str) -> anyhow::Result<impl Read + use<>> {
        let request = self.agent.get(self.address(path)).header("authorization", &self.authorization);
        let sent = request.config().timeout_global(None).build().call();
        let response = sent.map_err(|error| failure::unreachable(&self.base, &error))?;
        let response = if response.status().is_success() {
            response
        } else {
            return Err(Answer::refused(response, &self.base));
        };
        Ok(response.into_body().into_reader())
    }

    /// Where the requests go.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Changes something.
    pub(crate) fn patch(&self, path: &str, body: &Value, why: &Why) -> anyhow::Result<Answer> {
        let request = self.agent.patch(self.address(path)).header("authorization", &self.authorization);
        self.answer(why.on(request).send_json(body))
    }

    /// Removes something.
    pub(crate) fn delete(&self, path: &str, why: &Why) -> anyhow::Result<Answer> {
        let request = self.agent.delete(self.address(path)).header("authorization", &self.authorization);
        self.answer(why.on(request).call())
    }

    /// Every item of a list, over all its pages. The path may have a query.
    pub(crate) fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let begun = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let cursor = next.as_deref().map(|next| format!("&cursor={}", segment(next))).unwrap_or_default();
            let mut page = self.get(&format!("{path}{begun}limit=1000{cursor}"))?.body;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            next = page.get("next").and_then(Value::as_str).map(Into::into);
            if next.is_none() {
                return Ok(items);
            }
        }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn answer(&self, sent: Result<Response<Body>, ureq::Error>) -> anyhow::Result<Answer> {
        let response = sent.map_err(|error| failure::unreachable(&self.base, &error))?;
        Answer::read(response, &self.base)
    }
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// What sends requests, and waits so long for the whole of an answer.
fn agent(ca_file: Option<&Path>, patience: Duration) -> anyhow::Result<Agent> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // An answer from elsewhere is none of this server's, and the key must not go there.
        .max_redirects(0)
        .proxy(None)
        .timeout_connect(Some(patience.min(Duration::from_secs(10))))
        .timeout_global(Some(patience))
        .user_agent(concat!("grantd/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls(ca_file)?);
    Ok(config.build().new_agent())
}

fn tls(ca_file: Option<&Path>) -> anyhow::Result<TlsConfig> {
    let roots = match ca_file {
        None => RootCerts::WebPki,
        Some(path) => {
            let about = || format!("certificate file `{}`", path.display());
            let pem = std::fs::read(path).with_context(about)?;
            let mut certificates = Vec::new();
            for item in parse_pem(&pem) {
                if let PemItem::Certificate(certificate) = item.with_context(about)? {
                    certificates.push(certificate);
                }
            }
            anyhow::ensure!(
                !certificates.is_empty(),
                "{}: there is no certificate in PEM form in it",
                about()
            );
            RootCerts::Specific(Arc::new(certificates))
        }
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots).build())
}
