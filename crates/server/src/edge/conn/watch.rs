//! What is known of a connection's progress, and until when that will do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::time::Instant;

use super::End;
use crate::edge::EdgeSettings;

/// After a polite close, how long the other side has to agree.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// What to do when a deadline has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Finish what is in flight, take nothing more.
    Close,
    /// Drop it.
    Cut(End),
}

/// Bytes of the HTTP/2 connection preface (RFC 9113 section 3.4).
const HTTP2_PREFACE: usize = 24;

// Phases while no request is in flight.
const OPENING: u8 = 0;
const HEAD: u8 = 1;
const IDLE: u8 = 2;

// Stages of the server.
const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const KILLED: u8 = 2;

/// The progress of one connection, shared by its socket, its requests and the server.
///
/// All but `stage` is written where the connection runs; with HTTP/2 several requests end on several threads, and the
/// order of the two writes in [`InFlight::drop`] sees to it that the last one out leaves `IDLE`.
pub(in crate::edge) struct Watch {
    settings: Arc<EdgeSettings>,
    opened: Instant,
    phase: AtomicU8,
    http2: AtomicBool,
    in_flight: AtomicU32,
    unread_body: AtomicBool,
    // Times, in microseconds after `opened`; 0 is never.
    phase_since: AtomicU64,
    blocked_since: AtomicU64,
    linger_since: AtomicU64,
    stage: AtomicU8,
    stage_since: AtomicU64,
    reset: AtomicBool,
    pub(super) waker: AtomicWaker,
}

impl Watch {
    pub(in crate::edge) fn new(settings: Arc<EdgeSettings>) -> Self {
        Self {
            settings,
            opened: Instant::now(),
            phase: AtomicU8::new(OPENING),
            http2: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            unread_body: AtomicBool::new(false),
            phase_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            linger_since: AtomicU64::new(0),
            stage: AtomicU8::new(RUNNING),
            stage_since: AtomicU64::new(0),
            reset: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// The TLS handshake is over: from here the wait for the first byte counts.
    pub(in crate::edge) fn handshaken(&self) {
        self.phase_since.store(self.now(), Ordering::Relaxed);
    }

    /// Bytes came in.
    pub(super) fn received(&self, bytes: &[u8]) {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return;
        }
        let phase = self.phase.load(Ordering::Relaxed);
        // The preface of HTTP/2 begins like no HTTP/1 method.
        if phase == OPENING && bytes.starts_with(b"PRI ") {
            self.http2.store(true, Ordering::Relaxed);
            self.enter(if bytes.len() < HTTP2_PREFACE { HEAD } else { IDLE });
        } else if self.http2.load(Ordering::Relaxed) {
            // Its frames come and go without a request, so what counts is the time since the last request.
            if phase == HEAD {
                self.enter(IDLE);
            }
        } else if phase != HEAD {
            self.enter(HEAD);
        }
    }

    /// The other side takes (`false`) or does not take (`true`) what we write.
    pub(super) fn write_blocked(&self, blocked: bool) {
        let since = self.blocked_since.load(Ordering::Relaxed);
        if blocked && since == 0 {
            self.blocked_since.store(self.now(), Ordering::Relaxed);
        } else if !blocked && since != 0 {
            self.blocked_since.store(0, Ordering::Relaxed);
        }
    }

    /// A request's body was dropped before its end.
    pub(super) fn left_unread(&self) {
        self.unread_body.store(true, Ordering::Relaxed);
    }

    /// Whether to go on reading after our last byte; the first call starts the clock.
    pub(super) fn lingers(&self) -> bool {
        let lingers = self.unread_body.load(Ordering::Relaxed);
        if lingers && self.linger_since.load(Ordering::Relaxed) == 0 {
            self.linger_since.store(self.now(), Ordering::Relaxed);
        }
        lingers
    }

    /// A request begins; it is in flight until the value is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    /// The server finishes what is in flight.
    pub(super) fn drain(&self) {
        self.set_stage(DRAINING);
    }

    /// The server waits no longer.
    pub(super) fn kill(&self) {
        self.set_stage(KILLED);
    }

    /// Nobody waits for what is on its way either. A connection of HTTP/2 that has other requests on it stays.
    pub(super) fn cut(&self) {
        let others = self.http2.load(Ordering::Relaxed) && self.in_flight.load(Ordering::Acquire) > 1;
        if !others {
            self.reset.store(true, Ordering::Release);
            self.kill();
        }
    }

    /// Whether closing throws away what the other side has not taken yet.
    pub(super) fn is_to_be_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }

    fn set_stage(&self, stage: u8) {
        self.stage_since.store(self.now(), Ordering::Relaxed);
        self.stage.store(stage, Ordering::Release);
        self.waker.wake();
    }

    fn enter(&self, phase: u8) {
        self.phase_since.store(self.now(), Ordering::Relaxed);
        self.phase.store(phase, Ordering::Release);
    }

    /// The next deadline as things stand; `None` while the only wait is for a handler.
    pub(super) fn due(&self, closing: Option<Instant>) -> Option<(Instant, Due)> {
        let settings = &*self.settings;
        let stage = self.stage.load(Ordering::Acquire);
        if stage == KILLED {
            return Some((self.opened, Due::Cut(End::Cut)));
        }
        if let Some(since) = self.time(&self.linger_since) {
            return Some((since + settings.linger, Due::Cut(End::Closed)));
        }
        let busy = self.in_flight.load(Ordering::Acquire) > 0;
        let stalled =
            self.time(&self.blocked_since).map(|since| (since + settings.write_stall, Due::Cut(End::Cut)));
        let next = match closing {
            Some(_) if busy => None,
            Some(since) => Some((since + CLOSE_GRACE, Due::Cut(End::Closed))),
            None if stage == DRAINING => Some(self.due_in_drain(busy)),
            None if busy => None,
            None => Some(self.due_in_phase()),
        };
        match (stalled, next) {
            (Some(stalled), Some(next)) if next.0 < stalled.0 => Some(next),
            (Some(stalled), _) => Some(stalled),
            (None, next) => next,
        }
    }

    fn due_in_phase(&self) -> (Instant, Due) {
        let since = self.opened + Duration::from_micros(self.phase_since.load(Ordering::Relaxed));
        match self.phase.load(Ordering::Acquire) {
            OPENING => (since + self.settings.first_byte, Due::Cut(End::TooSlow)),
            HEAD => (since + self.settings.header_read, Due::Cut(End::TooSlow)),
            _ => (since + self.settings.keep_alive, Due::Close),
        }
    }

    /// HTTP/2 has a goodbye that loses nothing (GOAWAY), and an HTTP/1 connection with a request on it says
    /// `Connection: close`. One that is idle may have a request on its way, so it gets a moment.
    fn due_in_drain(&self, busy: bool) -> (Instant, Due) {
        if busy || self.http2.load(Ordering::Relaxed) {
            return (self.opened, Due::Close);
        }
        if self.phase.load(Ordering::Acquire) == HEAD {
            return self.due_in_phase();
        }
        let since = self.opened + Duration::from_micros(self.stage_since.load(Ordering::Relaxed));
        (since + self.settings.drain_idle_grace, Due::Close)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    fn time(&self, cell: &AtomicU64) -> Option<Instant> {
        match cell.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(self.opened + Duration::from_micros(micros)),
        }
    }
}

/// A request in flight: from its head to the last byte of its answer.
pub(super) struct InFlight(Arc<Watch>);

impl Drop for InFlight {
    fn drop(&mut self) {
        // The phase first: whoever sees zero in flight must see the new idle time, too.
        let watch = &self.0;
        watch.enter(IDLE);
        watch.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
