//! What webhooks tell of: the one place that says which changes are events.
//!
//! An event holds no personal or free text. Those are looked up in the state when it is sent, so that an erasure reaches
//! what waits to be sent as well.

use std::sync::Arc;

use uuid::Uuid;

use super::authorization_event::{self, AuthorizationEvent};
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::request::{Asked, Outcome, Request, Settlement, Status};
use crate::{Micros, State};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// 0: nothing did; somebody wants to see whether it arrives. Every webhook is told.
    Ping,
    /// 1: somebody asked. A rule may have decided already: the status says so.
    RequestCreated,
    /// 2: granted or denied, by a person or a rule.
    RequestDecided,
    /// 3: nobody decided in time.
    RequestExpired,
    /// 4: taken back.
    RequestCancelled,
    /// 5: an organization lets an app do something there for the first time.
    AuthorizationGranted,
    /// 6: it lets it do more or less, or has agreed anew.
    AuthorizationChanged,
    /// 7: it has disconnected the app, or the time is over.
    AuthorizationRevoked,
    /// 8: a branch of a repository was pushed to. Only its triggers are told.
    BranchUpdated,
}

impl EventKind {
    /// Those that a webhook can choose; their numbers are 1 to 31.
    pub const CHOSEN: [Self; 7] = [
        Self::RequestCreated,
        Self::RequestDecided,
        Self::RequestExpired,
        Self::RequestCancelled,
        Self::AuthorizationGranted,
        Self::AuthorizationChanged,
        Self::AuthorizationRevoked,
    ];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::RequestCreated => "request.created",
            Self::RequestDecided => "request.decided",
            Self::RequestExpired => "request.expired",
            Self::RequestCancelled => "request.cancelled",
            Self::AuthorizationGranted => "authorization.granted",
            Self::AuthorizationChanged => "authorization.changed",
            Self::AuthorizationRevoked => "authorization.revoked",
            Self::BranchUpdated => "branch.updated",
        }
    }

    /// The kind of that name, if a webhook can choose it.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::CHOSEN.into_iter().find(|kind| kind.name() == name)
    }

    fn number(self) -> u8 {
        match self {
            Self::Ping => 0,
            Self::RequestCreated => 1,
            Self::RequestDecided => 2,
            Self::RequestExpired => 3,
            Self::RequestCancelled => 4,
            Self::AuthorizationGranted => 5,
            Self::AuthorizationChanged => 6,
            Self::AuthorizationRevoked => 7,
            Self::BranchUpdated => 8,
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let number = r.u8()?;
        let mut all = [Self::Ping, Self::BranchUpdated].into_iter().chain(Self::CHOSEN);
        all.find(|kind| kind.number() == number)
            .ok_or_else(|| CodecError::Unknown { what: "an event", found: number.to_string() })
    }
}

/// Of what a webhook wants to be told. The empty set: of everything, also of what there may be one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventSet(u32);

impl EventSet {
    /// Everything.
    pub const ALL: Self = Self(0);

    /// Whether it holds this kind. A ping is for everybody.
    pub fn contains(self, kind: EventKind) -> bool {
        self == Self::ALL || kind == EventKind::Ping || self.0 & (1 << kind.number()) != 0
    }

    /// Those that were chosen; none if that is everything.
    pub fn chosen(self) -> impl Iterator<Item = EventKind> {
        EventKind::CHOSEN.into_iter().filter(move |kind| self.0 & (1 << kind.number()) != 0)
    }

    pub(crate) fn write(self, w: &mut Writer) {
        w.u32(self.0);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let read = Self(r.u32()?);
        let known: Self = EventKind::CHOSEN.into_iter().collect();
        match read.0 & !known.0 {
            0 => Ok(read),
            unknown => Err(CodecError::Unknown { what: "a set of events", found: format!("{unknown:#x}") }),
        }
    }
}

impl FromIterator<EventKind> for EventSet {
    fn from_iter<I: IntoIterator<Item = EventKind>>(iter: I) -> Self {
        Self(iter.into_iter().fold(0, |set, kind| set | 1 << kind.number()))
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Micros,
    /// The app that it concerns, if one.
    pub app: Option<Arc<str>>,
    /// What it happened to.
    pub subject: Subject,
}

/// What something happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// 0: nothing.
    Nothing,
    /// 1: a request.
    Request(Box<RequestEvent>),
    /// 2: an authorization.
    Authorization(Box<AuthorizationEvent>),
    /// 3: a branch.
    Push(PushEvent),
}

/// A branch as a push has left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEvent {
    /// Of which repository.
    pub repository: Uuid,
    /// Its name.
    pub branch: Arc<str>,
    /// The commit that it names.
    pub commit: Arc<str>,
}

/// A request as it was at the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEvent {
    /// Its id.
    pub id: Uuid,
    /// In the order of their making.
    pub number: u64,
    /// In which session.
    pub session: Arc<str>,
    /// Which tool.
    pub tool: Arc<str>,
    /// Where.
    pub path: Option<Arc<str>>,
    /// Who asks, as in lists.
    pub requester: String,
    /// Where it stood.
    pub status: Status,
    /// When it was made.
    pub created_at: Micros,
    /// From then on it is over.
    pub expires_at: Micros,
    /// Who or what decided, as in lists.
    pub decided_by: Option<String>,
}

impl RequestEvent {
    fn of(request: &Request) -> Self {
        Self {
            id: request.id,
            number: request.number,
            session: request.session.clone(),
            tool: request.tool.clone(),
            path: request.path.clone(),
            requester: request.requester.to_string(),
            status: request.status,
            created_at: request.created_at,
            expires_at: request.expires_at,
            decided_by: request.decided_by.as_ref().map(ToString::to_string),
        }
    }

