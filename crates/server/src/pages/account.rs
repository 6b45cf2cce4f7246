//! One's own account: the password and the sessions.

use askama::Template;
use axum::response::Response;
use grantd_node::realm::Micros;
use grantd_node::realm::command::Secret;
use grantd_node::realm::personal::Personal;
use grantd_node::realm::session::{ChangePassword, SESSION_ROWS, Session, Verified, rows_of};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use uuid::Uuid;

use super::agent::describe;
use super::errors::PageError;
use super::frame::{Frame, Problem, of_field, page, see_other};
use super::sign_in::too_many;
use super::times::{ago, moment};
use super::visit::{Submitted, Visit};
use crate::caller::password::verify;
use crate::edge::EdgeError;
use crate::face::{CallError, Unauthorized};
use crate::{password, time};

/// How many sessions are looked at, and how many of them are shown: those used last.
const SESSIONS_READ: usize = 10_000;
const SESSIONS_SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
    login: String,
    name: Option<String>,
    sessions: Vec<ShownSession>,
    more_sessions: usize,
    shortest_password: usize,
}

/// A session in the list.
struct ShownSession {
    id: Uuid,
    client: String,
    address: String,
    issued_at: String,
    issued_at_exactly: String,
    last_used: String,
    is_this: bool,
}

impl AccountPage {
    fn problem(&self, field: &str) -> Option<&str> {
        of_field(&self.problems, field)
    }
}

#[derive(Deserialize, Default)]
struct Asked {
    done: Option<String>,
}

/// The root of a realm's pages.
pub(super) async fn go_to_account(visit: Visit) -> Result<Response, PageError> {
    Ok(see_other(&format!("{}/account", visit.base()), None))
}

/// Password and sessions of whoever is signed in.
pub(super) async fn show_account(visit: Visit) -> Result<Response, PageError> {
    visit.signed_in()?;
    let asked: Asked = visit.query();
    let notice = match asked.done.as_deref() {
        Some("password") => Some("Your password is changed. Every other session is signed out."),
        Some("session") => Some("The session is signed out."),
        _ => None,
    };
    show(&visit, StatusCode::OK, notice, Vec::new()).await
}

async fn show(
    visit: &Visit,
    status: StatusCode,
    notice: Option<&'static str>,
    problems: Vec<Problem>,
) -> Result<Response, PageError> {
    let own = visit.signed_in()?;
    let mut sessions = sessions(visit, own).await?;
    let more_sessions = sessions.len().saturating_sub(SESSIONS_SHOWN);
    sessions.truncate(SESSIONS_SHOWN);
    let published = visit.realm.published();
    let user = published.state.users().get(&own.login);
    let name = user.and_then(|user| user.name.as_ref()).and_then(Personal::text).map(Into::into);
    let shown = AccountPage {
        frame: visit.frame("Your account"),
        notice,
        problems,
        login: own.login.clone(),
        name,
        sessions,
        more_sessions,
        shortest_password: *password::LENGTH.start(),
    };
    Ok(page(status, &shown, None))
}

/// Those that are live, this one first, then by last use.
async fn sessions(visit: &Visit, own: &Session) -> Result<Vec<ShownSession>, PageError> {
    let (now, published) = (visit.app.node.now(), visit.realm.published());
    let rows = visit.realm.rows(SESSION_ROWS, &rows_of(own.user), now, SESSIONS_READ).await;
    let rows = rows.map_err(CallError::from)?;
    let read = rows.iter().filter_map(|(key, value)| Session::read(key, value).ok());
    let mut live: Vec<Session> = read
        .filter(|session| session.is_live(&published.state, now, visit.app.session_limits(session.entrance)))
        .collect();
    live.sort_by_key(|session| (session.id != own.id, -session.last_used, -session.issued_at));
    Ok(live.into_iter().map(|session| ShownSession::of(session, own.id, now)).collect())
}

impl ShownSession {
    fn of(session: Session, own: Uuid, now: Micros) -> Self {
        Self {
            id: session.id,
            client: describe(&session.device.agent),
            address: session.device.address,
            issued_at: moment(session.issued_at),
            issued_at_exactly: time::rfc3339(session.issued_at),
            last_used: ago(now, session.last_used),
            is_this: session.id == own,
        }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Passwords {
    #[serde(default)]
    current: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    repeated: String,
}

impl Passwords {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.current.is_empty() {
            problems.push(Problem::new("current", "Enter your current password."));
        }
        let (shortest, longest) = (password::LENGTH.start(), password::LENGTH.end());
        if !password::LENGTH.contains(&self.new.len()) {
            let text = format!("The new password must have {shortest} to {longest} characters.");
            problems.push(Problem::new("new", text));
        } else if self.new == self.current {
            problems.push(Problem::new("new", "The new password must be another one."));
        }
        if self.repeated != self.new {
            problems.push(Problem::new("repeated", "The two new passwords are not the same."));
        }
        problems
    }
}

/// Changes the password. Every session ends; this browser gets a new one.
pub(super) async fn change_password(submitted: Submitted<Passwords>) -> Result<Response, PageError> {
    let Submitted { visit, form } = submitted;
    let login = visit.signed_in()?.login.clone();
    let problems = form.problems();
    if !problems.is_empty() {
        return show(&visit, StatusCode::UNPROCESSABLE_ENTITY, None, problems).await;
    }
    let current = Secret(form.current.clone());
    let account = match verify(&visit.app, &visit.realm, &login, current, visit.source).await {
        Ok(account) => account,
        Err(error) => return refused(&visit, error).await,
    };
    let command = ChangePassword {
        login: login.clone(),
        verified: Verified { user: account.uuid, password: account.version },
        password: password::hash(form.new).await?,
        instead_of: visit.session_key(),
        device: visit.device(),
        limits: visit.app.sessions,
    };
    match visit.submit(&login, command).await?.answer.secret {
        Some(secret) => {
            let done = format!("{}/account?done=password", visit.base());
            Ok(see_other(&done, visit.set_session_cookie(&secret)))
        }
        // Somebody else changed it meanwhile, which ended this session as well.
        None => Ok(see_other(&format!("{}/login", visit.base()), visit.clear_session_cookie())),
    }
}

async fn refused(visit: &Visit, error: CallError) -> Result<Response, PageError> {
    match error {
        CallError::Unauthorized(Unauthorized::WrongPassword { .. }) => {
            let problem = Problem::new("current", "The current password is wrong.");
            show(visit, StatusCode::FORBIDDEN, None, vec![problem]).await
        }
        CallError::Edge(EdgeError::TooManyRequests { retry_after_secs }) => {
            let problem = Problem::new("current", too_many(retry_after_secs));
            let mut response = show(visit, StatusCode::TOO_MANY_REQUESTS, None, vec![problem]).await?;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_secs));
            Ok(response)
        }
        other => Err(other.into()),
    }
}
