//! The layer around the dialect: writes the body of each error, which names the request, and answers OPTIONS.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};

use super::errors::Error;
use super::place::Place;

/// Finishes the answer of the layers and handlers below.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let href = request.extensions().get::<Place>().map_or_else(String::new, |place| place.href.clone());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<Error>() {
        *response.body_mut() = Body::from(error.envelope(&method, &href).to_string());
    }
    // The router has found the path and names its methods in `Allow`.
    if method == Method::OPTIONS && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        *response.status_mut() = StatusCode::OK;
    }
    response
}
