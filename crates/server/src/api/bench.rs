//! POST `/bench/constant`: the same work as any other call but for the decision; what the rest is measured against.

use axum::Json;
use serde_json::Value;

use super::errors::Error;
use super::{Call, read};

/// Reads the body as JSON and answers a constant.
pub(crate) async fn constant(call: Call) -> Result<Json<Value>, Error> {
    read::<Value>(&call)?;
    Ok(Json(serde_json::json!({ "allowed": true, "revision": 0 })))
}
