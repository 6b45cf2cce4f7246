//! Requests: an agent asks whether it may use a tool, a person (or a rule) decides, exactly once.
//!
//! A request is pending until it is granted, denied or cancelled, or until its time is over. Nothing ever becomes granted by
//! itself. The state keeps every pending request and the last decided ones; the ledger has them all.

mod act;
mod create;
mod decide;
mod end;
mod rights;
mod shell;

pub use act::{Act, Script, Simple, Word};
pub use create::{CreateRequest, NewRequest};
pub use decide::{DecideRequest, Remember, Verdict};
pub use end::{CancelRequest, ExpireRequests};
pub(crate) use rights::is_theirs;
pub use rights::{Sight, may_decide};

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::Micros;
use crate::caller::Actor;
use crate::change::{Change, Stamp};
use crate::personal::Personal;

/// The most bytes of an action, and of a description.
pub const MAX_TEXT: usize = 64 << 10;
/// The most bytes of the parameters, as JSON text.
pub const MAX_PARAMS: usize = 256 << 10;
/// The most bytes of a reason.
pub const MAX_REASON: usize = 4 << 10;
/// The most bytes of a tool's name.
pub const MAX_TOOL: usize = 256;
/// The most bytes of a path.
pub const MAX_PATH: usize = 4 << 10;
/// The most bytes of the id of the tool call above.
pub const MAX_TOOL_CALL: usize = 256;

const SECOND: Micros = 1_000_000;

/// The shortest time that a request can wait.
pub const MIN_TIMEOUT: Micros = SECOND;
/// The longest: 30 days.
pub const MAX_TIMEOUT: Micros = 30 * 24 * 3_600 * SECOND;
/// Of a request that names none: 30 s, as Mix has it.
pub const DEFAULT_TIMEOUT: Micros = 30 * SECOND;

/// How many requests of a realm can be pending, and how many bytes of text they can hold.
pub const MAX_PENDING: usize = 10_000;
/// See [`MAX_PENDING`].
pub const MAX_PENDING_BYTES: u64 = 128 << 20;

/// How many decided requests the state keeps, and how many bytes of text: the older ones are in the ledger only.
pub const KEPT: usize = 10_000;
/// See [`KEPT`].
pub const KEPT_BYTES: u64 = 64 << 20;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nobody has decided yet, and there is time.
    Pending,
    /// The tool may be used.
    Granted,
    /// It may not.
    Denied,
    /// The time was over before anybody decided: a denial.
    Expired,
    /// Whoever asked, or an approver, took it back.
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Granted, Self::Denied, Self::Expired, Self::Cancelled];

    /// Its name on every wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 1
    Granted,
    /// 2
    Denied,
    /// 3
    Expired,
    /// 4
    Cancelled,
}

impl Outcome {
    /// The status of a request that ended so.
    pub fn status(self) -> Status {
        match self {
            Self::Granted => Status::Granted,
            Self::Denied => Status::Denied,
            Self::Expired => Status::Expired,
            Self::Cancelled => Status::Cancelled,
        }
    }
}

/// Who or what decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// Somebody.
    Actor(Actor),
    /// A standing rule.
    Rule(Uuid),
    /// The clock.
    Timeout,
}

/// As in lists: `user:ann`, `api_key:<id>`, `rule:<id>`, `timeout`.
impl std::fmt::Display for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Actor(actor) => actor.fmt(f),
            Self::Rule(id) => write!(f, "rule:{id}"),
            Self::Timeout => f.write_str("timeout"),
        }
    }
}

/// What was asked, as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its id; random, safe in a URL.
    pub id: Uuid,
    /// Counts up in the order of their making.
    pub number: u64,
    /// In which session.
    pub session: Arc<str>,
    /// Which tool.
    pub tool: Arc<str>,
    /// Where: the file, or the working directory.
    pub path: Option<Arc<str>>,
    /// What the tool is to do, for a person to read.
    pub action: Personal,
    /// The same at length.
    pub description: Personal,
    /// The tool's parameters: the text of a JSON object.
    pub params: Personal,
    /// The tool call, if any, by which the asking agent was started.
    pub parent_tool_call: Option<Arc<str>>,
    /// Who asks.
    pub requester: Actor,
    /// From then on it is [`Status::Expired`].
    pub expires_at: Micros,
    /// Bytes of its texts, before any erasure.
    pub size: u32,
}

