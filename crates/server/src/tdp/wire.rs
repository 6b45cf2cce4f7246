//! The records as they are on the wire: the order of the members is that of the contract.

use grantd_node::realm::Micros;
use grantd_node::realm::State;
use grantd_node::realm::catalogue::{ContentType as Kind, ContentTypeView, PermissionView, held_by_role};
use serde::Serialize;

/// A permission.
#[derive(Serialize)]
pub(super) struct Permission {
    id: u64,
    codename: String,
    name: String,
    content_type: u64,
}

impl From<PermissionView> for Permission {
    fn from(one: PermissionView) -> Self {
        let PermissionView { number, content_type, codename, name } = one;
        Self { id: number, codename, name, content_type }
    }
}

/// A permission as the page shows what was written: without its id.
#[derive(Serialize)]
pub(super) struct DocumentedPermission {
    codename: String,
    name: String,
    content_type: u64,
}

impl From<PermissionView> for DocumentedPermission {
    fn from(one: PermissionView) -> Self {
        Self { codename: one.codename, name: one.name, content_type: one.content_type }
    }
}

/// A role.
#[derive(Serialize)]
pub(super) struct Role {
    id: u64,
    name: String,
    permissions: Vec<u64>,
}

impl Role {
    pub(super) fn of(state: &State, (number, key): (u64, &str), name: String, now: Micros) -> Self {
        Self { id: number, name, permissions: held_by_role(state, key, now) }
    }
}

/// A content type.
#[derive(Serialize)]
pub(super) struct ContentType {
    id: u64,
    app_label: String,
    model: String,
}

impl From<ContentTypeView> for ContentType {
    fn from(kind: ContentTypeView) -> Self {
        Self { id: kind.number, app_label: kind.app_label, model: kind.model }
    }
}

impl From<&Kind> for ContentType {
    fn from(kind: &Kind) -> Self {
        ContentTypeView::from(kind).into()
    }
}

/// Who is signed in.
#[derive(Serialize)]
pub(super) struct Checked {
    pub(super) authenticated: bool,
    pub(super) user: User,
    /// What a page sends back in `X-CSRFToken`; nothing for who shows a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) csrf: Option<String>,
}

/// A person, by their login where the portal has an e-mail address.
#[derive(Serialize)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
}
