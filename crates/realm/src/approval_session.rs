//! Approval sessions: what one agent does in one go, as a named scope of requests and of who decides them.
//!
//! Who is an approver on a session, and which session it is below, is in relationships (`mix_session:<id> # approver @ user:ann`,
//! `# parent @ mix_session:<id>`); this is the record.

use std::sync::Arc;

use grantd_engine::{ObjectRef, SubjectRef};
use imbl::OrdMap;

use crate::caller::{Actor, Authority};
use crate::change::{Change, Stamp, shared};

use crate::command::{Command, Context, Decision};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::request::{Outcome, Settlement, is_theirs, may_decide};
use crate::{Micros, State};

/// The type of sessions.
pub const SESSION_TYPE: &str = "mix_session";

/// The relation to the session above.
pub const PARENT: &str = "parent";

/// How many sessions a realm keeps. One more closes the oldest without a pending request.
pub const MAX_SESSIONS: usize = 100_000;

/// How many sessions can stand above one.
pub const MAX_DEPTH: usize = 16;

/// The longest title, in bytes.
const MAX_TITLE: usize = 1_024;

/// A session.
#[derive(Debug, Clone)]
pub struct ApprovalSession {
    /// 1 to 128 of letters, digits, `.`, `_`, `~` and `-`.
    pub id: Arc<str>,
    /// Counts up in the order of their making; never used again.
    pub number: u64,
    /// What people call it.
    pub title: Option<Personal>,
    /// The session above. It may be closed: see [`ApprovalSessions::parent`].
    pub parent: Option<Arc<str>>,
    /// By which the parent is known from a later session of the same id.
    pub(crate) parent_number: u64,
    /// When it was made.
    pub created_at: Micros,
    /// Who made it.
    pub created_by: Actor,
}

/// The sessions of a realm.
#[derive(Clone, Default)]
pub struct ApprovalSessions {
    pub(crate) by_id: OrdMap<Arc<str>, Arc<ApprovalSession>>,
    pub(crate) by_number: OrdMap<u64, Arc<str>>,
    pub(crate) next_number: u64,
}