/// How it ended, as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Which request.
    pub id: Uuid,
    /// Its session.
    pub session: Arc<str>,
    /// How.
    pub outcome: Outcome,
    /// By whom.
    pub by: Decider,
    /// Why.
    pub reason: Option<Personal>,
    /// With these parameters instead.
    pub edited_params: Option<Personal>,
    /// Bytes of its texts, before any erasure.
    pub size: u32,
}

impl Settlement {
    pub(crate) fn new(request: &Request, outcome: Outcome, by: Decider) -> Self {
        let (id, session) = (request.id, request.session.clone());
        Self { id, session, outcome, by, reason: None, edited_params: None, size: 0 }
    }

    pub(crate) fn by_actor(request: &Request, outcome: Outcome, actor: Actor) -> Self {
        Self::new(request, outcome, Decider::Actor(actor))
    }

    pub(crate) fn into_change(self) -> Change {
        Change::RequestSettled { settlement: Box::new(self) }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its id; random, safe in a URL.
    pub id: Uuid,
    /// Counts up in the order of their making.
    pub number: u64,
    /// In which session. It may be closed by now.
    pub session: Arc<str>,
    /// Which tool.
    pub tool: Arc<str>,
    /// Where: the file, or the working directory.
    pub path: Option<Arc<str>>,
    /// What the tool is to do, for a person to read.
    pub action: Personal,
    /// The same at length.
    pub description: Personal,
    /// The tool's parameters: the text of a JSON object.
    pub params: Personal,
    /// The tool call, if any, by which the asking agent was started.
    pub parent_tool_call: Option<Arc<str>>,
    /// Who asks.
    pub requester: Actor,
    /// When it was made.
    pub created_at: Micros,
    /// The revision of the entry that made it. Several can be made by one revision; then `number` orders them.
    pub created_revision: u64,
    /// From then on it is [`Status::Expired`], whether or not an entry says so.
    pub expires_at: Micros,
    /// As the ledger says; see [`Self::status_at`].
    pub status: Status,
    /// Who or what decided.
    pub decided_by: Option<Decider>,
    /// When.
    pub decided_at: Option<Micros>,
    /// The revision of the entry that decided.
    pub decided_revision: Option<u64>,
    /// Why.
    pub reason: Option<Personal>,
    /// The parameters to use instead, in a grant that changed them: the text of a JSON object.
    pub edited_params: Option<Personal>,
    pub(crate) asked_size: u32,
    pub(crate) settled_size: u32,
}

impl Request {
    /// Where it stands at a time.
    pub fn status_at(&self, now: Micros) -> Status {
        match self.status {
            Status::Pending if now >= self.expires_at => Status::Expired,
            status => status,
        }
    }

    /// Whether it is decided, cancelled or over at a time.
    pub fn is_settled_at(&self, now: Micros) -> bool {
        self.status_at(now) != Status::Pending
    }

    /// The parameters that a grant is for.
    pub fn granted_params(&self) -> &Personal {
        self.edited_params.as_ref().unwrap_or(&self.params)
    }

    fn of(asked: &Asked, stamp: Stamp) -> Self {
        Self {
            id: asked.id,
            number: asked.number,
            session: asked.session.clone(),
            tool: asked.tool.clone(),
            path: asked.path.clone(),
            action: asked.action.stored(),
            description: asked.description.stored(),
            params: asked.params.stored(),
            parent_tool_call: asked.parent_tool_call.clone(),
            requester: asked.requester.clone(),
            created_at: stamp.time,
            created_revision: stamp.revision,
            expires_at: asked.expires_at,
            status: Status::Pending,
            decided_by: None,
            decided_at: None,
            decided_revision: None,
            reason: None,
            edited_params: None,
            asked_size: asked.size,
            settled_size: 0,
        }
    }

