//! `GET /inbox/events`: the inbox as it changes, as server-sent events (WHATWG HTML, section 9.2).
//!
//! Each event `list` is the whole list as HTML, so a reader who is slow or comes back later has lost nothing: what they get
//! next is what waits now. `over` says that the page has to be asked for again: nobody is signed in any more.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use grantd_node::{Followed, Subject};
use http::{HeaderName, header};
use tokio::time::{Instant, sleep};

use super::listing::changed_part;
use crate::pages::errors::PageError;
use crate::pages::visit::Visit;

/// How often something is sent when nothing changes, and a session looked for that is over. Proxies cut what is silent.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often the inbox is looked at when no request is made or ends: rights change, and the clock ends requests by itself.
const TICK: Duration = Duration::from_secs(1);

/// The inbox is looked at no more often than this.
const PAUSE: Duration = Duration::from_millis(150);

struct Follower {
    visit: Visit,
    login: String,
    followed: Followed,
    /// Tells the list that was sent last.
    sent: Option<u64>,
    /// When something is sent even if nothing has changed.
    beat: Instant,
    over: bool,
}

/// Follows the inbox of who is signed in.
pub(in crate::pages) async fn follow_inbox(visit: Visit) -> Result<Response, PageError> {
    let login = visit.signed_in()?.login.clone();
    // Before the state is read for the first time: so nothing is missed.
    let followed = visit.realm.follow(Subject::All);
    let follower =
        Follower { visit, login, followed, sent: None, beat: Instant::now() + HEARTBEAT, over: false };
    let body = Body::from_stream(stream::unfold(follower, Follower::next));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // nginx would keep events back until it has a buffer full of them.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

impl Follower {
    /// The next piece: an event, or a comment that keeps the connection open. It ends with the session, and when the server
    /// goes down.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let piece = loop {
            if self.over {
                return None;
            }
            let published = self.visit.realm.published();
            if let Some((html, mark)) = changed_part(&self.visit, &published, &self.login, self.sent) {
                self.sent = Some(mark);
                break event("list", published.head.revision, &html);
            }
            if self.beat <= Instant::now() {
                break Bytes::from_static(b": still here\n\n");
            }
            drop(published);
            tokio::select! {
                _ = self.followed.changed() => sleep(PAUSE).await,
                () = sleep(TICK) => {}
                () = self.visit.app.drain.wait() => return None,
            }
        };
        self.beat = Instant::now() + HEARTBEAT;
        // Whoever signed out meanwhile, or was, sees nothing more.
        if self.visit.is_still_signed_in().await {
            return Some((Ok(piece), self));
        }
        self.over = true;
        Some((Ok(event("over", 0, "over")), self))
    }
}

/// An event: every line of its data behind a name of the field.
fn event(name: &str, id: u64, data: &str) -> Bytes {
    let mut out = format!("id: {id}\nevent: {name}\n");
    out.reserve(data.len() + data.len() / 8 + 16);
    for line in data.lines() {
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_each_line_of_its_data() {
        let written = event("list", 7, "<p>\n\n</p>\n");
        assert_eq!(written, "id: 7\nevent: list\ndata: <p>\ndata: \ndata: </p>\n\n");
    }
}
