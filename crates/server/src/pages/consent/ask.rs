//! The question: an app, an organization, and each permission in plain words.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use grantd_node::realm::authorization::{may_consent, missing};
use grantd_node::realm::organization::{Organization, Seat, organizations_of};
use grantd_node::realm::personal::Personal;
use grantd_node::realm::scope::Scope;
use grantd_node::realm::{Micros, State};
use http::StatusCode;

use super::choose::{choose_organization, no_organization, not_approved};
use super::leave::{host, leave, may_lead_to};
use super::texts::{Texts, fill};
use crate::oauth::{self, Answerer, ApprovalPrompt, AuthorizationRequest, AuthorizeError, Consent};
use crate::pages::errors::{PageError, say};
use crate::pages::frame::{Frame, page};
use crate::pages::inbox::in_field;
use crate::pages::times::day;
use crate::pages::visit::Visit;

#[derive(Template)]
#[template(path = "consent/ask.html")]
struct AskPage {
    frame: Frame,
    texts: &'static Texts,
    problem: Option<&'static str>,
    heading: String,
    intro: String,
    able: &'static str,
    website: Option<String>,
    another: Option<String>,
    action: String,
    organization: String,
    seen: String,
    needed: Vec<Permission>,
    optional: Vec<Permission>,
    already: Vec<Permission>,
    is_forced: bool,
    is_unproven: bool,
    ends: String,
    goes_to: String,
    signed_in: String,
}

/// A permission in words.
pub(in crate::pages) struct Permission {
    pub(in crate::pages) id: String,
    pub(in crate::pages) description: String,
    pub(in crate::pages) warning: Option<String>,
}

impl Permission {
    pub(in crate::pages) fn of(scope: &Scope, lang: &str) -> Self {
        let text = scope.text(lang);
        Self {
            id: scope.id.as_ref().into(),
            description: in_field(text.map_or(&scope.id, |text| &text.description)),
            warning: text.and_then(|text| text.warning.as_deref()).map(in_field),
        }
    }
}

/// What is asked of one person, for one organization of theirs.
pub(super) struct Situation<'s> {
    state: &'s State,
    pub(super) organization: Arc<Organization>,
    /// Whether they could answer for another one.
    is_one_of_many: bool,
    /// What the app would get: without a choice, and only if they want.
    pub(super) needed: BTreeSet<String>,
    pub(super) optional: BTreeSet<String>,
    /// What it asks for and has.
    pub(super) already: BTreeSet<String>,
}

/// Why nothing can be asked yet.
pub(super) enum Hindrance {
    /// They belong to no organization.
    NoOrganization,
    /// They have to say for which one.
    Several(Vec<(Arc<Organization>, Seat)>),
    /// An admin of it comes first.
    NotApproved(Arc<Organization>),
}

impl<'s> Situation<'s> {
    /// `wanted` is the organization that they chose.
    pub(super) fn of(
        state: &'s State,
        request: &AuthorizationRequest,
        login: &str,
        wanted: Option<&str>,
        now: Micros,
    ) -> Result<Self, Hindrance> {
        let theirs = organizations_of(state, login, now);
        let is_one_of_many = theirs.len() > 1;
        let wanted = wanted.or(request.organization.as_deref());
        let chosen = theirs.iter().find(|(organization, _)| wanted == Some(&*organization.id));
        let organization = match (chosen, theirs.as_slice()) {
            (Some((organization, _)), _) | (None, [(organization, _)]) => organization.clone(),
            (None, []) => return Err(Hindrance::NoOrganization),
            (None, _) => return Err(Hindrance::Several(theirs)),
        };
        if may_consent(state, login, &organization.id, &request.app, &request.scopes, now).is_err() {
            return Err(Hindrance::NotApproved(organization));
        }
        let is_forced = request.approval_prompt == ApprovalPrompt::Force;
        let missing = missing(state, &request.app, &organization.id, &request.scopes, now);
        let mut situation = Self {
            state,
            organization,
            is_one_of_many,
            needed: BTreeSet::new(),
            optional: BTreeSet::new(),
            already: BTreeSet::new(),
        };
        for scope in &request.scopes {
            let list = match (is_forced || missing.contains(scope), request.optional.contains(scope)) {
                (false, _) => &mut situation.already,
                (true, true) => &mut situation.optional,
                (true, false) => &mut situation.needed,
            };
            list.insert(scope.clone());
        }
        Ok(situation)
    }

