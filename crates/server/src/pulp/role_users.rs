//! Who is in a role: list, add, remove.

use grantd_node::realm::Refusal;
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::role::{AddMember, Member, RemoveMember, Role};

use super::call::{Call, Delete, Read, Update};
use super::errors::Error;
use super::input::{take, text};
use super::roles::logins;
use super::users::shown;
use super::wire::{Answer, Null, User};

pub(super) async fn list_role_users(call: Call<Read>) -> Result<Answer<Vec<User>>, Error> {
    let published = call.published();
    let state = &published.state;
    let role = Role::find(state, call.param("role"))?;
    let users = logins(state, &role.key, call.now());
    let users = users.iter().filter_map(|login| state.users().get(login));
    Ok(Answer(users.map(|user| shown(&call, state, user)).collect()))
}

pub(super) async fn add_role_user(call: Call<Update>) -> Result<Null, Error> {
    let login = take(&mut call.object()?, "login").ok_or_else(|| Error::invalid("login"))?;
    let member = Member::User(text(login, "login")?);
    let role = call.param("role").to_owned();
    let command = AddMember { role, member, basis: call.basis() };
    // A login of nobody is a wrong value; a role that is not there is missing.
    call.submit_or(command, |refusal| match refusal {
        Refusal::NotFound { noun: Noun::User, .. } => Some(Error::invalid("login")),
        _ => None,
    })
    .await?;
    Ok(Answer(()))
}

pub(super) async fn remove_role_user(call: Call<Delete>) -> Result<Null, Error> {
    let (role, login) = (call.param("role").into(), call.param("login").into());
    call.submit(RemoveMember { role, member: Member::User(login), basis: call.basis() }).await?;
    Ok(Answer(()))
}
