//! Roles: list, create, get, update, delete.

use grantd_node::realm::State;
use grantd_node::realm::pulp::role_permissions;
use grantd_node::realm::role::{
    CreateRole, DeleteRole, Member, Role as Record, RoleView, UpdateRole, members,
};

use super::call::{Call, Create, Delete, Needs, Read, Update};
use super::errors::Error;
use super::input::{delta, optional_text};
use super::wire::{Answer, Created, Null, Role};
use crate::call::aside;

pub(super) async fn list_roles(call: Call<Read>) -> Result<Answer<Vec<Role>>, Error> {
    let published = call.published();
    let roles = aside(move || {
        let state = &published.state;
        state.roles().iter_after(None).map(|role| with_users(&call, state, role.into())).collect()
    });
    Ok(Answer(roles.await?))
}

pub(super) async fn create_role(call: Call<Create>) -> Result<Created<Role>, Error> {
    let mut body = call.object()?;
    let key = optional_text(&mut body, "role_id")?.filter(|key| fits(key));
    let command = CreateRole {
        key: key.ok_or_else(|| Error::invalid("role_id"))?,
        display_name: optional_text(&mut body, "display_name")?,
        description: optional_text(&mut body, "description")?,
        basis: call.basis(),
    };
    let made = call.submit(command).await?;
    let body = shown(&call, &call.published().state, made);
    Ok(Created { location: body._href.clone(), body })
}

pub(super) async fn get_role(call: Call<Read>) -> Result<Answer<Role>, Error> {
    let published = call.published();
    let role = Record::find(&published.state, call.param("role"))?;
    Ok(Answer(with_users(&call, &published.state, role.into())))
}

pub(super) async fn update_role(call: Call<Update>) -> Result<Answer<Role>, Error> {
    let mut delta = delta(call.object()?)?;
    // Upstream's client sends the options that it was not given as null: that changes nothing.
    let display_name = optional_text(&mut delta, "display_name")?.map(Some);
    let description = optional_text(&mut delta, "description")?.map(Some);
    let ignored = ["id", "display_name", "description"];
    if let Some(other) = delta.keys().find(|key| !ignored.contains(&key.as_str())) {
        return Err(Error::rule(format!("Update Keyword [{other}] is not supported")));
    }
    let key = call.param("role").into();
    let changed = call.submit(UpdateRole { key, display_name, description, basis: call.basis() }).await?;
    Ok(Answer(shown(&call, &call.published().state, changed)))
}

pub(super) async fn delete_role(call: Call<Delete>) -> Result<Null, Error> {
    call.submit(DeleteRole { key: call.param("role").into(), basis: call.basis() }).await?;
    Ok(Answer(()))
}

/// A role as it is now; a remembered answer knows no texts.
fn shown<O: Needs>(call: &Call<O>, state: &State, role: RoleView) -> Role {
    let role = match state.roles().get(&role.key) {
        Some(now) if now.uuid == role.uuid => now.into(),
        _ => role,
    };
    let granted = role_permissions(state, &role.key, call.now());
    let href = call.href(&format!("/v2/roles/{}/", role.key));
    Role::new(role, granted, href)
}

fn with_users<O: Needs>(call: &Call<O>, state: &State, role: RoleView) -> Role {
    let logins = logins(state, &role.key, call.now());
    shown(call, state, role).with_users(logins)
}

/// The users in a role themselves; the dialect knows no roles within roles.
pub(super) fn logins(state: &State, role: &str, now: grantd_node::realm::Micros) -> Vec<String> {
    let members = members(state, role, now).into_iter();
    let users = members.filter_map(|member| match member {
        Member::User(login) => Some(login),
        Member::Role(_) => None,
    });
    users.collect()
}

/// What the dialect takes for the id of a role.
fn fits(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}
