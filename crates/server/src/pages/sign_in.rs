//! Signing in.

use askama::Template;
use axum::response::Response;
use grantd_node::realm::command::Secret;
use grantd_node::realm::session::{Entrance, SignIn, Verified};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::errors::PageError;
use super::frame::{Frame, Problem, of_field, page, see_other};
use super::visit::{Submitted, Visit};
use crate::caller::password;
use crate::edge::EdgeError;
use crate::face::{CallError, Unauthorized};

/// How often a password is verified when the account changes under our hands.
const ATTEMPTS: usize = 3;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    login: &'a str,
    next: Option<String>,
    provider: Option<Provider>,
}

/// The other way to sign in.
struct Provider {
    name: String,
    path: String,
}

impl Provider {
    fn of(visit: &Visit, next: Option<&str>) -> Option<Self> {
        let oidc = visit.app.oidc.as_ref().filter(|oidc| oidc.serves(visit.realm.name()))?;
        let mut path = format!("{}/login/oidc", visit.base());
        if let Some(query) = next.and_then(|next| serde_urlencoded::to_string([("next", next)]).ok()) {
            path = format!("{path}?{query}");
        }
        Some(Self { name: oidc.settings.name.clone(), path })
    }
}

impl SignInPage<'_> {
    fn problem(&self, field: &str) -> Option<&str> {
        of_field(&self.problems, field)
    }
}

#[derive(Deserialize, Default)]
struct Asked {
    next: Option<String>,
    signed_out: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    next: Option<String>,
}

/// The form. Who is signed in already goes on.
pub(super) async fn show_sign_in(visit: Visit) -> Result<Response, PageError> {
    let asked: Asked = visit.query();
    let next = visit.own_path(asked.next.as_deref());
    if visit.session.is_some() {
        return Ok(see_other(&next.unwrap_or_else(|| format!("{}/account", visit.base())), None));
    }
    let notice = match asked.signed_out.as_deref() {
        None => None,
        Some("everywhere") => Some("You are signed out everywhere."),
        Some(_) => Some("You are signed out."),
    };
    let frame = visit.frame("Sign in");
    let provider = Provider::of(&visit, next.as_deref());
    let shown = SignInPage { frame, notice, problems: Vec::new(), login: "", next, provider };
    Ok(page(StatusCode::OK, &shown, visit.set_form_cookie()))
}

/// Verifies the password and begins a session under a new secret, whatever the browser had before.
pub(super) async fn sign_in(submitted: Submitted<Credentials>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let mut problems = Vec::new();
    if form.login.is_empty() {
        problems.push(Problem::new("login", "Enter your login."));
    }
    if form.password.is_empty() {
        problems.push(Problem::new("password", "Enter your password."));
    }
    if !problems.is_empty() {
        return Ok(again(&visit, &form, StatusCode::UNPROCESSABLE_ENTITY, problems));
    }
    for _ in 0..ATTEMPTS {
        let password = Secret(form.password.clone());
        let account =
            match password::verify(&visit.app, &visit.realm, &form.login, password, visit.source).await {
                Ok(account) => account,
                Err(error) => return refused(&visit, &form, error),
            };
        let command = SignIn {
            login: form.login.clone(),
            verified: Verified { user: account.uuid, password: account.version },
            instead_of: visit.session_key(),
            device: visit.device(),
            entrance: Entrance::Pages,
            limits: visit.app.sessions,
        };
        if let Some(secret) = visit.submit(&form.login, command).await?.answer.secret {
            let next = visit.own_path(form.next.as_deref());
            let next = next.unwrap_or_else(|| format!("{}/account", visit.base()));
            return Ok(see_other(&next, visit.set_session_cookie(&secret)));
        }
    }
    Err(CallError::Edge(EdgeError::Unavailable { retry_after_secs: 1 }).into())
}

fn refused(visit: &Visit, form: &Credentials, error: CallError) -> Result<Response, PageError> {
    match error {
        CallError::Unauthorized(Unauthorized::WrongPassword { .. }) => {
            let problem = Problem::new("login", "The login or the password is wrong.");
            Ok(again(visit, form, StatusCode::FORBIDDEN, vec![problem]))
        }
        CallError::Edge(EdgeError::TooManyRequests { retry_after_secs }) => {
            let problem = Problem::new("login", too_many(retry_after_secs));
            let mut response = again(visit, form, StatusCode::TOO_MANY_REQUESTS, vec![problem]);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_secs));
            Ok(response)
        }
        other => Err(other.into()),
    }
}

/// What is said after too many wrong passwords.
pub(super) fn too_many(retry_after_secs: u64) -> String {
    let plural = if retry_after_secs == 1 { "" } else { "s" };
    format!("Too many wrong attempts. Try again in {retry_after_secs} second{plural}.")
}

/// The form once more, with what is wrong; the password has to be typed again.
fn again(visit: &Visit, form: &Credentials, status: StatusCode, problems: Vec<Problem>) -> Response {
    let next = visit.own_path(form.next.as_deref());
    let (frame, provider) = (visit.frame("Sign in"), Provider::of(visit, next.as_deref()));
    page(status, &SignInPage { frame, notice: None, problems, login: &form.login, next, provider }, None)
}

/// The form for somebody whom the provider did not sign in, and why.
pub(super) fn instead(visit: &Visit, status: StatusCode, why: &str, next: Option<String>) -> Response {
    let problems = vec![Problem::new("provider", format!("{}.", super::errors::capitalised(why)))];
    let (frame, provider) = (visit.frame("Sign in"), Provider::of(visit, next.as_deref()));
    let shown = SignInPage { frame, notice: None, problems, login: "", next, provider };
    page(status, &shown, visit.set_form_cookie())
}