    /// What is on the page to be agreed to, as the form says it.
    pub(super) fn seen(&self) -> String {
        self.needed.union(&self.optional).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// `GET /oauth2/authorize`.
pub(in crate::pages) async fn show_consent(visit: Visit) -> Result<Response, PageError> {
    let request = match check(&visit).await? {
        Ok(request) => request,
        Err(answer) => return Ok(answer),
    };
    let login = visit.signed_in()?.login.clone();
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let situation = match Situation::of(&published.state, &request, &login, None, now) {
        Ok(situation) => situation,
        Err(hindrance) => return Ok(hinder(&visit, &request, &hindrance)),
    };
    let organization = situation.organization.id.to_string();
    if request.is_to_be_asked(&published.state, &organization, now) {
        return Ok(ask(&visit, &request, &situation, &login, StatusCode::OK, None));
    }
    let by = answerer(&visit, &request, &login);
    let given = Consent::GivenBefore { organization };
    let address = oauth::answer(&visit.app, &visit.realm, &request, &by, given).await?;
    Ok(leave(&visit, &address))
}

/// Who answers, and on which text: evidence for the ledger.
pub(super) fn answerer(visit: &Visit, request: &AuthorizationRequest, login: &str) -> Answerer {
    let texts = visit.texts(request.locale.as_deref());
    Answerer {
        login: login.to_owned(),
        text_version: texts.version,
        locale: texts.lang.clone(),
        address: visit.address(),
    }
}

/// The request, or what is said about it instead.
pub(super) async fn check(visit: &Visit) -> Result<Result<AuthorizationRequest, Response>, PageError> {
    match oauth::check(&visit.app, &visit.realm, visit.query_text()).await {
        Ok(request) => Ok(Ok(request)),
        Err(AuthorizeError::Sent(address)) => Ok(Err(leave(visit, &address))),
        Err(AuthorizeError::Call(error)) => Err(error.into()),
        Err(AuthorizeError::Shown(problem)) => {
            let texts = visit.texts(None);
            // The reason is in English: it is for who made the app.
            let reason = fill(&texts.wrong_reason, &[("problem", problem)]);
            let said = format!("{} {reason}", texts.wrong_hint);
            let frame = visit.frame(&texts.wrong_title);
            Ok(Err(say(frame, StatusCode::BAD_REQUEST, &texts.wrong_title, said)))
        }
    }
}

/// The page that says what stands in the way.
pub(super) fn hinder(visit: &Visit, request: &AuthorizationRequest, hindrance: &Hindrance) -> Response {
    match hindrance {
        Hindrance::NoOrganization => no_organization(visit, request),
        Hindrance::Several(theirs) => choose_organization(visit, request, theirs),
        Hindrance::NotApproved(organization) => not_approved(visit, request, organization),
    }
}

/// The question, perhaps once more with what is wrong.
pub(super) fn ask(
    visit: &Visit,
    request: &AuthorizationRequest,
    situation: &Situation<'_>,
    login: &str,
    status: StatusCode,
    problem: Option<&'static str>,
) -> Response {
    let texts = visit.texts(request.locale.as_deref());
    let state = situation.state;
    let app = state.apps().get(&request.app);
    let name = name_of(app.map(|app| &app.name), &request.app);
    let organization = name_of(Some(&situation.organization.name), &situation.organization.id);
    let is_forced = request.approval_prompt == ApprovalPrompt::Force;
    let is_new = situation.already.is_empty();
    let asks = match (is_new, situation.seen().is_empty()) {
        (_, true) => &texts.asks_again,
        (true, _) => &texts.asks,
        (false, _) => &texts.asks_more,
    };
    let permissions = |ids: &BTreeSet<String>| -> Vec<Permission> {
        let scopes = ids.iter().filter_map(|id| state.scopes().get(id));
        scopes.map(|scope| Permission::of(scope, &texts.lang)).collect()
    };
    let until =
        situation.organization.policy.longest_life.map(|life| visit.app.node.now().saturating_add(life));
    let host = host(&request.redirect_uri);
    let id = &situation.organization.id;
    let shown = AskPage {
        frame: visit.frame(&texts.title),
        texts,
        problem,
        heading: fill(asks, &[("app", &name)]),
        intro: fill(&texts.for_organization, &[("organization", &organization), ("id", id)]),
        able: if is_new { &texts.will_be_able } else { &texts.will_also_be_able },
        website: app
            .and_then(|app| app.settings.website.as_deref())
            .map(|website| fill(&texts.website, &[("website", &in_field(website))])),
        another: situation.is_one_of_many.then(|| address(visit, None)),
        action: address(visit, Some(id)),
        organization: id.to_string(),
        seen: situation.seen(),
        needed: permissions(&situation.needed),
        optional: permissions(&situation.optional),
        already: permissions(&situation.already),
        is_forced,
        is_unproven: request.public,
        ends: match until {
            Some(until) => fill(&texts.until, &[("date", &day(until))]),
            None => texts.without_end.clone(),
        },
        goes_to: fill(&texts.goes_to, &[("host", &host)]),
        signed_in: fill(&texts.signed_in, &[("login", login)]),
    };
    may_lead_to(page(status, &shown, None), &request.redirect_uri)
}

/// A name that may have been erased.
pub(super) fn name_of(name: Option<&Personal>, id: &str) -> String {
    in_field(name.and_then(Personal::text).unwrap_or(id))
}

/// The address of this request, for an organization or for none.
pub(super) fn address(visit: &Visit, organization: Option<&str>) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(visit.query_text()).unwrap_or_default();
    let others = pairs.into_iter().filter(|(name, _)| name != "organization");
    let chosen = organization.map(|id| ("organization".to_owned(), id.to_owned()));
    let pairs: Vec<_> = others.chain(chosen).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("{}/oauth2/authorize?{query}", visit.base())
}