    /// How it ended, if it did.
    pub(crate) fn settled(&self) -> Option<Settled<'_>> {
        let outcome = match self.status {
            Status::Pending => return None,
            Status::Granted => Outcome::Granted,
            Status::Denied => Outcome::Denied,
            Status::Expired => Outcome::Expired,
            Status::Cancelled => Outcome::Cancelled,
        };
        let (by, at, revision) = (self.decided_by.as_ref()?, self.decided_at?, self.decided_revision?);
        Some(Settled { outcome, by, at, revision })
    }

    fn order(&self) -> Order {
        (self.created_revision, self.number)
    }

    fn size(&self) -> u64 {
        u64::from(self.asked_size) + u64::from(self.settled_size)
    }

    fn erase(&mut self) {
        self.action = self.action.erased();
        self.description = self.description.erased();
        self.params = self.params.erased();
        self.reason = self.reason.as_ref().map(Personal::erased);
        self.edited_params = self.edited_params.as_ref().map(Personal::erased);
    }
}

/// How, by whom, when, and by which entry a request ended.
pub(crate) struct Settled<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) by: &'a Decider,
    pub(crate) at: Micros,
    pub(crate) revision: u64,
}

/// A revision, and a number within it.
type Order = (u64, u64);

/// The requests of a realm: all that are pending, and the last that are decided.
#[derive(Clone, Default)]
pub struct Requests {
    by_id: OrdMap<Uuid, Arc<Request>>,
    by_creation: OrdMap<Order, Uuid>,
    by_session: OrdMap<(Arc<str>, Order), Uuid>,
    pending: OrdMap<Order, Uuid>,
    pending_by_session: OrdMap<(Arc<str>, Order), Uuid>,
    deadlines: OrdMap<(Micros, u64), Uuid>,
    settled: OrdMap<Order, Uuid>,
    pending_bytes: u64,
    settled_bytes: u64,
    pub(crate) next_number: u64,
}

/// What is created after a revision: the least order beyond it.
fn beyond(revision: u64) -> Order {
    (revision.saturating_add(1), 0)
}

fn span(session: &str, from: Order) -> std::ops::RangeInclusive<(Arc<str>, Order)> {
    let session: Arc<str> = session.into();
    (session.clone(), from)..=(session, (u64::MAX, u64::MAX))
}

