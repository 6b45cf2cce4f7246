//! One request on its way to its answer: the time limit, panics, errors in the face's form, metrics and the access log.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, Version, header};
use http_body::Body as HttpBody;
use tokio::time::{Sleep, sleep};

use super::body::Progress;
use super::service::Shared;
use crate::edge::request_id::X_REQUEST_ID;
use crate::edge::{EdgeError, Peer, RequestId};
use crate::telemetry::{RouteLabel, log};

/// What is noted of a request until its answer is known. Dropped without an answer, it is logged as gone.
pub(super) struct Exchange {
    shared: Arc<Shared>,
    id: RequestId,
    method: Method,
    route: RouteLabel,
    listener: Option<Arc<str>>,
    http1: bool,
    begun: Instant,
    answered: bool,
}

impl Exchange {
    pub(super) fn begin(shared: Arc<Shared>, request: &Request, id: RequestId) -> Self {
        shared.metrics.http.in_flight.inc();
        let extensions = request.extensions();
        Self {
            id,
            method: request.method().clone(),
            route: RouteLabel::new(extensions.get::<MatchedPath>().cloned()),
            listener: extensions.get::<Peer>().map(|peer| Arc::clone(&peer.listener)),
            http1: request.version() <= Version::HTTP_11,
            begun: Instant::now(),
            answered: false,
            shared,
        }
    }

    /// The answer in its last form.
    fn finish(&mut self, response: Response, progress: Option<&Progress>) -> Response {
        match self.error_to_say(&response, progress) {
            Some(error) => self.say(&error),
            None => self.seal(response),
        }
    }

    /// Adds what every answer has, and notes it.
    fn seal(&mut self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, self.id.header());
        for (name, value) in &*self.shared.settings.answer_headers {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        self.note(Some(response.status()));
        response
    }

    /// The error that an answer stands for, if it is not in the face's form yet.
    fn error_to_say(&self, response: &Response, progress: Option<&Progress>) -> Option<EdgeError> {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        if let Some(error) = response.extensions().get::<EdgeError>() {
            return Some(error.clone());
        }
        if !self.shared.settings.say_plain_errors_again || !is_plain(response) {
            return None;
        }
        let fault = progress.and_then(|progress| progress.fault(self.shared.settings.body_limit));
        match fault {
            Some(fault) => Some(fault.into()),
            None => plain_error(status, self.shared.settings.body_limit),
        }
    }

    /// An error in the face's form, as the answer.
    fn say(&mut self, error: &EdgeError) -> Response {
        let mut response = (self.shared.settings.renderer)(error, &self.id);
        error.complete(&mut response);
        self.seal(response)
    }

    /// Counts and logs, once. `None`: the client went away before there was an answer.
    fn note(&mut self, status: Option<StatusCode>) {
        self.answered = true;
        let took = self.begun.elapsed();
        let face = self.shared.settings.face;
        let http = &self.shared.metrics.http;
        http.in_flight.dec();
        http.answered(face, &self.route, &self.method, status, took);
        tracing::info!(
            target: log::ACCESS,
            request_id = self.id.as_str(),
            listener = self.listener.as_deref().unwrap_or_default(),
            face,
            method = self.method.as_str(),
            route = self.route.as_str(),
            // 499 is nobody's status: logs of proxies use it for a client that did not wait.
            status = status.map_or(499, |status| status.as_u16()),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.answered {
            self.note(None);
        }
    }
}

/// Whether nobody has given this answer a form: no body, or axum's plain text.
fn is_plain(response: &Response) -> bool {
    match response.headers().get(header::CONTENT_TYPE) {
        Some(value) => value.as_bytes().starts_with(b"text/plain"),
        None => response.body().size_hint().exact() == Some(0),
    }
}

/// The error that axum meant. Its text is not kept: it may repeat what the client sent.
fn plain_error(status: StatusCode, limit: Option<u64>) -> Option<EdgeError> {
    Some(match status {
        StatusCode::NOT_FOUND => EdgeError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => EdgeError::MethodNotAllowed { allow: None },
        StatusCode::PAYLOAD_TOO_LARGE => EdgeError::PayloadTooLarge { limit: limit.unwrap_or(u64::MAX) },
        StatusCode::UNSUPPORTED_MEDIA_TYPE => EdgeError::UnsupportedMediaType,
        StatusCode::REQUEST_TIMEOUT => EdgeError::RequestTimeout,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            EdgeError::BadRequest("the request cannot be read".to_owned())
        }
        StatusCode::INTERNAL_SERVER_ERROR => EdgeError::Internal,
        // Another status was chosen by someone on purpose.
        _ => return None,
    })
}

