#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test panics")]
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::edge::{EdgeError, Json, RequestId, read_bytes};

fn shout(error: &EdgeError, id: &RequestId) -> Response {
    let body = serde_json::json!({"code": error.code().to_uppercase(), "message": error.to_string(), "id": id.as_str()});
    (error.status(), axum::Json(body)).into_response()
}

fn settings() -> LayerSettings {
    let mut settings = LayerSettings::new("test").renderer(shout).body_limit(100);
    settings.timeout = Some(Duration::from_millis(100));
    settings.body_stall = Duration::from_secs(10);
    settings
}

async fn never() {
    std::future::pending::<()>().await;
}

async fn explode() {
    tokio::task::yield_now().await;
    panic!("hunter2");
}

async fn count(body: Body) -> Result<String, EdgeError> {
    Ok(read_bytes(body).await?.len().to_string())
}

async fn deaf(body: Body) -> Result<String, StatusCode> {
    let read = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(read.len().to_string())
}

fn app(settings: LayerSettings, metrics: &Arc<Metrics>) -> Router {
    let router = Router::new()
        .route("/fine", get(|| async { "fine" }))
        .route("/id/{id}", get(|Path(id): Path<u32>| async move { id.to_string() }))
        .route("/query", get(|query: Query<Vec<(String, u32)>>| async move { query.0.len().to_string() }))
        .route("/never", post(never))
        .route("/panic", get(explode))
        .route("/count", post(count))
        .route("/deaf", post(deaf))
        .route("/json", post(|Json(body): Json<Vec<u32>>| async move { body.len().to_string() }))
        .route("/late", get(|| async { EdgeError::Unavailable { retry_after_secs: 7 } }))
        .route("/own", get(|| async { (StatusCode::CONFLICT, axum::Json(1)) }));
    stack(router, settings, Arc::clone(metrics))
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        body["code"].as_str().unwrap().to_owned()
    }
}

async fn ask(method: Method, path: &str, body: Body) -> Answer {
    ask_of(app(settings(), &Metrics::new()), method, path, body, &[]).await
}

async fn ask_of(app: Router, method: Method, path: &str, body: Body, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// A body of unknown length: these chunks, each after a pause.
fn chunks(count: usize, size: usize, pause: Duration) -> Body {
    let stream = futures::stream::unfold(0, move |n| async move {
        tokio::time::sleep(pause).await;
        let frame = http_body::Frame::data(Bytes::from(vec![b'x'; size]));
        (n < count).then_some((Ok::<_, std::convert::Infallible>(frame), n + 1))
    });
    Body::new(StreamBody::new(stream))
}

#[tokio::test]
async fn an_answer_has_an_id_and_the_headers() {
    let answer = ask(Method::GET, "/fine", Body::empty()).await;
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"fine"[..]));
    assert!(!answer.headers["x-request-id"].is_empty());
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_clients_id_is_echoed_and_a_bad_one_replaced() {
    let app = app(settings(), &Metrics::new());
    let ids = [("mine-1", true), ("two words", false), (&*"x".repeat(129), false)];
    for (id, kept) in ids {
        let headers = [("x-request-id", id)];
        let answer = ask_of(app.clone(), Method::GET, "/nowhere", Body::empty(), &headers).await;
        assert_eq!(answer.headers["x-request-id"] == id, kept, "{id}");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["id"].as_str().unwrap(), answer.headers["x-request-id"], "the body names it, too");
    }
}

#[tokio::test]
async fn errors_of_the_router_and_its_extractors_are_said_by_the_face() {
    let case = |method, path| async move {
        let answer = ask(method, path, Body::empty()).await;
        (answer.status.as_u16(), answer.code())
    };
    assert_eq!(case(Method::GET, "/nowhere").await, (404, "NOT_FOUND".to_owned()));
    assert_eq!(case(Method::GET, "/id/hunter2").await, (400, "BAD_REQUEST".to_owned()));
    assert_eq!(case(Method::GET, "/query?a=hunter2").await, (400, "BAD_REQUEST".to_owned()));
    assert_eq!(case(Method::POST, "/json").await, (400, "EMPTY_BODY".to_owned()));
    let answer = ask(Method::DELETE, "/fine", Body::empty()).await;
    assert_eq!((answer.code().as_str(), answer.status.as_u16()), ("METHOD_NOT_ALLOWED", 405));
    assert_eq!(answer.headers[header::ALLOW], "GET,HEAD");
    let answer = ask(Method::GET, "/late", Body::empty()).await;
    assert_eq!((answer.code().as_str(), answer.status.as_u16()), ("UNAVAILABLE", 503));
    assert_eq!(answer.headers[header::RETRY_AFTER], "7");
    let answer = ask(Method::GET, "/own", Body::empty()).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (409, &b"1"[..]), "a handler's own error stays");
}

#[tokio::test]
async fn a_panic_is_a_500_and_does_not_say_what_it_was() {
    let metrics = Metrics::new();
    let answer = ask_of(app(settings(), &metrics), Method::GET, "/panic", Body::empty(), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "INTERNAL"));
    assert!(!String::from_utf8_lossy(&answer.body).contains("hunter2"));
    assert_eq!((metrics.http.panics.get(), metrics.http.in_flight.get()), (1, 0));
}

