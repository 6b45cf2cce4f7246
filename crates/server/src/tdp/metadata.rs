//! What OPTIONS tells of a path.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::Method;
use serde_json::{Value, json};

use super::call::Call;
use super::errors::Error;

/// Of records, to who keeps the catalogue.
pub(super) async fn describe(call: Call) -> Result<Json<Value>, Error> {
    Ok(Json(description(call.uri().path())))
}

/// Of anything else, if that is what is asked for; any other method is wrong there.
pub(super) fn if_asked(method: &Method, path: &str) -> Result<Response, Error> {
    match *method {
        Method::OPTIONS => Ok(Json(description(path)).into_response()),
        _ => Err(Error::wrong_method(method)),
    }
}

fn description(path: &str) -> Value {
    let mut segments = path.trim_start_matches("/v1/").split('/');
    let (kind, is_one) = (segments.next().unwrap_or_default(), segments.next().is_some());
    let (name, fields) = match kind {
        "permissions" => ("Permission", permission()),
        "roles" => ("Group", role()),
        "content_types" => ("Content Type", content_type()),
        "auth_check" => ("Authorization Check", Value::Null),
        "login" => ("Login", Value::Null),
        _ => ("Logout", Value::Null),
    };
    let mut described = json!({
        "name": name, "description": "", "renders": ["application/json"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    if !fields.is_null() {
        let (suffix, method) = if is_one { ("Instance", "PUT") } else { ("List", "POST") };
        let actions = [("name", json!(format!("{name} {suffix}"))), ("actions", json!({ method: fields }))];
        for (member, value) in actions {
            if let Some(object) = described.as_object_mut() {
                object.insert(member.into(), value);
            }
        }
    }
    described
}

fn field(kind: &str, label: &str, required: bool, most: Option<usize>) -> Value {
    let mut field = json!({ "type": kind, "required": required, "read_only": label == "ID", "label": label });
    if let (Some(most), Some(object)) = (most, field.as_object_mut()) {
        object.insert("max_length".into(), most.into());
    }
    field
}

fn permission() -> Value {
    json!({
        "id": field("integer", "ID", false, None),
        "codename": field("string", "Codename", true, Some(100)),
        "name": field("string", "Name", true, Some(255)),
        "content_type": field("field", "Content type", true, None),
    })
}

fn role() -> Value {
    json!({
        "id": field("integer", "ID", false, None),
        "name": field("string", "Name", true, Some(150)),
        "permissions": field("field", "Permissions", false, None),
    })
}

fn content_type() -> Value {
    json!({
        "id": field("integer", "ID", false, None),
        "app_label": field("string", "App label", true, Some(100)),
        "model": field("string", "Model", true, Some(100)),
        "name": field("string", "Name", false, Some(100)),
    })
}
