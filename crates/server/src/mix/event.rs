//! The events of `/stream`, ready to be sent (WHATWG HTML, section 9.2, "Server-sent events").
//!
//! A client ends its stream with an error at an event name that it does not know, so nothing but Mix's own names goes out.
//! Each event has an id: how far the client is, whatever it was that it saw.

use bytes::Bytes;
use grantd_node::realm::Micros;
use grantd_node::realm::request::Request;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::wire::{json, text};
use crate::time::rfc3339;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PermissionData<'r> {
    r#type: &'static str,
    id: Uuid,
    session_id: &'r str,
    tool_name: &'r str,
    description: String,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_tool_call_id: Option<&'r str>,
    // Mix has none of these; its clients leave out what they do not know.
    status: &'static str,
    created_at: String,
    expires_at: String,
}

/// A request. Its status is the one at that time: a replay also tells of what is decided meanwhile.
pub(super) fn permission(position: u64, request: &Request, now: Micros) -> Bytes {
    let data = PermissionData {
        r#type: "permission",
        id: request.id,
        session_id: &request.session,
        tool_name: &request.tool,
        description: text(&request.description),
        action: text(&request.action),
        path: request.path.as_deref(),
        params: json(Some(&request.params)),
        parent_tool_call_id: request.parent_tool_call.as_deref(),
        status: request.status_at(now).name(),
        created_at: rfc3339(request.created_at),
        expires_at: rfc3339(request.expires_at),
    };
    frame(position, "permission", &data)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfSession<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    session_id: &'s str,
}

/// The first event.
pub(super) fn connected(position: u64, session_id: &str) -> Bytes {
    frame(position, "connected", &OfSession { r#type: None, session_id })
}

/// The last event of a session that was closed.
pub(super) fn session_deleted(position: u64, session_id: &str) -> Bytes {
    frame(position, "session_deleted", &OfSession { r#type: Some("session_deleted"), session_id })
}

#[derive(Serialize)]
struct Ping {
    r#type: &'static str,
}

/// A sign of life.
pub(super) fn heartbeat(position: u64) -> Bytes {
    frame(position, "heartbeat", &Ping { r#type: "ping" })
}

fn frame(id: u64, event: &'static str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    // Parameters are kept as they were written. Line ends in JSON stand between its words only.
    let data = data.replace(['\n', '\r'], " ");
    format!("id: {id}\nevent: {event}\ndata: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn an_event_is_three_lines() {
        assert_eq!(connected(7, "s"), "id: 7\nevent: connected\ndata: {\"sessionId\":\"s\"}\n\n");
        assert_eq!(heartbeat(8), "id: 8\nevent: heartbeat\ndata: {\"type\":\"ping\"}\n\n");
        let raw: Box<RawValue> = serde_json::from_str("{\r\n \"a\": \"x\\n\"\n}").unwrap();
        assert_eq!(frame(1, "permission", &raw), "id: 1\nevent: permission\ndata: {   \"a\": \"x\\n\" }\n\n");
    }
}
