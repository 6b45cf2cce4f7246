//! A change in words.

use grantd_node::entry::{Disclosed, changes};
use grantd_node::ledger::entry::CONTINUED;
use grantd_node::realm::Change;
use grantd_server::ledger_view::change_as_json;
use serde_json::Value;

/// The changes of an entry, one line each.
pub(super) fn lines(disclosed: &Disclosed) -> Vec<String> {
    let own = disclosed.entry.changes.iter().filter(|change| change.kind == CONTINUED);
    let mut lines: Vec<String> = own
        .map(|_| format!("continued as ledger {}, after a restore or a copy", disclosed.entry.ledger_id.0))
        .collect();
    match changes(disclosed) {
        Ok(changes) => lines.extend(changes.iter().map(in_words)),
        Err(error) => lines.push(format!("cannot be read: {error}")),
    }
    lines
}

/// `user created: login alice, number 2`. Made from the JSON form, so that a new kind of change needs no words here.
fn in_words(change: &Change) -> String {
    let json = change_as_json(change);
    let kind = json.get("kind").and_then(Value::as_str).unwrap_or("change").replace('_', " ");
    let members = json.as_object().into_iter().flatten();
    let told = members.filter(|(name, value)| *name != "kind" && !value.is_null());
    let told: Vec<String> =
        told.map(|(name, value)| format!("{} {}", name.replace('_', " "), value_in_words(value))).collect();
    if told.is_empty() { kind } else { format!("{kind}: {}", told.join(", ")) }
}

fn value_in_words(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Object(members) if members.get("erased") == Some(&Value::Bool(true)) => "(erased)".into(),
        other => other.to_string(),
    }
}

/// Without what could move a terminal's cursor.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