impl Requests {
    /// One of them, if the state still keeps it.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Request>> {
        self.by_id.get(&id)
    }

    /// All that were created after a revision, oldest first. After 0: all.
    pub fn since(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Arc<Request>> {
        self.by_creation.range(beyond(revision)..).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// The same of one session.
    pub fn in_session_since(
        &self,
        session: &str,
        revision: u64,
    ) -> impl DoubleEndedIterator<Item = &Arc<Request>> {
        self.by_session.range(span(session, beyond(revision))).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// Those that nobody has decided, oldest first; some may be over by now.
    pub fn pending(&self) -> impl DoubleEndedIterator<Item = &Arc<Request>> {
        self.pending.values().filter_map(|id| self.by_id.get(id))
    }

    /// The same of one session.
    pub fn pending_in(&self, session: &str) -> impl DoubleEndedIterator<Item = &Arc<Request>> {
        self.pending_by_session.range(span(session, (0, 0))).filter_map(|(_, id)| self.by_id.get(id))
    }

    pub(crate) fn has_pending_in(&self, session: &str) -> bool {
        self.pending_in(session).next().is_some()
    }

    /// How many nobody has decided.
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn pending_bytes(&self) -> u64 {
        self.pending_bytes
    }

    /// Those that are decided, in the order of their decisions; [`DoubleEndedIterator::rev`] gives the newest first.
    pub fn settled(&self) -> impl DoubleEndedIterator<Item = &Arc<Request>> {
        self.settled.values().filter_map(|id| self.by_id.get(id))
    }

    /// Those that were decided after a revision, in the order of their decisions.
    pub fn settled_since(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Arc<Request>> {
        self.settled.range(beyond(revision)..).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// When the next one is over.
    pub fn next_deadline(&self) -> Option<Micros> {
        self.deadlines.get_min().map(|((at, _), _)| *at)
    }

    /// Up to so many that are over at a time, and of which no entry says so yet.
    pub fn overdue(&self, now: Micros, limit: usize) -> Vec<Uuid> {
        self.deadlines.range(..=(now, u64::MAX)).take(limit).map(|(_, id)| *id).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn create(&mut self, asked: &Asked, stamp: Stamp) -> Result<(), String> {
        if self.by_id.contains_key(&asked.id) {
            return Err(format!("request {} exists already", asked.id));
        }
        self.insert(Request::of(asked, stamp));
        Ok(())
    }

    /// Puts one there in whatever state it is.
    pub(crate) fn insert(&mut self, request: Request) {
        let (id, order, session) = (request.id, request.order(), request.session.clone());
        self.next_number = self.next_number.max(request.number + 1);
        self.by_creation.insert(order, id);
        self.by_session.insert((session.clone(), order), id);
        match request.decided_revision {
            None => {
                self.pending.insert(order, id);
                self.pending_by_session.insert((session, order), id);
                self.deadlines.insert((request.expires_at, request.number), id);
                self.pending_bytes += request.size();
            }
            Some(revision) => {
                self.settled.insert((revision, request.number), id);
                self.settled_bytes += request.size();
            }
        }
        self.by_id.insert(id, Arc::new(request));
    }

    fn remove(&mut self, id: Uuid) -> Option<Arc<Request>> {
        let request = self.by_id.remove(&id)?;
        let (order, session) = (request.order(), request.session.clone());
        self.by_creation.remove(&order);
        self.by_session.remove(&(session.clone(), order));
        match request.decided_revision {
            None => {
                self.pending.remove(&order);
                self.pending_by_session.remove(&(session, order));
                self.deadlines.remove(&(request.expires_at, request.number));
                self.pending_bytes -= request.size();
            }
            Some(revision) => {
                self.settled.remove(&(revision, request.number));
                self.settled_bytes -= request.size();
            }
        }
        Some(request)
    }

    pub(crate) fn settle(&mut self, settlement: &Settlement, stamp: Stamp) -> Result<(), String> {
        let id = settlement.id;
        let pending = self.get(id).is_some_and(|request| request.status == Status::Pending);
        let Some(request) = pending.then(|| self.remove(id)).flatten() else {
            return Err(format!("there is no pending request {id}"));
        };
        let mut request = Arc::unwrap_or_clone(request);
        request.status = settlement.outcome.status();
        request.decided_by = Some(settlement.by.clone());
        request.decided_at = Some(stamp.time);
        request.decided_revision = Some(stamp.revision);
        request.reason = settlement.reason.as_ref().map(Personal::stored);
        request.edited_params = settlement.edited_params.as_ref().map(Personal::stored);
        request.settled_size = settlement.size;
        self.insert(request);
        // By sizes that an erasure does not change, so that every fold of the ledger forgets the same.
        while self.settled.len() > KEPT || self.settled_bytes > KEPT_BYTES {
            let Some((_, oldest)) = self.settled.get_min().map(|(order, id)| (*order, *id)) else { break };
            self.remove(oldest);
        }
        Ok(())
    }

    pub(crate) fn erase(&mut self, id: Uuid) {
        if let Some(request) = self.by_id.get_mut(&id) {
            Arc::make_mut(request).erase();
        }
    }

    pub(crate) fn erase_session(&mut self, session: &str) {
        let ids: Vec<Uuid> = self.by_session.range(span(session, (0, 0))).map(|(_, id)| *id).collect();
        ids.into_iter().for_each(|id| self.erase(id));
    }
}

/// The size of texts, as the ledger says it.
fn size_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> u32 {
    let bytes: usize = texts.into_iter().map(str::len).sum();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
