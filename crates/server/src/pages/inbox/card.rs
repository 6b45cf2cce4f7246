//! A request as a card.

use grantd_node::realm::caller::Actor;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::request::{Decider, Request, Status};
use grantd_node::realm::{Micros, State};
use uuid::Uuid;

use super::params::{Block, Kind, blocks};
use super::sight::View;
use super::text::{Limits, Shown};
use crate::pages::times::{ago, left, moment};
use crate::time::rfc3339;

/// What stands where a text was erased.
const ERASED: &str = "(erased)";

/// What is shown of a request.
pub(super) struct Card {
    pub(super) id: Uuid,
    pub(super) session: String,
    pub(super) tool: Shown,
    /// Unless the description says it.
    pub(super) action: Option<Shown>,
    pub(super) description: Shown,
    pub(super) path: Option<Shown>,
    pub(super) blocks: Vec<Block>,
    pub(super) requester: String,
    pub(super) created: String,
    pub(super) created_exactly: String,
    pub(super) left: String,
    pub(super) expires_exactly: String,
    pub(super) expires_ms: i64,
    pub(super) status: Word,
    pub(super) decided_by: Option<String>,
    pub(super) decided_at: Option<(String, String)>,
    pub(super) reason: Option<Shown>,
    pub(super) was_edited: bool,
    /// How many bytes of it are left out.
    pub(super) hidden: usize,
    pub(super) has_unseen: bool,
    pub(super) may_decide: bool,
    is_own: bool,
    /// What went wrong with the answer to it.
    pub(super) problem: Option<String>,
}

/// A status, for programs and for people.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) word: &'static str,
}

impl Word {
    fn of(status: Status) -> Self {
        let (name, word) = match status {
            Status::Pending => ("pending", "Pending"),
            Status::Granted => ("granted", "Granted"),
            Status::Denied => ("denied", "Denied"),
            Status::Expired => ("expired", "Timed out"),
            Status::Cancelled => ("cancelled", "Cancelled"),
        };
        Self { name, word }
    }
}

impl Card {
    pub(super) fn new(request: &Request, view: &View<'_>, limits: Limits) -> Self {
        let now = view.now;
        let text = |personal: &Personal| personal.text().unwrap_or(ERASED).to_owned();
        let (said, action) = (text(&request.description), text(&request.action));
        let description = Shown::new(&said, limits);
        let action = (action != said && !action.is_empty()).then(|| Shown::new(&action, limits));
        let path = request.path.as_ref().map(|path| Shown::new(path, limits));
        let blocks = request.params.text().map_or_else(Vec::new, |params| blocks(params, limits));
        let tool = Shown::new(&request.tool, Limits::TITLE);
        let texts = [Some(&tool), Some(&description), action.as_ref(), path.as_ref()];
        let texts = || texts.into_iter().flatten();
        let hidden =
            texts().map(Shown::hidden).sum::<usize>() + blocks.iter().map(Block::hidden).sum::<usize>();
        Self {
            id: request.id,
            session: request.session.to_string(),
            hidden,
            has_unseen: texts().any(Shown::has_unseen) || blocks.iter().any(Block::has_unseen),
            tool,
            action,
            description,
            path,
            blocks,
            requester: who(view.state, &request.requester),
            created: ago(now, request.created_at),
            created_exactly: rfc3339(request.created_at),
            left: left(now, request.expires_at),
            expires_exactly: rfc3339(request.expires_at),
            expires_ms: request.expires_at / 1_000,
            status: Word::of(request.status_at(now)),
            decided_by: decided_by(view.state, request),
            decided_at: request.decided_at.map(|at| (said_at(now, at), rfc3339(at))),
            reason: request.reason.as_ref().map(|reason| Shown::new(&text(reason), limits)),
            was_edited: request.edited_params.is_some(),
            may_decide: view.decides(request),
            is_own: view.is_own(request),
            problem: None,
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.status.name == "pending"
    }

    /// Whether nothing of it is left out. What is not all there is not granted.
    pub(super) fn is_whole(&self) -> bool {
        self.hidden == 0
    }

    /// Why somebody who sees it may not decide it.
    pub(super) fn not_yours(&self) -> &'static str {
        if self.is_own {
            "You asked for this: somebody else decides it."
        } else {
            "You may not decide this one."
        }
    }

    /// What it is about, in a list.
    pub(super) fn glance(&self) -> Option<&Shown> {
        self.blocks.iter().find_map(|block| match &block.kind {
            Kind::Command(command) => Some(command),
            _ => None,
        })
    }
}

fn said_at(now: Micros, at: Micros) -> String {
    // Of a day ago and longer the day itself says more.
    if now.saturating_sub(at) < 86_400_000_000 { ago(now, at) } else { moment(at) }
}

fn decided_by(state: &State, request: &Request) -> Option<String> {
    match request.decided_by.as_ref()? {
        Decider::Actor(actor) => Some(who(state, actor)),
        Decider::Rule(rule) => Some(format!("rule {}", short(*rule))),
        Decider::Timeout => None,
    }
}

/// Somebody, as people know them.
pub(super) fn who(state: &State, actor: &Actor) -> String {
    match actor {
        Actor::User(login) => login.clone(),
        Actor::ApiKey(id) => match state.api_keys().get(*id).and_then(|key| key.name.as_ref()?.text()) {
            Some(name) => format!("{name} (API key)"),
            None => format!("API key {}", short(*id)),
        },
        Actor::SystemKey(id) => format!("system API key {}", short(*id)),
        Actor::Identity(id) => format!("identity {}", short(*id)),
        Actor::System(what) => format!("grantd ({what})"),
        Actor::App(client_id) => match state.apps().get(client_id).and_then(|app| app.name.text()) {
            Some(name) => format!("{name} (app)"),
            None => format!("app {client_id}"),
        },
    }
}

/// The beginning of an id, which tells it from its neighbours.
pub(super) fn short(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}
