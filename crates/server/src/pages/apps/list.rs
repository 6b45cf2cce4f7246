//! The apps of an organization: what each may do, since when, by whose consent, and when it was used last.

use askama::Template;
use axum::response::Response;
use grantd_node::realm::authorization::{Authorization, may_end, scopes_of};
use grantd_node::realm::organization::{Organization, Seat, organizations_of};
use grantd_node::realm::personal::Personal;
use grantd_node::realm::{Micros, State};
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use crate::face::CallError;
use crate::pages::consent::Permission;
use crate::pages::errors::PageError;
use crate::pages::frame::{Frame, Problem, page};
use crate::pages::inbox::in_field;
use crate::pages::times::{ago, moment};
use crate::pages::visit::Visit;

/// How many apps are listed at once.
const LISTED: usize = 50;

#[derive(Template)]
#[template(path = "apps.html")]
struct AppsPage {
    frame: Frame,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    organizations: Vec<Tab>,
    shown: Option<Shown>,
}

/// An organization to look at.
struct Tab {
    id: String,
    name: String,
    is_shown: bool,
}

/// The one that is looked at.
struct Shown {
    id: String,
    name: String,
    seat: &'static str,
    apps: Vec<ShownApp>,
    /// Behind which app there are more.
    next: Option<u64>,
}

/// An app that may do something.
struct ShownApp {
    authorization: Uuid,
    name: String,
    client_id: String,
    website: Option<String>,
    permissions: Vec<Permission>,
    since: String,
    by: String,
    used: String,
    ends: Option<String>,
    may_end: bool,
}

#[derive(Deserialize, Default)]
struct Asked {
    organization: Option<String>,
    after: Option<u64>,
    done: Option<String>,
}

/// `GET /apps`.
pub(in crate::pages) async fn show_apps(visit: Visit) -> Result<Response, PageError> {
    let login = visit.signed_in()?.login.clone();
    visit.realm.catch_up().await.map_err(CallError::from)?;
    let asked: Asked = visit.query();
    let notice = match asked.done.as_deref() {
        Some("withdrawn") => Some("The permission is withdrawn. The app can no longer use it."),
        Some("disconnected") => Some("The app is disconnected. It can do nothing any more."),
        _ => None,
    };
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let state = &published.state;
    let theirs = organizations_of(state, &login, now);
    let wanted = theirs.iter().find(|(found, _)| asked.organization.as_deref() == Some(&*found.id));
    let chosen = wanted.or(theirs.first());
    let organizations = theirs.iter().map(|(organization, _)| Tab {
        id: organization.id.as_ref().into(),
        name: name_of(organization),
        is_shown: chosen.is_some_and(|(chosen, _)| chosen.id == organization.id),
    });
    let organizations = organizations.collect();
    let shown = match chosen {
        None => None,
        Some((organization, seat)) => {
            let view = View { visit: &visit, state, login: &login, now };
            Some(view.shown(organization, *seat, asked.after).await?)
        }
    };
    let shown = AppsPage { frame: visit.frame("Apps"), notice, problems: Vec::new(), organizations, shown };
    Ok(page(StatusCode::OK, &shown, None))
}

/// One person's view of one state.
struct View<'a> {
    visit: &'a Visit,
    state: &'a State,
    login: &'a str,
    now: Micros,
}

impl View<'_> {
    async fn shown(
        &self,
        organization: &Organization,
        seat: Seat,
        after: Option<u64>,
    ) -> Result<Shown, PageError> {
        let all = self.state.authorizations().of_organization(organization.number, after.unwrap_or(0));
        let mut live: Vec<_> = all.filter(|one| one.is_live(self.now)).take(LISTED + 1).collect();
        let more = live.len() > LISTED;
        live.truncate(LISTED);
        let next = live.last().filter(|_| more).map(|last| last.place().app);
        let mut apps = Vec::new();
        for authorization in live {
            apps.push(self.app(authorization).await?);
        }
        Ok(Shown {
            id: organization.id.as_ref().into(),
            name: name_of(organization),
            seat: match seat {
                Seat::Admin => "You are an admin.",
                Seat::Member => "You are a member.",
            },
            apps,
            next,
        })
    }

    async fn app(&self, authorization: &Authorization) -> Result<ShownApp, PageError> {
        let app = self.state.apps().get(&authorization.app);
        let name = app.and_then(|app| app.name.text()).unwrap_or(&authorization.app);
        let scopes = scopes_of(self.state, authorization, self.now);
        let used = self.visit.realm.last_used(authorization.id).await.map_err(CallError::from)?;
        Ok(ShownApp {
            authorization: authorization.id,
            name: in_field(name),
            client_id: authorization.app.as_ref().into(),
            website: app.and_then(|app| app.settings.website.as_deref()).map(in_field),
            permissions: scopes.into_iter().map(|scope| Permission::of(scope, "en")).collect(),
            since: moment(authorization.created_at),
            by: match &authorization.consent {
                Some(consent) => format!("by {}", in_field(&consent.user)),
                None => "by an operator, for everybody".into(),
            },
            used: used.map_or_else(|| "not used yet".into(), |at| format!("used {}", ago(self.now, at))),
            ends: authorization.expires.map(moment),
            may_end: may_end(self.state, self.login, authorization, self.now),
        })
    }
}

fn name_of(organization: &Organization) -> String {
    in_field(Personal::text(&organization.name).unwrap_or(&organization.id))
}