impl ApprovalSessions {
    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Arc<ApprovalSession>> {
        self.by_id.get(id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All, in the order of their making, from the one behind this number on.
    pub fn iter_after(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<ApprovalSession>> {
        self.by_number.range(number.saturating_add(1)..).filter_map(|(_, id)| self.by_id.get(id))
    }

    /// The session above, as long as it is open.
    pub fn parent(&self, session: &ApprovalSession) -> Option<&Arc<ApprovalSession>> {
        let parent = self.get(session.parent.as_deref()?)?;
        (parent.number == session.parent_number).then_some(parent)
    }

    /// The session and those above it.
    pub fn lineage<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Arc<ApprovalSession>> {
        std::iter::successors(self.get(id), |session| self.parent(session))
    }

    pub(crate) fn open(
        &mut self,
        id: &str,
        number: u64,
        title: Option<&Personal>,
        parent: Option<&str>,
        by: &Actor,
        stamp: Stamp,
    ) -> Result<(), String> {
        let parent_number = match parent {
            None => 0,
            Some(parent) => self.get(parent).ok_or_else(|| format!("there is no session `{parent}`"))?.number,
        };
        let session = ApprovalSession {
            id: shared(id),
            number,
            title: title.map(Personal::stored),
            parent: parent.map(shared),
            parent_number,
            created_at: stamp.time,
            created_by: by.clone(),
        };
        self.insert(session)
    }

    pub(crate) fn insert(&mut self, session: ApprovalSession) -> Result<(), String> {
        let (id, number) = (session.id.clone(), session.number);
        self.next_number = self.next_number.max(number + 1);
        self.by_number.insert(number, id.clone());
        match self.by_id.insert(id.clone(), Arc::new(session)) {
            None => Ok(()),
            Some(_) => Err(format!("session `{id}` exists already")),
        }
    }

    pub(crate) fn close(&mut self, id: &str) -> Result<(), String> {
        let session = self.by_id.remove(id).ok_or_else(|| format!("there is no session `{id}`"))?;
        self.by_number.remove(&session.number);
        Ok(())
    }

    pub(crate) fn erase_title(&mut self, id: &str) {
        if let Some(session) = self.by_id.get_mut(id) {
            let erased = session.title.as_ref().map(Personal::erased);
            Arc::make_mut(session).title = erased;
        }
    }
}

/// Refuses what cannot be the id of a session.
pub(crate) fn check_id(field: &'static str, id: &str) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
    if (1..=128).contains(&id.len()) && id.bytes().all(fits) {
        Ok(())
    } else {
        Err(Refusal::invalid(field, "must be 1 to 128 of letters, digits, `.`, `_`, `~` and `-`"))
    }
}

/// The changes that make a session, for whatever command needs one.
pub(crate) fn opening(
    state: &State,
    cx: &mut Context<'_>,
    id: &str,
    title: Option<&str>,
    parent: Option<&str>,
) -> Result<Vec<Change>, Refusal> {
    check_id("session", id)?;
    let sessions = state.approval_sessions();
    let mut changes = Vec::new();
    if sessions.len() >= MAX_SESSIONS {
        let idle = |session: &&Arc<ApprovalSession>| {
            Some(&*session.id) != parent && !state.requests().has_pending_in(&session.id)
        };
        let oldest = sessions.iter_after(0).find(idle);
        let oldest = oldest.ok_or(Refusal::TooMany { what: "sessions", most: MAX_SESSIONS as u64 })?;
        changes.push(Change::ApprovalSessionClosed { id: oldest.id.to_string() });
    }
    changes.push(Change::ApprovalSessionOpened {
        id: id.into(),
        number: sessions.next_number.max(1),
        title: title.map(|title| cx.personal(title)),
        parent: parent.map(Into::into),
        by: cx.caller.actor.recorded(),
    });
    if let Some(parent) = parent {
        let object = |id| ObjectRef { kind: SESSION_TYPE, id };
        changes.push(Change::grant(key("parent", object(id), PARENT, SubjectRef::Object(object(parent)))?));
    }
    Ok(changes)
}

/// Makes a session.
#[derive(Debug, Clone, Default)]
pub struct OpenApprovalSession {
    /// Its id; `None`: a random UUID.
    pub id: Option<String>,
    /// What people call it; at most 1,024 bytes.
    pub title: Option<String>,
    /// The session above, whose approvers decide here as well. Its maker or an approver of the realm names it.
    pub parent: Option<String>,
}

impl Command for OpenApprovalSession {
    /// The id.
    type Answer = String;
    const REQUIRES: Authority = Authority::Requester;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        cx.require(state, Authority::Requester)
            .or_else(|refusal| cx.require(state, Authority::Approver).map_err(|_| refusal))
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<String>, Refusal> {
        let id = self.id.clone().unwrap_or_else(|| cx.entropy.uuid().to_string());
        check_id("id", &id)?;
        if self.title.as_ref().is_some_and(|title| title.len() > MAX_TITLE) {
            return Err(Refusal::invalid("title", format!("must be at most {MAX_TITLE} bytes")));
        }
        if state.approval_sessions().get(&id).is_some() {
            return Err(Refusal::exists(Noun::ApprovalSession, &id));
        }
        if let Some(parent) = &self.parent {
            let above = find(state, parent)?;
            if !is_theirs(state, cx.caller, &above.created_by, above.created_at) {
                cx.require(state, Authority::Approver)?;
            }
            if state.approval_sessions().lineage(parent).count() >= MAX_DEPTH {
                return Err(Refusal::invalid(
                    "parent",
                    format!("at most {MAX_DEPTH} sessions stand above one"),
                ));
            }
        }
        let changes = opening(state, cx, &id, self.title.as_deref(), self.parent.as_deref())?;
        Ok(Decision::all(changes, id))
    }
}

/// The session, or the refusal that says there is none.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Arc<ApprovalSession>, Refusal> {
    state.approval_sessions().get(id).ok_or_else(|| Refusal::not_found(Noun::ApprovalSession, id))
}

/// Its maker, or who decides its requests.
fn require_charge(state: &State, cx: &Context<'_>, id: &str) -> Result<(), Refusal> {
    let made =
        |session: &Arc<ApprovalSession>| is_theirs(state, cx.caller, &session.created_by, session.created_at);
    let holds = |authority| cx.caller.holds(authority, state, cx.now);
    let is_in_charge = match state.approval_sessions().get(id) {
        Some(session) => made(session) || may_decide(state, cx.caller, id, cx.now),
        // That there is none is told to whoever could have made it.
        None => holds(Authority::Requester) || holds(Authority::Approver),
    };
    if is_in_charge { Ok(()) } else { Err(Refusal::NotAllowed(Authority::Approver)) }
}

fn cancelling(state: &State, cx: &Context<'_>, session: &str) -> Vec<Change> {
    let by = cx.caller.actor.recorded();
    let pending = state.requests().pending_in(session);
    pending
        .map(|request| Settlement::by_actor(request, Outcome::Cancelled, by.clone()).into_change())
        .collect()
}

/// Cancels every pending request of a session.
#[derive(Debug, Clone)]
pub struct CancelSessionRequests {
    /// Which.
    pub session: String,
}

impl Command for CancelSessionRequests {
    /// How many there were.
    type Answer = u64;
    const REQUIRES: Authority = Authority::Requester;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_charge(state, cx, &self.session)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<u64>, Refusal> {
        find(state, &self.session)?;
        let changes = cancelling(state, cx, &self.session);
        let count = changes.len() as u64;
        Ok(Decision::all(changes, count))
    }
}

/// Closes a session: its pending requests are cancelled, and its approvers and rules end with it. One of the same id is another
/// one. What was decided stays in the history.
#[derive(Debug, Clone)]
pub struct CloseApprovalSession {
    /// Which.
    pub id: String,
}

impl Command for CloseApprovalSession {
    type Answer = ();
    const REQUIRES: Authority = Authority::Requester;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        require_charge(state, cx, &self.id)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        find(state, &self.id)?;
        let mut changes = cancelling(state, cx, &self.id);
        changes.push(Change::ApprovalSessionClosed { id: self.id.clone() });
        Ok(Decision::all(changes, ()))
    }
}
