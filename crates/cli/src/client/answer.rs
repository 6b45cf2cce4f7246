//! What a server answered.

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode};

/// A good answer.
pub(crate) struct Answer {
    /// The body.
    pub(crate) body: Value,
    /// The revision that it is of, as `<ledger id>.<revision>`.
    pub(crate) revision: Option<String>,
}

impl Answer {
    /// Reads the body; what is no success is an error that says what the server said.
    pub(super) fn read(mut response: Response<Body>, base: &str) -> anyhow::Result<Self> {
        let status = response.status();
        let body = response.body_mut().read_json::<Value>();
        if !status.is_success() {
            return Err(refusal(status, response.headers(), body.ok().as_ref(), base));
        }
        let body = body.with_context(|| format!("{base} answered no JSON; is it a grantd server?"))?;
        let revision = response.headers().get("grantd-revision").and_then(|value| value.to_str().ok());
        Ok(Self { revision: revision.map(Into::into), body })
    }

    /// Reads a body that is a text.
    pub(super) fn read_text(mut response: Response<Body>, base: &str) -> anyhow::Result<String> {
        let status = response.status();
        if !status.is_success() {
            let body = response.body_mut().read_json::<Value>();
            return Err(refusal(status, response.headers(), body.ok().as_ref(), base));
        }
        response.body_mut().read_to_string().with_context(|| format!("{base} answered no text"))
    }

    /// The error of an answer that is no success.
    pub(super) fn refused(mut response: Response<Body>, base: &str) -> anyhow::Error {
        let body = response.body_mut().read_json::<Value>();
        refusal(response.status(), response.headers(), body.ok().as_ref(), base)
    }

    /// A member of the body as text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> String {
        text(&self.body, name)
    }
}

/// What a long call came to.
pub(crate) enum Sent {
    /// It went to its end; the body.
    Done(Value),
    /// It failed on the way: how far it came, and why.
    Failed(Option<Value>, anyhow::Error),
}

impl Sent {
    pub(super) fn read(mut response: Response<Body>, base: &str) -> anyhow::Result<Self> {
        let status = response.status();
        let body = response.body_mut().read_json::<Value>();
        if status.is_success() {
            return Ok(Self::Done(
                body.with_context(|| format!("{base} answered no JSON; is it a grantd server?"))?,
            ));
        }
        let body = body.ok();
        let progress = body.as_ref().and_then(|body| body.get("progress")).cloned();
        Ok(Self::Failed(progress, refusal(status, response.headers(), body.as_ref(), base)))
    }
}

/// A member as text: of a text itself, `-` for null, else as JSON.
pub(crate) fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => "-".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The `detail` and `code` of problem+json (RFC 9457), and what to do.
fn refusal(status: StatusCode, headers: &HeaderMap, body: Option<&Value>, base: &str) -> anyhow::Error {
    let member = |name| body.and_then(|body| body.get(name)).and_then(Value::as_str);
    let hint = match status {
        StatusCode::UNAUTHORIZED => "; is this the key of this server, and of this realm?".to_owned(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            match headers.get("retry-after").and_then(|value| value.to_str().ok()) {
                Some(seconds) => format!("; try again in {seconds} s"),
                None => "; try again later".to_owned(),
            }
        }
        _ => String::new(),
    };
    match (member("detail").or(member("title")), member("code")) {
        (Some(said), Some(code)) => anyhow!("{} ({code}){hint}", plain(said)),
        _ => anyhow!("{base} answered {status} and nothing more; is it a grantd server?"),
    }
}

/// Without what could move a terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
