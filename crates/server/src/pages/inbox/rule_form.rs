//! The fields by which a rule is made of a request, each to be changed first.

use grantd_node::realm::Micros;
use grantd_node::realm::request::{Remember, Request};
use grantd_node::realm::rule::{Effect, RuleDraft, Scope};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::text::in_field;

const HOUR: Micros = 3_600_000_000;

/// How long a rule holds: the field's value, what people read, and the time.
const UNTIL: [(&str, &str, Option<Micros>); 4] = [
    ("hour", "For an hour", Some(HOUR)),
    ("day", "For a day", Some(24 * HOUR)),
    ("month", "For 30 days", Some(30 * 24 * HOUR)),
    ("always", "Until it is removed", None),
];

/// As it is shown and sent.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::pages) struct RuleForm {
    #[serde(rename = "rule_effect")]
    pub(super) effect: String,
    #[serde(rename = "rule_tool")]
    pub(super) tool: String,
    #[serde(rename = "rule_command")]
    pub(super) command: String,
    #[serde(rename = "rule_path")]
    pub(super) path: String,
    #[serde(rename = "rule_scope")]
    pub(super) scope: String,
    #[serde(rename = "rule_until")]
    pub(super) until: String,
    /// Whether the command is one that no pattern means.
    #[serde(skip)]
    pub(super) has_no_pattern: bool,
}

/// One of the times to choose from.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) text: &'static str,
    pub(super) is_chosen: bool,
}

impl RuleForm {
    /// What suits a request.
    pub(super) fn like(request: &Request) -> Self {
        let Remember { tool, command, path, .. } = Remember::like(request);
        // An empty field would mean any command: where there is one that no pattern means, its text stands there, and a rule
        // of it matches nothing.
        let text = if command.is_none() { request.params.text().and_then(command_of) } else { None };
        let has_no_pattern = text.is_some();
        let command = command.or(text).unwrap_or_default();
        Self {
            effect: "allow".into(),
            tool: in_field(&tool),
            has_no_pattern: has_no_pattern || in_field(&command) != command,
            command: in_field(&command),
            path: in_field(&path.unwrap_or_default()),
            scope: "session".into(),
            until: "day".into(),
        }
    }

    pub(super) fn times(&self) -> Vec<Choice> {
        UNTIL.map(|(value, text, _)| Choice { value, text, is_chosen: self.until == value }).into()
    }

    /// The rule that an answer is remembered by.
    pub(super) fn remember(&self, request: &Request, now: Micros) -> Remember {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let held = UNTIL.iter().find(|(value, ..)| *value == self.until).and_then(|(.., held)| *held);
        Remember {
            tool: self.tool.trim().to_owned(),
            command: given(&self.command),
            path: given(&self.path),
            scope: if self.scope == "realm" { Scope::Realm } else { Scope::Session(request.session.clone()) },
            expires: held.map(|held| now.saturating_add(held)),
        }
    }

    /// The rule by itself.
    pub(super) fn draft(&self, request: &Request, now: Micros) -> Option<RuleDraft> {
        let effect = match self.effect.as_str() {
            "allow" => Effect::Allow,
            "ask" => Effect::Ask,
            "deny" => Effect::Deny,
            _ => return None,
        };
        let Remember { tool, command, path, scope, expires } = self.remember(request, now);
        Some(RuleDraft { effect, tool, command, path, scope, expires })
    }
}

/// The command that parameters hold.
fn command_of(params: &str) -> Option<String> {
    let mut params: Map<String, Value> = serde_json::from_str(params).ok()?;
    match params.remove("command").or_else(|| params.remove("cmd"))? {
        Value::String(command) => Some(command),
        other => Some(other.to_string()),
    }
}

/// The field that a refusal is about.
pub(super) fn field_of(field: &str) -> &'static str {
    match field {
        "tool" => "rule_tool",
        "command" => "rule_command",
        "path" => "rule_path",
        "scope" => "rule_scope",
        "expires" => "rule_until",
        "edited_params" => "params",
        _ => "reason",
    }
}