    fn asked(asked: &Asked, now: Micros) -> Self {
        Self {
            id: asked.id,
            number: asked.number,
            session: asked.session.clone(),
            tool: asked.tool.clone(),
            path: asked.path.clone(),
            requester: asked.requester.to_string(),
            status: Status::Pending,
            created_at: now,
            expires_at: asked.expires_at,
            decided_by: None,
        }
    }

    fn settled(self, settlement: &Settlement) -> Self {
        let (status, by) = (settlement.outcome.status(), settlement.by.to_string());
        Self { status, decided_by: Some(by), ..self }
    }
}

/// Whether a change is told of.
pub(crate) fn is_event(change: &Change) -> bool {
    matches!(change, Change::RequestCreated { .. } | Change::RequestSettled { .. })
        || authorization_event::is_event(change)
}

/// What the changes of one entry tell of, in their order. `state` is the one that they were decided on.
pub fn events(state: &State, changes: &[Change], now: Micros) -> Vec<Event> {
    let mut told: Vec<Event> =
        changes.iter().filter_map(|change| event(state, changes, change, now)).collect();
    told.extend(authorization_event::events(state, changes, now));
    told
}

fn event(state: &State, changes: &[Change], change: &Change, now: Micros) -> Option<Event> {
    let (kind, request) = match change {
        Change::RequestCreated { asked } => {
            let made = RequestEvent::asked(asked, now);
            // A rule may decide it in the same entry.
            let settled = changes.iter().find_map(|change| match change {
                Change::RequestSettled { settlement } if settlement.id == asked.id => Some(settlement),
                _ => None,
            });
            let request = match settled {
                Some(settlement) => made.settled(settlement),
                None => made,
            };
            (EventKind::RequestCreated, request)
        }
        Change::RequestSettled { settlement } => {
            let request = match state.requests().get(settlement.id) {
                Some(request) => RequestEvent::of(request),
                None => changes.iter().find_map(|change| match change {
                    Change::RequestCreated { asked } if asked.id == settlement.id => {
                        Some(RequestEvent::asked(asked, now))
                    }
                    _ => None,
                })?,
            };
            let kind = match settlement.outcome {
                Outcome::Granted | Outcome::Denied => EventKind::RequestDecided,
                Outcome::Expired => EventKind::RequestExpired,
                Outcome::Cancelled => EventKind::RequestCancelled,
            };
            (kind, request.settled(settlement))
        }
        _ => return None,
    };
    Some(Event { kind, at: now, app: None, subject: Subject::Request(Box::new(request)) })
}

impl Event {
    /// A ping.
    pub(crate) fn ping(app: Option<Arc<str>>, at: Micros) -> Self {
        Self { kind: EventKind::Ping, at, app, subject: Subject::Nothing }
    }

    /// A push.
    pub(crate) fn push(push: PushEvent, at: Micros) -> Self {
        Self { kind: EventKind::BranchUpdated, at, app: None, subject: Subject::Push(push) }
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.u8(self.kind.number());
        w.i64(self.at);
        w.option(self.app.as_deref(), Writer::text);
        match &self.subject {
            Subject::Nothing => w.u8(0),
            Subject::Request(request) => {
                w.u8(1);
                write_request(w, request);
            }
            Subject::Authorization(authorization) => {
                w.u8(2);
                authorization.write(w);
            }
            Subject::Push(push) => {
                w.u8(3);
                w.uuid(push.repository);
                w.text(&push.branch);
                w.text(&push.commit);
            }
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            kind: EventKind::read(r)?,
            at: r.i64()?,
            app: r.option(|r| r.text().map(shared))?,
            subject: match r.u8()? {
                0 => Subject::Nothing,
                1 => Subject::Request(Box::new(read_request(r)?)),
                2 => Subject::Authorization(Box::new(AuthorizationEvent::read(r)?)),
                3 => Subject::Push(PushEvent {
                    repository: r.uuid()?,
                    branch: shared(r.text()?),
                    commit: shared(r.text()?),
                }),
                other => {
                    return Err(CodecError::Unknown { what: "an event's subject", found: other.to_string() });
                }
            },
        })
    }
}

fn write_request(w: &mut Writer, request: &RequestEvent) {
    w.uuid(request.id);
    w.u64(request.number);
    w.text(&request.session);
    w.text(&request.tool);
    w.option(request.path.as_deref(), Writer::text);
    w.text(&request.requester);
    w.text(request.status.name());
    w.i64(request.created_at);
    w.i64(request.expires_at);
    w.option(request.decided_by.as_deref(), Writer::text);
}

fn read_request(r: &mut Reader<'_>) -> Result<RequestEvent, CodecError> {
    Ok(RequestEvent {
        id: r.uuid()?,
        number: r.u64()?,
        session: shared(r.text()?),
        tool: shared(r.text()?),
        path: r.option(|r| r.text().map(shared))?,
        requester: r.text()?.into(),
        status: read_status(r)?,
        created_at: r.i64()?,
        expires_at: r.i64()?,
        decided_by: r.option(|r| r.text().map(Into::into))?,
    })
}

fn read_status(r: &mut Reader<'_>) -> Result<Status, CodecError> {
    let name = r.text()?;
    Status::of_name(name).ok_or_else(|| CodecError::Unknown { what: "a status", found: name.to_owned() })
}
