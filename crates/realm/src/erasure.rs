//! Erasing what the ledger knows of a person beyond what decides anything.

use grantd_engine::{Object, ObjectRef};
use uuid::Uuid;

use crate::State;
use crate::app::APP_TYPE;
use crate::approval_session::SESSION_TYPE;
use crate::caller::Authority;
use crate::catalogue::PERMISSION_TYPE;
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::organization::ORGANIZATION_TYPE;
use crate::personal::Personal;
use crate::refusal::Refusal;
use crate::request::{Asked, Settlement};
use crate::webhook::{WebhookForm, WebhookUpdate};

impl Change {
    /// The personal fields of a change, if it is about this object: `user:<login>`, `role:<key>`, `api_key:<id>`, `fs_repo:<id>`,
    /// `request:<id>`, `mix_session:<id>` (with its requests), `tdp_permission:<number>`, `webhook:<id>`, `app:<client id>`,
    /// `mollie_organization:<id>`.
    pub fn personal_fields_of(&self, object: ObjectRef<'_>) -> Vec<&Personal> {
        let (first, second) = match self {
            Self::UserCreated { login, name, .. } | Self::UserRenamed { login, name } => {
                (name.as_ref().filter(|_| object.kind == "user" && object.id == login), None)
            }
            Self::RoleCreated { key, display_name, description, .. }
            | Self::RoleChanged { key, display_name, description } => {
                let is_it = object.kind == "role" && object.id == key;
                (display_name.as_ref().filter(|_| is_it), description.as_ref().filter(|_| is_it))
            }
            Self::ApiKeyCreated { id, name, .. } => {
                (name.as_ref().filter(|_| object.kind == "api_key" && object.id == id.to_string()), None)
            }
            Self::RepositoryCreated { id, name, .. } => {
                (name.as_ref().filter(|_| object.kind == "fs_repo" && object.id == id.to_string()), None)
            }
            Self::TriggerCreated { trigger } => {
                let is_it = object.kind == "fs_repo" && object.id == trigger.repository.to_string();
                (Some(&trigger.endpoint).filter(|_| is_it), None)
            }
            Self::CataloguePermissionCreated { number, name, .. }
            | Self::CataloguePermissionChanged { number, name, .. } => (
                Some(name).filter(|_| object.kind == PERMISSION_TYPE && object.id == number.to_string()),
                None,
            ),
            Self::ApprovalSessionOpened { id, title, .. } => {
                (title.as_ref().filter(|_| object.kind == SESSION_TYPE && object.id == id), None)
            }
            Self::RequestCreated { asked } => {
                let Asked { action, description, params, .. } = &**asked;
                return if is_request(object, asked.id, &asked.session) {
                    vec![action, description, params]
                } else {
                    Vec::new()
                };
            }
            Self::RequestSettled { settlement } => {
                let Settlement { id, session, reason, edited_params, .. } = &**settlement;
                let is_it = is_request(object, *id, session);
                (reason.as_ref().filter(|_| is_it), edited_params.as_ref().filter(|_| is_it))
            }
            Self::WebhookCreated { webhook } => {
                let WebhookForm { id, url, description, .. } = &**webhook;
                let is_it = object.kind == "webhook" && object.id == id.to_string();
                (Some(url).filter(|_| is_it), description.as_ref().filter(|_| is_it))
            }
            Self::WebhookChanged { update } => {
                let WebhookUpdate { id, url, description, .. } = &**update;
                let is_it = object.kind == "webhook" && object.id == id.to_string();
                let description = description.as_ref().and_then(Option::as_ref);
                (url.as_ref().filter(|_| is_it), description.filter(|_| is_it))
            }
            Self::Apps(change) => (change.personal_fields_of(object.kind, object.id), None),
            _ => (None, None),
        };
        first.into_iter().chain(second).collect()
    }
}

/// A request is erased by itself or with its session.
fn is_request(object: ObjectRef<'_>, id: Uuid, session: &str) -> bool {
    match object.kind {
        "request" => object.id == id.to_string(),
        SESSION_TYPE => object.id == session,
        _ => false,
    }
}

impl State {
    pub(crate) fn erase_fields(&mut self, object: ObjectRef<'_>) {
        self.erase_app_fields(object);
        match (object.kind, Uuid::parse_str(object.id)) {
            ("user", _) => self.users.erase_name(object.id),
            ("role", _) => self.roles.erase_texts(object.id),
            ("api_key", Ok(id)) => self.api_keys.erase_name(id),
            ("fs_repo", Ok(id)) => {
                self.repositories.erase_name(id);
                self.triggers.erase(id);
            }
            ("request", Ok(id)) => self.requests.erase(id),
            ("webhook", Ok(id)) => self.webhooks.erase(id),
            (SESSION_TYPE, _) => {
                self.approval_sessions.erase_title(object.id);
                self.requests.erase_session(object.id);
            }
            (PERMISSION_TYPE, _) => {
                if let Ok(number) = object.id.parse() {
                    self.catalogue.erase_name(number);
                }
            }
            _ => {}
        }
    }
}

/// Puts on record that an object's personal fields are erased; the ledger removes the values in the same
/// transaction.
pub struct EraseFields {
    /// Whose.
    pub object: Object,
}

impl Command for EraseFields {
    type Answer = ();
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, _: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        match self.object.kind() {
            "user" | "role" | "api_key" | "fs_repo" | "request" | "webhook" | SESSION_TYPE
            | PERMISSION_TYPE | APP_TYPE | ORGANIZATION_TYPE => {
                Ok(Decision::one(Change::FieldsErased { object: self.object.clone() }, ()))
            }
            _ => Err(Refusal::invalid(
                "object",
                "only `user:<login>`, `role:<key>`, `api_key:<id>`, `fs_repo:<id>`, `request:<id>`, `mix_session:<id>`, \
                 `tdp_permission:<number>`, `webhook:<id>`, `app:<client_id>` and `mollie_organization:<id>` \
                 have personal fields",
            )),
        }
    }
}
