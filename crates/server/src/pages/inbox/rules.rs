//! The standing answers: which there are, and taking them back.

use askama::Template;
use axum::response::Response;
use grantd_node::realm::rule::{DeleteRule, Effect, Rule, Scope};
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::card::who;
use super::sight::{View, caller};
use super::text::{Limits, Shown};
use crate::edge::EdgeError;
use crate::face::CallError;
use crate::pages::errors::PageError;
use crate::pages::frame::{Frame, Problem, page, see_other};
use crate::pages::times::{ago, moment};
use crate::pages::visit::{Submitted, Visit};

#[derive(Template)]
#[template(path = "inbox/rules.html")]
struct RulesPage {
    frame: Frame,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    rules: Vec<ShownRule>,
}

struct ShownRule {
    id: Uuid,
    class: &'static str,
    effect: &'static str,
    tool: Shown,
    command: Option<Shown>,
    path: Option<Shown>,
    scope: String,
    until: Option<String>,
    by: String,
    created: String,
}

#[derive(Deserialize, Default)]
struct Asked {
    done: Option<String>,
}

/// The rules of the sessions that somebody decides in, and those of the realm.
pub(in crate::pages) async fn show_rules(visit: Visit) -> Result<Response, PageError> {
    let caller = caller(&visit.signed_in()?.login);
    let asked: Asked = visit.query();
    let notice = match asked.done.as_deref() {
        Some("removed") => Some("The rule is removed."),
        _ => None,
    };
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let view = View::new(&published.state, &caller, now);
    let everywhere = view.decides_everywhere();
    let may = |rule: &Rule| match &rule.scope {
        Scope::Realm => everywhere,
        Scope::Session(session) => view.decides_in(session),
    };
    let rules = view.state.rules().iter_after(0).filter(|rule| rule.is_live(now) && may(rule));
    let rules = rules.rev().map(|rule| ShownRule::of(rule, &view)).collect();
    let shown = RulesPage { frame: visit.frame("Rules"), notice, problems: Vec::new(), rules };
    Ok(page(StatusCode::OK, &shown, None))
}

impl ShownRule {
    fn of(rule: &Rule, view: &View<'_>) -> Self {
        let (class, effect) = match rule.effect {
            Effect::Allow => ("granted", "Allow"),
            Effect::Ask => ("cancelled", "Ask"),
            Effect::Deny => ("denied", "Deny"),
        };
        Self {
            id: rule.id,
            class,
            effect,
            tool: Shown::new(rule.tool.text(), Limits::NONE),
            command: rule.command.as_ref().map(|command| Shown::new(command.text(), Limits::NONE)),
            path: rule.path.as_ref().map(|path| Shown::new(path.text(), Limits::NONE)),
            scope: match &rule.scope {
                Scope::Realm => "In every session".into(),
                Scope::Session(session) => format!("In session {session}"),
            },
            until: rule.expires.map(moment),
            by: who(view.state, &rule.created_by),
            created: ago(view.now, rule.created_at),
        }
    }
}

#[derive(Deserialize)]
pub(in crate::pages) struct Nothing {}

/// Takes a rule back.
pub(in crate::pages) async fn delete_rule(submitted: Submitted<Nothing>) -> Result<Response, PageError> {
    let visit = submitted.visit;
    let login = visit.signed_in()?.login.clone();
    let not_found = || CallError::from(EdgeError::NotFound);
    let id = Uuid::parse_str(visit.param("id")).map_err(|_| not_found())?;
    visit.submit(&login, DeleteRule { id }).await?;
    Ok(see_other(&format!("{}/inbox/rules?done=removed", visit.base()), None))
}
