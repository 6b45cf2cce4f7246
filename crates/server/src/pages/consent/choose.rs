//! What comes before the question: for which organization, or why nobody can be asked.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use grantd_node::realm::organization::{Organization, Seat};
use http::StatusCode;

use super::ask::{address, name_of};
use super::leave::may_lead_to;
use super::texts::{Texts, fill};
use crate::oauth::AuthorizationRequest;
use crate::pages::frame::{Frame, page};
use crate::pages::visit::Visit;

#[derive(Template)]
#[template(path = "consent/choose.html")]
struct ChoosePage {
    frame: Frame,
    texts: &'static Texts,
    question: String,
    choices: Vec<Choice>,
    /// Where the way back leads after another sign-in.
    action: String,
    signed_in: String,
}

struct Choice {
    name: String,
    id: String,
    seat: &'static str,
    address: String,
}

#[derive(Template)]
#[template(path = "consent/hindered.html")]
struct HinderedPage {
    frame: Frame,
    texts: &'static Texts,
    heading: &'static str,
    says: String,
    hint: String,
    action: String,
    back: String,
    signed_in: String,
}

/// Somebody belongs to several.
pub(super) fn choose_organization(
    visit: &Visit,
    request: &AuthorizationRequest,
    theirs: &[(Arc<Organization>, Seat)],
) -> Response {
    let texts = visit.texts(request.locale.as_deref());
    let choices = theirs.iter().map(|(organization, seat)| Choice {
        name: name_of(Some(&organization.name), &organization.id),
        id: organization.id.as_ref().into(),
        seat: match seat {
            Seat::Admin => &texts.as_admin,
            Seat::Member => &texts.as_member,
        },
        address: address(visit, Some(&organization.id)),
    });
    let shown = ChoosePage {
        frame: visit.frame(&texts.choose_title),
        texts,
        question: fill(&texts.choose, &[("app", &app_name(visit, request))]),
        choices: choices.collect(),
        action: address(visit, None),
        signed_in: signed_in(visit, texts),
    };
    page(StatusCode::OK, &shown, None)
}

/// Somebody belongs to none.
pub(super) fn no_organization(visit: &Visit, request: &AuthorizationRequest) -> Response {
    let texts = visit.texts(request.locale.as_deref());
    let says = fill(&texts.none, &[("app", &app_name(visit, request))]);
    hindered(visit, request, &texts.none_title, says, texts.none_hint.clone())
}

/// The organization wants an admin to approve the app first.
pub(super) fn not_approved(
    visit: &Visit,
    request: &AuthorizationRequest,
    organization: &Organization,
) -> Response {
    let texts = visit.texts(request.locale.as_deref());
    let organization = name_of(Some(&organization.name), &organization.id);
    let says = fill(&texts.approval, &[("app", &app_name(visit, request)), ("organization", &organization)]);
    let hint = fill(&texts.approval_hint, &[("organization", &organization)]);
    hindered(visit, request, &texts.approval_title, says, hint)
}

fn hindered(
    visit: &Visit,
    request: &AuthorizationRequest,
    heading: &'static str,
    says: String,
    hint: String,
) -> Response {
    let texts = visit.texts(request.locale.as_deref());
    let shown = HinderedPage {
        frame: visit.frame(heading),
        texts,
        heading,
        says,
        hint,
        action: address(visit, None),
        back: fill(&texts.back, &[("app", &app_name(visit, request))]),
        signed_in: signed_in(visit, texts),
    };
    may_lead_to(page(StatusCode::FORBIDDEN, &shown, None), &request.redirect_uri)
}

fn app_name(visit: &Visit, request: &AuthorizationRequest) -> String {
    let published = visit.realm.published();
    name_of(published.state.apps().get(&request.app).map(|app| &app.name), &request.app)
}

fn signed_in(visit: &Visit, texts: &Texts) -> String {
    let login = visit.session.as_ref().map_or("", |session| session.login.as_str());
    fill(&texts.signed_in, &[("login", login)])
}
