//! Requests, and what their answers must say.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::data::Ask;
use crate::http::server::{KEY, Server};

/// A whole request, made beforehand: what making one costs is not what is measured.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) says: Says,
}

/// What the body of an answer must say.
#[derive(Clone)]
pub(crate) enum Says {
    /// This.
    Text(Arc<str>),
    /// These decisions, in this order.
    Decisions(Arc<[bool]>),
}

impl Says {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn holds_for(&self, body: &[u8]) -> bool {
        let Ok(body) = std::str::from_utf8(body) else { return false };
        match self {
            Self::Text(text) => body.contains(&**text),
            Self::Decisions(wanted) => {
                let mut wanted = wanted.iter();
                let right = body.match_indices("\"decision\":").all(|(at, name)| {
                    let value = body.get(at + name.len()..).unwrap_or_default().trim_start();
                    wanted
                        .next()
                        .is_some_and(|allowed| value.starts_with(if *allowed { "true" } else { "false" }))
                });
                right && wanted.next().is_none()
            }
        }
    }
}

/// A POST of JSON.
pub(crate) fn post(path: &str, body: &str, says: Says) -> Request {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    Request { bytes: request.into_bytes().into(), says }
}

/// A GET with a bearer token of its own.
pub(crate) fn get(path: &str, token: &str, says: Says) -> Request {
    let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n");
    Request { bytes: request.into_bytes().into(), says }
}

/// AuthZEN's route for one question.
pub(crate) const EVALUATION: &str = "/access/v1/evaluation";
/// AuthZEN's route for many.
pub(crate) const EVALUATIONS: &str = "/access/v1/evaluations";
/// grantd's own route for one.
const CHECK: &str = "/api/v1/check";
/// The route that answers a constant.
pub(crate) const CONSTANT: &str = "/bench/constant";

/// Where one question is asked: AuthZEN's route where the server has it.
pub(crate) fn check_path(server: &Server, wanted: Option<&str>) -> anyhow::Result<String> {
    if let Some(path) = wanted {
        return Ok(path.to_owned());
    }
    Ok(if server.has(EVALUATION)? { EVALUATION } else { CHECK }.to_owned())
}

/// One question.
pub(crate) fn evaluation(path: &str, ask: &Ask) -> Request {
    let says = match (path == CHECK, ask.allowed) {
        (true, true) => "\"allowed\":true",
        (true, false) => "\"allowed\":false",
        (false, true) => "\"decision\":true",
        (false, false) => "\"decision\":false",
    };
    post(path, &ask.json().to_string(), Says::text(says))
}

/// The same question to the constant-answer route.
pub(crate) fn constant(ask: &Ask) -> Request {
    post(CONSTANT, &ask.json().to_string(), Says::text("\"allowed\":true"))
}

/// All of them in one request.
pub(crate) fn evaluations(asks: &[Ask]) -> Request {
    let items: Vec<_> = asks.iter().map(Ask::json).collect();
    let says = Says::Decisions(asks.iter().map(|ask| ask.allowed).collect());
    post(EVALUATIONS, &json!({ "evaluations": items }).to_string(), says)
}

impl Server {
    /// Sends one request outside of any measurement.
    pub(crate) fn call(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut answer = ureq::post(&format!("http://{}{path}", self.addr))
            .header("authorization", format!("Bearer {KEY}"))
            .config()
            .http_status_as_error(false)
            .build()
            .send_json(body)
            .with_context(|| format!("`{path}` cannot be called"))?;
        let text = answer.body_mut().read_to_string()?;
        if !answer.status().is_success() {
            bail!("`{path}` answers {}: {text}", answer.status());
        }
        serde_json::from_str(&text).with_context(|| format!("`{path}` answers no JSON: {text}"))
    }

    /// Whether there is such a route.
    pub(crate) fn has(&self, path: &str) -> anyhow::Result<bool> {
        let answer = ureq::post(&format!("http://{}{path}", self.addr))
            .header("authorization", format!("Bearer {KEY}"))
            .config()
            .http_status_as_error(false)
            .build()
            .send_json(json!({}))?;
        Ok(answer.status() != 404 && answer.status() != 405)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_one_wrong_decision_is_noticed() {
        let says = Says::Decisions(Arc::new([true, false]));
        let body = |a, b| format!("{{\"evaluations\":[{{\"decision\":{a}}},{{\"decision\":{b}}}]}}");
        assert!(says.holds_for(body(true, false).as_bytes()));
        assert!(!says.holds_for(body(true, true).as_bytes()));
        assert!(!says.holds_for(b"{\"evaluations\":[{\"decision\":true}]}"));
        assert!(!says.holds_for(b"{\"evaluations\":[]}"));
    }
}
