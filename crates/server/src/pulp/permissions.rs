//! The list of permissions, and the four actions that change it.

use grantd_node::realm::Refusal;
use grantd_node::realm::managed::SUPER_USERS;
use grantd_node::realm::pulp::{GrantOperations, Grantee, Operation, PulpUri, RevokeOperations, permissions};
use grantd_node::realm::refusal::Noun;
use grantd_node::realm::role::Role;
use grantd_node::realm::user::User;
use serde_json::Value;

use super::call::{Call, Execute, Read};
use super::errors::Error;
use super::input::{self, take, text};
use super::wire::{Answer, Null, Permission};
use crate::call::aside;

/// The name under which upstream's own tasks act. Grants to it are taken and mean nothing.
const SYSTEM_LOGIN: &str = "SYSTEM";

pub(super) async fn list_permissions(call: Call<Read>) -> Result<Answer<Vec<Permission>>, Error> {
    let query = input::query(call.place.query())?;
    let asked = query.into_iter().rev().find(|(name, _)| name == "resource");
    let filter = asked.map(|(_, value)| input::resource(&Value::String(value))).transpose()?;
    let (published, now) = (call.published(), call.now());
    let records = aside(move || permissions(&published.state, filter.as_ref(), now)).await?;
    Ok(Answer(records.into_iter().map(Into::into).collect()))
}

pub(super) async fn grant_to_user(call: Call<Execute>) -> Result<Null, Error> {
    grant(&call, Of::User).await
}

pub(super) async fn grant_to_role(call: Call<Execute>) -> Result<Null, Error> {
    grant(&call, Of::Role).await
}

pub(super) async fn revoke_from_user(call: Call<Execute>) -> Result<Null, Error> {
    revoke(&call, Of::User).await
}

pub(super) async fn revoke_from_role(call: Call<Execute>) -> Result<Null, Error> {
    revoke(&call, Of::Role).await
}

async fn grant(call: &Call<Execute>, of: Of) -> Result<Null, Error> {
    if let Some(Wish { grantee: to, resource, operations }) = wish(call, of)? {
        call.submit_or(GrantOperations { to, resource, operations, basis: call.basis() }, words).await?;
    }
    Ok(Answer(()))
}

async fn revoke(call: &Call<Execute>, of: Of) -> Result<Null, Error> {
    if let Some(Wish { grantee: from, resource, operations }) = wish(call, of)? {
        call.submit_or(RevokeOperations { from, resource, operations, basis: call.basis() }, words).await?;
    }
    Ok(Answer(()))
}

/// Whom an action is about.
#[derive(Clone, Copy)]
enum Of {
    User,
    Role,
}

impl Of {
    /// The field that names them.
    fn field(self) -> &'static str {
        match self {
            Self::User => "login",
            Self::Role => "role_id",
        }
    }
}

/// The body of an action.
struct Wish {
    grantee: Grantee,
    resource: PulpUri,
    operations: Vec<Operation>,
}

/// Reads the body in the order in which it is found fault with. `None`: there is nothing to do.
fn wish(call: &Call<Execute>, of: Of) -> Result<Option<Wish>, Error> {
    let mut body = call.object()?;
    let fields = [(of.field(), of.field()), ("resource", "resource"), ("operations", "operation_names")];
    let absent = fields.into_iter().filter(|(field, _)| body.get(*field).is_none_or(Value::is_null));
    let absent: Vec<&str> = absent.map(|(_, reported)| reported).collect();
    let [Some(name), Some(resource), Some(operations)] = fields.map(|(field, _)| take(&mut body, field))
    else {
        return Err(Error::missing(&absent));
    };
    let operations = input::operations(&operations)?;
    let name = text(name, of.field())?;
    let resource = input::resource(&resource);
    if resource.is_err() {
        // Whoever is not there is found fault with before.
        who(call, of, &name)?;
    }
    let resource = resource?;
    let grantee = match of {
        Of::User if name == SYSTEM_LOGIN && who(call, of, &name).is_err() => return Ok(None),
        Of::User => Grantee::User(name),
        Of::Role => Grantee::Role(name),
    };
    Ok(Some(Wish { grantee, resource, operations }))
}

fn who(call: &Call<Execute>, of: Of, name: &str) -> Result<(), Error> {
    let published = call.published();
    let found = match of {
        Of::User => User::find(&published.state, name).map(|_| ()),
        Of::Role if name == SUPER_USERS => Err(Refusal::SuperUsersFixed),
        Of::Role => Role::find(&published.state, name).map(|_| ()),
    };
    found.map_err(|refusal| words(&refusal).unwrap_or_else(|| refusal.into()))
}

/// What the actions have words of their own for.
fn words(refusal: &Refusal) -> Option<Error> {
    match refusal {
        Refusal::SuperUsersFixed => Some(Error::rule("super-users role cannot be changed")),
        Refusal::NotFound { noun: Noun::User, .. } => Some(Error::invalid("login")),
        Refusal::NotFound { .. } => Some(Error::invalid("role_id")),
        _ => None,
    }
}