/// The future of an answer.
pub(super) struct Answering<F> {
    exchange: Exchange,
    state: State<F>,
    progress: Option<Progress>,
    body_refused: bool,
    // Made when the handler first has to wait: a check is answered before that.
    timer: Option<Pin<Box<Sleep>>>,
}

enum State<F> {
    Refused(EdgeError),
    Asked(F),
    Done,
}

impl<F> Answering<F> {
    pub(super) fn refused(exchange: Exchange, error: EdgeError) -> Self {
        Self { exchange, state: State::Refused(error), progress: None, body_refused: true, timer: None }
    }

    pub(super) fn asked(exchange: Exchange, handler: F, progress: Option<Progress>) -> Self {
        Self { exchange, state: State::Asked(handler), progress, body_refused: false, timer: None }
    }

    /// Whether the time is up; never without a limit.
    fn out_of_time(&mut self, limit: Option<Duration>, cx: &mut Context<'_>) -> bool {
        let Some(limit) = limit else { return false };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        timer.as_mut().poll(cx).is_ready()
    }

    fn answer(&mut self, error: &EdgeError) -> Poll<Result<Response, Infallible>> {
        self.state = State::Done;
        let response = self.exchange.say(error);
        self.ready(response)
    }

    /// The connection of a body that nobody read to its end is of no further use, and an HTTP/1 client has to be told
    /// (RFC 9112, section 9.6): else it sends its next request into a connection that is being closed.
    fn ready(&self, mut response: Response) -> Poll<Result<Response, Infallible>> {
        let unread =
            self.body_refused || self.progress.as_ref().is_some_and(|progress| !progress.is_complete());
        if unread && self.exchange.http1 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}

impl<F> Future for Answering<F>
where
    F: Future<Output = Result<Response, Infallible>> + Unpin,
{
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let handler = match &mut this.state {
            State::Asked(handler) => handler,
            State::Refused(error) => {
                let error = error.clone();
                return this.answer(&error);
            }
            State::Done => return Poll::Pending,
        };
        // The handler is not polled again after a panic, so whatever it left half done is not seen.
        match catch_unwind(AssertUnwindSafe(|| Pin::new(handler).poll(cx))) {
            Ok(Poll::Ready(Ok(response))) => {
                this.state = State::Done;
                let response = this.exchange.finish(response, this.progress.as_ref());
                this.ready(response)
            }
            Ok(Poll::Pending) => {
                if !this.out_of_time(this.exchange.shared.settings.timeout, cx) {
                    return Poll::Pending;
                }
                let waits_for_client = this.progress.as_ref().is_some_and(Progress::is_coming);
                this.answer(if waits_for_client { &EdgeError::RequestTimeout } else { &EdgeError::Timeout })
            }
            Err(_payload) => {
                // The payload may hold what the request held; the panic hook has said where it happened.
                tracing::error!(
                    request_id = this.exchange.id.as_str(),
                    route = this.exchange.route.as_str(),
                    "a handler panicked"
                );
                this.exchange.shared.metrics.http.panics.inc();
                this.answer(&EdgeError::Internal)
            }
        }
    }
}
