//! The answer: yes, with the optional permissions that were ticked, or no.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;

use super::ask::{Situation, answerer, ask, check, hinder};
use crate::face::CallError;
use crate::oauth::{self, Consent};
use crate::pages::errors::PageError;
use crate::pages::frame::see_other;
use crate::pages::visit::Submitted;

/// What the form sends. A name may come more than once.
type Fields = Vec<(String, String)>;

/// `POST /oauth2/authorize`.
pub(in crate::pages) async fn decide(submitted: Submitted<Fields>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let login = visit.signed_in()?.login.clone();
    let request = match check(&visit).await? {
        Ok(request) => request,
        Err(answer) => return Ok(answer),
    };
    let texts = visit.texts(request.locale.as_deref());
    let by = answerer(&visit, &request, &login);
    let decision = field(&form, "decision");
    if decision == Some("deny") {
        let address = oauth::answer(&visit.app, &visit.realm, &request, &by, Consent::Refused).await?;
        return Ok(see_other(&address, None));
    }
    let (published, now) = (visit.realm.published(), visit.app.node.now());
    let chosen = field(&form, "organization");
    let situation = match Situation::of(&published.state, &request, &login, chosen, now) {
        Ok(situation) => situation,
        Err(hindrance) => return Ok(hinder(&visit, &request, &hindrance)),
    };
    let again =
        |status, problem: &'static str| ask(&visit, &request, &situation, &login, status, Some(problem));
    if decision != Some("allow") {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, &texts.not_complete));
    }
    if !saw_this(&form, &situation) || field(&form, "texts") != Some(&texts.mark()) {
        return Ok(again(StatusCode::CONFLICT, &texts.changed));
    }
    let ticked: BTreeSet<&str> = fields(&form, "optional").collect();
    let wanted = situation.optional.iter().filter(|scope| ticked.contains(scope.as_str()));
    let scopes: Vec<_> = situation.needed.iter().chain(&situation.already).chain(wanted).cloned().collect();
    if scopes.is_empty() {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, &texts.nothing_ticked));
    }
    let given = Consent::Given { organization: situation.organization.id.to_string(), scopes };
    match oauth::answer(&visit.app, &visit.realm, &request, &by, given).await {
        Ok(address) => Ok(see_other(&address, None)),
        // Somebody was quicker: what is now in the way is said by the page.
        Err(CallError::Refused(_)) => {
            match Situation::of(&visit.realm.published().state, &request, &login, chosen, now) {
                Ok(_) => Ok(again(StatusCode::CONFLICT, &texts.changed)),
                Err(hindrance) => Ok(hinder(&visit, &request, &hindrance)),
            }
        }
        Err(other) => Err(other.into()),
    }
}

/// Whether all that a yes would give was on the page that it comes from, for the same organization.
fn saw_this(form: &Fields, situation: &Situation<'_>) -> bool {
    let seen: BTreeSet<&str> = field(form, "seen").unwrap_or_default().split(' ').collect();
    field(form, "organization") == Some(&*situation.organization.id)
        && situation.needed.iter().all(|scope| seen.contains(scope.as_str()))
}

fn fields<'f>(form: &'f Fields, name: &str) -> impl Iterator<Item = &'f str> {
    form.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn field<'f>(form: &'f Fields, name: &str) -> Option<&'f str> {
    fields(form, name).next()
}