#[tokio::test]
async fn a_body_is_limited_by_announcement_and_by_count() {
    let fits = ask(Method::POST, "/count", Body::from(vec![0; 100])).await;
    assert_eq!((fits.status.as_u16(), &fits.body[..]), (200, &b"100"[..]));
    let announced = ask(Method::POST, "/never", Body::from(vec![0; 101])).await;
    assert_eq!((announced.status.as_u16(), announced.code().as_str()), (413, "PAYLOAD_TOO_LARGE"));
    let fits = ask(Method::POST, "/count", chunks(10, 10, Duration::ZERO)).await;
    assert_eq!((fits.status.as_u16(), &fits.body[..]), (200, &b"100"[..]));
    for path in ["/count", "/deaf"] {
        let counted = ask(Method::POST, path, chunks(11, 10, Duration::ZERO)).await;
        assert_eq!((counted.status.as_u16(), counted.code().as_str()), (413, "PAYLOAD_TOO_LARGE"), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_was_not_read_closes_the_connection() {
    let closes =
        |answer: &Answer| answer.headers.get(header::CONNECTION).is_some_and(|value| value == "close");
    assert!(!closes(&ask(Method::POST, "/count", Body::from("all of it is read")).await));
    assert!(!closes(&ask(Method::GET, "/fine", Body::empty()).await));
    let unread = [("/nothing", 10), ("/fine", 10), ("/count", 101)];
    for (path, length) in unread {
        assert!(closes(&ask(Method::POST, path, Body::from("x".repeat(length))).await), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_late_is_named() {
    let trickle = ask(Method::POST, "/count", chunks(100, 1, Duration::from_millis(30))).await;
    assert_eq!((trickle.status.as_u16(), trickle.code().as_str()), (408, "REQUEST_TIMEOUT"));
    let ours = ask(Method::POST, "/never", Body::empty()).await;
    assert_eq!((ours.status.as_u16(), ours.code().as_str()), (503, "TIMEOUT"));
    assert_eq!(ours.headers[header::RETRY_AFTER], "1");
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_last_but_not_stall() {
    let mut settings = settings().streaming();
    settings.body_stall = Duration::from_secs(5);
    let app = app(settings, &Metrics::new());
    let slow = chunks(100, 10, Duration::from_secs(4));
    let answer = ask_of(app.clone(), Method::POST, "/count", slow, &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"1000"[..]));
    let stalled = chunks(100, 10, Duration::from_secs(6));
    let answer = ask_of(app, Method::POST, "/count", stalled, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (408, "REQUEST_TIMEOUT"));
}

#[tokio::test]
async fn two_stacks_merge_and_each_keeps_its_limits() {
    let metrics = Metrics::new();
    let bulk = Router::new().route("/bulk", post(count));
    let both =
        app(settings(), &metrics).merge(stack_part(bulk, settings().body_limit(1_000), Arc::clone(&metrics)));
    let long = || Body::from(vec![0; 500]);
    assert_eq!(ask_of(both.clone(), Method::POST, "/bulk", long(), &[]).await.status, StatusCode::OK);
    assert_eq!(ask_of(both.clone(), Method::POST, "/count", long(), &[]).await.status.as_u16(), 413);
    let nested = Router::new().nest("/face", both);
    let nowhere = ask_of(nested.clone(), Method::GET, "/face/nowhere", Body::empty(), &[]).await;
    assert_eq!(nowhere.code(), "NOT_FOUND");
    let _fine = ask_of(nested, Method::GET, "/face/id/77", Body::empty(), &[]).await;
    let text = metrics.render();
    assert!(text.contains(r#"route="/face/id/{id}",method="GET",status="2xx""#), "{text}");
    assert!(!text.contains("/77") && !text.contains("nowhere"), "{text}");
}

#[tokio::test]
async fn a_client_that_does_not_wait_is_counted_as_gone() {
    let metrics = Metrics::new();
    let request = Request::post("/never").body(Body::empty()).unwrap();
    let answer = tokio::time::timeout(Duration::from_millis(10), app(settings(), &metrics).oneshot(request));
    assert!(answer.await.is_err());
    assert_eq!(metrics.http.in_flight.get(), 0);
    assert!(metrics.render().contains(r#"route="/never",method="POST",status="gone""#));
}

#[tokio::test]
async fn without_a_face_the_error_is_a_problem() {
    let app = stack(Router::new(), LayerSettings::new("main"), Metrics::new());
    let answer = ask_of(app, Method::GET, "/x", Body::empty(), &[("x-request-id", "r1")]).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    let expected = serde_json::json!({
        "type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
        "detail": "there is nothing at this path", "request_id": "r1",
    });
    assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), expected);
}

/// Log lines as text, for one thread.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_access_log_has_the_template_and_neither_path_nor_query() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let path = "/id/31337?token=hunter2";
    let headers = [("x-request-id", "r-9"), ("authorization", "Bearer hunter2")];
    ask_of(app(settings(), &Metrics::new()), Method::GET, path, Body::empty(), &headers).await;
    let line: Value = serde_json::from_slice(&lines.0.lock().unwrap()).unwrap();
    assert_eq!((&line["target"], &line["level"]), (&"grantd::access".into(), &"INFO".into()));
    let fields = &line["fields"];
    assert_eq!((&fields["route"], &fields["method"]), (&"/id/{id}".into(), &"GET".into()));
    assert_eq!((&fields["status"], &fields["request_id"]), (&200.into(), &"r-9".into()));
    assert!(fields["micros"].is_u64(), "{line}");
    assert!(!line.to_string().contains("hunter2") && !line.to_string().contains("31337"), "{line}");
}
