//! Requests made.

use uuid::Uuid;

use super::act::Act;
use super::{
    Asked, Decider, MAX_PARAMS, MAX_PATH, MAX_PENDING, MAX_PENDING_BYTES, MAX_TEXT, MAX_TIMEOUT, MAX_TOOL,
    MAX_TOOL_CALL, MIN_TIMEOUT, Outcome, Request, Settlement, size_of,
};
use crate::approval_session::{check_id, opening};
use crate::caller::Authority;
use crate::change::{Change, Stamp, shared};

use crate::command::{Command, Context, Decision};
use crate::refusal::Refusal;
use crate::rule::Ruling;
use crate::{Micros, State};

/// What is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// In which session. One that is not there is made.
    pub session: String,
    /// Which tool; 1 to [`MAX_TOOL`] bytes without control characters.
    pub tool: String,
    /// What it is to do, for a person to read; at most [`MAX_TEXT`] bytes.
    pub action: String,
    /// The same at length; at most [`MAX_TEXT`] bytes.
    pub description: String,
    /// The tool's parameters: the text of a JSON object in which no name stands twice, at most [`MAX_PARAMS`] bytes. Empty: none.
    pub params: String,
    /// Where: the file, or the working directory; at most [`MAX_PATH`] bytes.
    pub path: Option<String>,
    /// The tool call by which the asking agent was started; at most [`MAX_TOOL_CALL`] bytes.
    pub parent_tool_call: Option<String>,
    /// How long it waits, in microseconds: [`MIN_TIMEOUT`] to [`MAX_TIMEOUT`].
    pub timeout: Micros,
}

/// Asks. If a rule of the realm says yes or no, the request is decided at once, in the same entry; else somebody has to.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    new: NewRequest,
    act: Act,
}

impl CreateRequest {
    /// Checks what is to be asked, and reads the command that it may hold. This may take a while: not on the writer.
    pub fn new(new: NewRequest) -> Result<Self, Refusal> {
        let params = if new.params.is_empty() { "{}".to_owned() } else { new.params };
        let new = NewRequest { params, ..new };
        check_id("session", &new.session)?;
        check_name("tool", &new.tool, MAX_TOOL)?;
        check_text("action", &new.action, MAX_TEXT)?;
        check_text("description", &new.description, MAX_TEXT)?;
        check_text("params", &new.params, MAX_PARAMS)?;
        if let Some(path) = &new.path {
            check_name("path", path, MAX_PATH)?;
        }
        if let Some(call) = &new.parent_tool_call {
            check_name("parent_tool_call", call, MAX_TOOL_CALL)?;
        }
        if !(MIN_TIMEOUT..=MAX_TIMEOUT).contains(&new.timeout) {
            return Err(Refusal::invalid("timeout", "must be 1 second to 30 days"));
        }
        let act = Act::read(&new.tool, new.path.as_deref(), &new.params)?;
        Ok(Self { new, act })
    }

    fn asked(&self, state: &State, cx: &mut Context<'_>) -> Asked {
        let new = &self.new;
        Asked {
            id: cx.entropy.uuid(),
            number: state.requests().next_number.max(1),
            session: shared(&new.session),
            tool: shared(&new.tool),
            path: new.path.as_deref().map(shared),
            action: cx.personal(&new.action),
            description: cx.personal(&new.description),
            params: cx.personal(&new.params),
            parent_tool_call: new.parent_tool_call.as_deref().map(shared),
            requester: cx.caller.actor.recorded(),
            expires_at: cx.now.saturating_add(new.timeout),
            size: size_of([new.action.as_str(), &new.description, &new.params]),
        }
    }
}

fn check_name(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    if (1..=most).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refusal::invalid(field, format!("must be 1 to {most} bytes without control characters")))
}

pub(super) fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.len() > most {
        return Err(Refusal::invalid(field, format!("must be at most {most} bytes")));
    }
    Ok(())
}

impl Command for CreateRequest {
    /// Its id; what became of it is in the state from this revision on.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Requester;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let ruling =
            state.rules().judge(state, &self.act, &self.new.session, &cx.caller.actor.recorded(), cx.now);
        let asked = self.asked(state, cx);
        let requests = state.requests();
        if ruling.is_open() {
            if requests.pending_count() >= MAX_PENDING {
                return Err(Refusal::TooMany { what: "pending requests", most: MAX_PENDING as u64 });
            }
            if requests.pending_bytes() + u64::from(asked.size) > MAX_PENDING_BYTES {
                return Err(Refusal::TooMany { what: "bytes of pending requests", most: MAX_PENDING_BYTES });
            }
        }
        let mut changes = match state.approval_sessions().get(&self.new.session) {
            Some(_) => Vec::new(),
            None => opening(state, cx, &self.new.session, None, None)?,
        };
        let id = asked.id;
        // What the fold will make of it, so that a settlement can name it.
        let pending = Request::of(&asked, Stamp { revision: 0, time: cx.now });
        changes.push(Change::RequestCreated { asked: Box::new(asked) });
        let settled = match ruling {
            Ruling::Ask(_) => None,
            Ruling::Allow(rule) => Some((Outcome::Granted, rule)),
            Ruling::Deny(rule) => Some((Outcome::Denied, rule)),
        };
        if let Some((outcome, rule)) = settled {
            changes.push(Settlement::new(&pending, outcome, Decider::Rule(rule)).into_change());
        }
        Ok(Decision::all(changes, id))
    }
}
