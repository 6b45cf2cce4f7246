//! The inbox itself: what waits, by session, sub-agents under their parent.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use grantd_node::Published;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::request::{Request, Status};
use http::StatusCode;
use serde::Deserialize;

use super::card::Card;
use super::params::Kind;
use super::scripted;
use super::sight::{View, caller};
use super::text::{Limits, Shown};
use crate::pages::errors::PageError;
use crate::pages::frame::{Frame, Problem, page};
use crate::pages::visit::Visit;

/// How many requests are listed at once: those asked first.
const LISTED: usize = 60;

/// How deep sub-agents are shown below their parents.
const DEEPEST: usize = 3;

#[derive(Template)]
#[template(path = "inbox/inbox.html")]
struct InboxPage {
    frame: Frame,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    approves: bool,
    now_ms: i64,
    listing: Listing,
}

/// The part that changes.
#[derive(Template)]
#[template(path = "inbox/list.html")]
struct ListPart {
    frame: Frame,
    listing: Listing,
}

/// What waits for somebody.
pub(super) struct Listing {
    pub(super) groups: Vec<Group>,
    /// How many requests there are in all.
    pub(super) pending: usize,
    /// How many of them are not listed.
    pub(super) not_listed: usize,
}

/// The requests of a session.
pub(super) struct Group {
    pub(super) session: Arc<str>,
    pub(super) title: Option<Shown>,
    /// How many sessions stand above it.
    pub(super) depth: usize,
    pub(super) cards: Vec<Card>,
}

#[derive(Deserialize, Default)]
struct Asked {
    done: Option<String>,
}

/// What waits.
pub(in crate::pages) async fn show_inbox(visit: Visit) -> Result<Response, PageError> {
    let login = visit.signed_in()?.login.clone();
    let asked: Asked = visit.query();
    let notice = match asked.done.as_deref() {
        Some("granted") => Some("Granted."),
        Some("denied") => Some("Denied."),
        _ => None,
    };
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let caller = caller(&login);
    let view = View::new(&published.state, &caller, now);
    let listing = Listing::new(&view);
    let shown = InboxPage {
        frame: visit.frame("Inbox"),
        notice,
        problems: Vec::new(),
        approves: view.decides_everywhere() || listing.pending > 0,
        now_ms: now / 1_000,
        listing,
    };
    Ok(scripted(page(StatusCode::OK, &shown, None)))
}

/// The part that changes, as HTML, with what tells it from others; nothing if it is the one that was `sent`.
pub(super) fn changed_part(
    visit: &Visit,
    published: &Published,
    login: &str,
    sent: Option<u64>,
) -> Option<(String, u64)> {
    let caller = caller(login);
    let view = View::new(&published.state, &caller, visit.app.node.now());
    let listing = Listing::new(&view);
    let mark = listing.mark();
    if sent == Some(mark) {
        return None;
    }
    let part = ListPart { frame: visit.frame("Inbox"), listing };
    let html = part.render().inspect_err(|error| tracing::error!(%error, "the inbox could not be written"));
    Some((html.ok()?, mark))
}

impl Listing {
    pub(super) fn new(view: &View<'_>) -> Self {
        let waits =
            |request: &&Arc<Request>| request.status_at(view.now) == Status::Pending && view.sees(request);
        let mut waiting: Vec<&Arc<Request>> = view.state.requests().pending().filter(waits).collect();
        let pending = waiting.len();
        waiting.truncate(LISTED);
        let not_listed = pending - waiting.len();
        Self { groups: groups(&waiting, view), pending, not_listed }
    }

    /// Differs when another list is shown.
    fn mark(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        (self.pending, self.not_listed).hash(&mut hasher);
        for group in &self.groups {
            (&group.session, group.depth).hash(&mut hasher);
            group.cards.iter().for_each(|card| (card.id, card.may_decide).hash(&mut hasher));
        }
        hasher.finish()
    }
}

/// One group for each session that has requests, below those that stand above it. Roots and siblings in the order of their
/// first request, so that what is new comes at an end.
fn groups(waiting: &[&Arc<Request>], view: &View<'_>) -> Vec<Group> {
    let sessions = view.state.approval_sessions();
    let mut of_session: HashMap<Arc<str>, Vec<Card>> = HashMap::new();
    let mut children: BTreeMap<Option<Arc<str>>, Vec<Arc<str>>> = BTreeMap::new();
    let mut placed: HashSet<Arc<str>> = HashSet::new();
    for request in waiting {
        of_session.entry(request.session.clone()).or_default().push(Card::new(request, view, Limits::GLANCE));
        let mut at = request.session.clone();
        // Up to the root, or to who has its place already.
        while placed.insert(at.clone()) {
            let parent = sessions.get(&at).and_then(|session| sessions.parent(session));
            let parent = parent.filter(|parent| view.sees_session(parent)).map(|parent| parent.id.clone());
            children.entry(parent.clone()).or_default().push(at);
            match parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
    }
    let mut groups = Vec::new();
    let mut open: Vec<(Arc<str>, usize)> = Vec::new();
    let under = |above: Option<Arc<str>>, depth: usize, open: &mut Vec<(Arc<str>, usize)>| {
        let below = children.get(&above).into_iter().flatten();
        open.extend(below.rev().map(|session| (session.clone(), depth)));
    };
    under(None, 0, &mut open);
    while let Some((session, depth)) = open.pop() {
        let title =
            sessions.get(&session).and_then(|session| session.title.as_ref()).and_then(Personal::text);
        let title = title.map(|title| Shown::new(title, Limits::TITLE));
        let cards = of_session.remove(&session).unwrap_or_default();
        groups.push(Group { session: session.clone(), title, depth: depth.min(DEEPEST), cards });
        under(Some(session), depth + 1, &mut open);
    }
    groups
}
