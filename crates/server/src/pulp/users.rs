//! Users: list, create, get, update, delete.

use grantd_node::realm::Refusal;
use grantd_node::realm::State;
use grantd_node::realm::command::Secret;
use grantd_node::realm::user::{CreateUser, DeleteUser, UpdateUser, User as Record, UserView};
use serde_json::Value;

use super::call::{Call, Create, Delete, Needs, Read, Update};
use super::errors::Error;
use super::input::{self, delta, nothing_else, optional_text, take, text};
use super::wire::{Answer, Created, Null, User};
use crate::call::aside;
use crate::password;

pub(super) async fn list_users(call: Call<Read>) -> Result<Answer<Vec<User>>, Error> {
    let published = call.published();
    let users = aside(move || {
        let state = &published.state;
        state.users().iter_after(None).map(|user| shown(&call, state, user)).collect()
    });
    Ok(Answer(users.await?))
}

pub(super) async fn create_user(call: Call<Create>) -> Result<Created<User>, Error> {
    let mut body = call.object()?;
    let login = take(&mut body, "login").ok_or_else(|| Error::missing(&["login"]))?;
    let login = text(login, "login")?;
    let password = input::password(&mut body)?;
    let name = optional_text(&mut body, "name")?;
    nothing_else(&body)?;
    if !fits(&login) {
        return Err(Error::invalid("login"));
    }
    let command = CreateUser {
        name: Some(name.unwrap_or_else(|| login.clone())),
        login,
        password: hashed(password).await?,
        roles: Vec::new(),
        basis: call.basis(),
    };
    let made = call.submit(command).await?;
    let body = answered(&call, made);
    Ok(Created { location: body._href.clone(), body })
}

pub(super) async fn get_user(call: Call<Read>) -> Result<Answer<User>, Error> {
    let published = call.published();
    let user = Record::find(&published.state, call.param("login"))?;
    Ok(Answer(shown(&call, &published.state, user)))
}

pub(super) async fn update_user(call: Call<Update>) -> Result<Answer<User>, Error> {
    let mut delta = delta(call.object()?)?;
    let name = optional_text(&mut delta, "name")?;
    let password = input::password(&mut delta)?;
    let roles = take(&mut delta, "roles").map(keys).transpose()?;
    nothing_else(&delta)?;
    let command = UpdateUser {
        login: call.param("login").into(),
        name: name.map(Some),
        password: hashed(password).await?,
        active: None,
        roles,
        basis: call.basis(),
    };
    let changed = call.submit(command).await?;
    Ok(Answer(answered(&call, changed)))
}

pub(super) async fn delete_user(call: Call<Delete>) -> Result<Null, Error> {
    let command = DeleteUser { login: call.param("login").into(), basis: call.basis() };
    let last = |refusal: &Refusal| match refusal {
        Refusal::LastSuperUser { login } => {
            Some(Error::rule(format!("The last superuser [{login}] cannot be deleted")))
        }
        _ => None,
    };
    call.submit_or(command, last).await?;
    Ok(Answer(()))
}

/// A user as they are.
pub(super) fn shown<O: Needs>(call: &Call<O>, state: &State, user: &Record) -> User {
    with_href(call, UserView::of(state, user, call.now()))
}

/// A user as a command left them. A remembered answer knows no name, so that the record says it.
fn answered<O: Needs>(call: &Call<O>, user: UserView) -> User {
    let published = call.published();
    match published.state.users().get(&user.login) {
        Some(now) if now.uuid == user.uuid => shown(call, &published.state, now),
        _ => with_href(call, user),
    }
}

fn with_href<O: Needs>(call: &Call<O>, user: UserView) -> User {
    let href = call.href(&format!("/v2/users/{}/", user.login));
    User::new(user, href)
}

/// What the dialect takes for a login, of those that grantd does. `.` and `..` would have a URL that nobody can call, `search` one
/// that is something else.
fn fits(login: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".@-_".contains(&b);
    login.bytes().all(plain) && !matches!(login, "." | ".." | "search")
}

/// Keys of roles.
fn keys(roles: Value) -> Result<Vec<String>, Error> {
    match roles {
        Value::Array(roles) => roles.into_iter().map(|role| text(role, "roles")).collect(),
        _ => Err(Error::invalid("roles")),
    }
}

async fn hashed(password: Option<String>) -> Result<Option<Secret>, Error> {
    match password {
        Some(password) => Ok(Some(password::hash_as_it_is(password).await?)),
        None => Ok(None),
    }
}
