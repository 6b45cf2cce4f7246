//! stream_events: what is asked in a session and in those below it, as server-sent events.
//!
//! A stream holds no events. It knows how far it is and reads the next request from the state when the client takes it, so a
//! slow one costs nothing but its place, and loses nothing. The id of an event is the revision at which its request was made.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::unfold;
use grantd_node::realm::request::{Request, Sight, Status};
use grantd_node::realm::{Micros, State};
use grantd_node::{Followed, Subject};
use http::{HeaderName, header};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::Call;
use super::errors::Error;
use super::event;
use super::sessions::seen;
use super::wire::StreamEvents;

/// Between two signs of life; as often it is looked whether the client may still see this.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Before something is shown, the client must have been known to be who it is so short a time ago.
const FRESH: Duration = Duration::from_secs(1);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) async fn stream_events(call: Call) -> Result<Response, Error> {
    let session = call.query::<StreamEvents>()?.session_id.unwrap_or_default();
    if session.is_empty() {
        return Err(Error::invalid("sessionId", "must name a session"));
    }
    let viewer = Viewer::new(call, &session)?;
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // Or a proxy of this name keeps events until it has a buffer full of them.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(unfold(viewer, Viewer::next))).into_response())
}

/// Somebody who looks at a session.
struct Viewer {
    call: Call,
    session: String,
    /// A session of the same id that is made later is another one.
    number: u64,
    /// The client has seen whatever was made up to this revision.
    position: u64,
    /// And of the revision after it, whatever is up to this number.
    last: u64,
    /// Of what was made up to this revision, only what is still to be decided is told: a client that comes for the first time
    /// needs no history.
    history: u64,
    greeted: bool,
    news: Followed,
    heartbeat: Interval,
    recognised: Instant,
}

/// What a viewer does next.
enum Step {
    Say(Bytes),
    Wait,
}

impl Viewer {
    fn new(call: Call, session: &str) -> Result<Self, Error> {
        // First of all: what is made from here on is news.
        let news = call.realm.follow(Subject::Session(session.into()));
        let number = seen(&call, session)?.number;
        let now = Instant::now();
        let mut heartbeat = interval_at(now + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut viewer = Self {
            session: session.into(),
            number,
            position: 0,
            last: 0,
            history: 0,
            greeted: false,
            news,
            heartbeat,
            recognised: now,
            call,
        };
        viewer.find_place();
        Ok(viewer)
    }

    /// Where to begin: behind the last event that the client has, or before the oldest request that is still to be decided. A
    /// place beyond the ledger's end is of another ledger: the store was restored since.
    fn find_place(&mut self) {
        let published = self.call.published();
        let head = published.head.revision;
        let last = self.call.header(LAST_EVENT_ID).and_then(|last| last.trim().parse().ok());
        if let Some(last) = last.filter(|last| *last <= head) {
            self.position = last;
            return;
        }
        self.history = head;
        let oldest = self.next_request(&published.state, self.call.now());
        self.position = oldest.map_or(head, |oldest| oldest.created_revision.saturating_sub(1));
    }

    /// The next event, when the client is ready to take one.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if self.recognised.elapsed() >= HEARTBEAT {
                self.recognise().await?;
            }
            if let Step::Say(event) = self.step()? {
                if self.recognised.elapsed() >= FRESH {
                    self.recognise().await?;
                }
                return Some((Ok(event), self));
            }
            tokio::select! {
                biased;
                // The client comes back, to the server that comes after this one.
                () = self.call.app.drain.wait() => return None,
                _ = self.heartbeat.tick() => {
                    self.recognise().await?;
                    return Some((Ok(event::heartbeat(self.position)), self));
                }
                there_is = self.news.changed() => if !there_is { return None },
            }
        }
    }

    /// Whether the credential is still one: keys expire, and their realm may be gone.
    async fn recognise(&mut self) -> Option<()> {
        self.recognised = Instant::now();
        self.call.recognise().await.ok()
    }

    /// What is to be said now; nothing more after the last event.
    fn step(&mut self) -> Option<Step> {
        if self.number == CLOSED {
            return None;
        }
        if !self.greeted {
            self.greeted = true;
            return Some(Step::Say(event::connected(self.position, &self.session)));
        }
        let (published, now) = (self.call.published(), self.call.now());
        let session = published.state.approval_sessions().get(&self.session);
        let Some(session) = session.filter(|session| session.number == self.number) else {
            self.number = CLOSED;
            return Some(Step::Say(event::session_deleted(self.position, &self.session)));
        };
        if !Sight::of(&self.call.caller, &published.state, now).sees_session(session) {
            return None;
        }
        if let Some(request) = self.next_request(&published.state, now) {
            let event = event::permission(self.behind(&published.state, request), request, now);
            return Some(Step::Say(event));
        }
        self.position = self.position.max(published.head.revision);
        Some(Step::Wait)
    }

    /// The first request behind the place that is to be told.
    fn next_request<'s>(&self, state: &'s State, now: Micros) -> Option<&'s Arc<Request>> {
        state.requests().since(self.position).find(|request| self.tells(state, request, now))
    }

    /// Moves behind a request; behind its revision only if that made no other one. A client that comes back rather gets one twice
    /// than misses one.
    fn behind(&mut self, state: &State, request: &Request) -> u64 {
        let revision = request.created_revision;
        let before = revision.saturating_sub(1);
        let mut of_revision = state.requests().since(before).take_while(|r| r.created_revision == revision);
        let is_last = of_revision.all(|other| other.number <= request.number);
        self.position = if is_last { revision } else { before };
        self.last = request.number;
        self.position
    }

    fn tells(&self, state: &State, request: &Request, now: Micros) -> bool {
        let is_due = request.created_revision > self.history || request.status_at(now) == Status::Pending;
        // What a rule decided at once was no question to anybody.
        let was_asked = request.decided_revision != Some(request.created_revision);
        is_due
            && was_asked
            && request.number > self.last
            && self.is_below(state, request)
            && Sight::of(&self.call.caller, state, now).sees(request)
    }

    /// Whether it was asked in the session, or in one below.
    fn is_below(&self, state: &State, request: &Request) -> bool {
        *request.session == *self.session
            || state.approval_sessions().lineage(&request.session).any(|above| above.number == self.number)
    }
}

/// No session has this number.
const CLOSED: u64 = 0;
