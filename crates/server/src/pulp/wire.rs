//! The dialect's bodies as on the wire.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use grantd_node::realm::pulp::{Operation, PermissionRecord, PulpUri};
use grantd_node::realm::role::RoleView;
use grantd_node::realm::user::UserView;
use http::{StatusCode, header};
use serde::Serialize;
use uuid::Uuid;

/// The content type of every body.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// A body, with 200.
pub(super) struct Answer<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, JSON)], body).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// What was made, with 201 and where it is.
pub(super) struct Created<T> {
    pub(super) location: String,
    pub(super) body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::LOCATION, self.location)], Answer(self.body)).into_response()
    }
}

/// The answer of whatever has nothing to say: `null`.
pub(super) type Null = Answer<()>;

/// The id of a record in upstream's database, twelve bytes in hexadecimal.
#[derive(Serialize)]
pub(super) struct ObjectId {
    #[serde(rename = "$oid")]
    oid: String,
}

/// Twelve bytes in hexadecimal.
fn oid(bytes: &[u8]) -> String {
    bytes.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn oid_of(uuid: Uuid) -> String {
    oid(uuid.as_bytes())
}

/// A user.
#[derive(Serialize)]
pub(super) struct User {
    pub(super) _id: ObjectId,
    pub(super) _ns: &'static str,
    pub(super) _href: String,
    pub(super) id: String,
    pub(super) login: String,
    pub(super) name: Option<String>,
    pub(super) roles: Vec<String>,
}

impl User {
    pub(super) fn new(user: UserView, href: String) -> Self {
        let id = oid_of(user.uuid);
        Self {
            _id: ObjectId { oid: id.clone() },
            _ns: "users",
            _href: href,
            id,
            login: user.login,
            name: user.name,
            roles: user.roles,
        }
    }
}

/// Operations by resource.
pub(super) type Granted = BTreeMap<String, Vec<&'static str>>;

/// A role. One that was just made or changed is shown without its users.
#[derive(Serialize)]
pub(super) struct Role {
    pub(super) _id: ObjectId,
    pub(super) _ns: &'static str,
    pub(super) _href: String,
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) description: Option<String>,
    pub(super) permissions: Granted,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) users: Option<Vec<String>>,
}

impl Role {
    pub(super) fn new(role: RoleView, granted: Vec<(PulpUri, Vec<Operation>)>, href: String) -> Self {
        let granted =
            granted.into_iter().map(|(resource, operations)| (shown(&resource), names(&operations)));
        Self {
            _id: ObjectId { oid: oid_of(role.uuid) },
            _ns: "roles",
            _href: href,
            display_name: role.display_name.unwrap_or_else(|| role.key.clone()),
            description: role.description,
            permissions: granted.collect(),
            users: None,
            id: role.key,
        }
    }

    pub(super) fn with_users(self, users: Vec<String>) -> Self {
        Self { users: Some(users), ..self }
    }
}

/// What users hold on one resource.
#[derive(Serialize)]
pub(super) struct Permission {
    _id: ObjectId,
    _ns: &'static str,
    id: String,
    resource: String,
    users: BTreeMap<String, Vec<&'static str>>,
}

impl From<PermissionRecord> for Permission {
    fn from(record: PermissionRecord) -> Self {
        let id = oid(blake3::hash(record.resource.as_str().as_bytes()).as_bytes());
        let users = record.users.into_iter().map(|(login, held)| (login.to_string(), names(&held)));
        Self {
            _id: ObjectId { oid: id.clone() },
            _ns: "permissions",
            id,
            resource: shown(&record.resource),
            users: users.collect(),
        }
    }
}

/// What a sign-in gives: both in PEM.
#[derive(Serialize)]
pub(super) struct Certificate {
    pub(super) key: String,
    pub(super) certificate: String,
}

fn names(operations: &[Operation]) -> Vec<&'static str> {
    operations.iter().map(|operation| operation.name()).collect()
}

/// A resource as it is written in a URL: what a path segment may hold as it is (RFC 3986, section 3.3) is not encoded. Given
/// back, it is the same resource.
fn shown(resource: &PulpUri) -> String {
    let mut text = String::with_capacity(resource.as_str().len());
    let mut rest = resource.as_str();
    while let Some((before, from)) = rest.find('%').and_then(|at| rest.split_at_checked(at)) {
        text.push_str(before);
        let encoded = from.get(..3).unwrap_or(from);
        match u8::from_str_radix(encoded.get(1..).unwrap_or_default(), 16) {
            Ok(byte) if b"!$&'()*+,;=:@".contains(&byte) => text.push(char::from(byte)),
            _ => text.push_str(encoded),
        }
        rest = from.get(encoded.len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_resource_is_shown_as_it_may_be_given() {
        let shows = |given: &str| shown(&PulpUri::normalise(given).unwrap());
        assert_eq!(shows("/"), "/");
        assert_eq!(shows("/v2/users/a@b+c/"), "/v2/users/a@b+c/");
        assert_eq!(shows("/v2/users/a%40b/"), "/v2/users/a@b/");
        assert_eq!(shows("/a b/%/"), "/a%20b/%25/");
        assert_eq!(shows("/é/"), "/%C3%A9/");
        assert_eq!(shows("/%2540/"), "/%2540/");
    }

    #[test]
    fn an_object_id_is_twelve_bytes() {
        assert_eq!(
            oid_of(Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)),
            "0102030405060708090a0b0c"
        );
    }
}
