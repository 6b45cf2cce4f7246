//! Erasing what the ledger knows of a person beyond what decides anything.

use std::borrow::Cow;

use grantd_engine::{Object, ObjectRef};
use uuid::Uuid;

use crate::State;
use crate::app::APP_TYPE;
use crate::approval_session::SESSION_TYPE;
use crate::caller::Authority;
use crate::catalogue::PERMISSION_TYPE;
use crate::change::{Change, SshChange};
use crate::command::{Command, Context, Decision};
use crate::organization::ORGANIZATION_TYPE;
use crate::personal::Personal;
use crate::refusal::Refusal;
use crate::request::{Asked, Settlement};
use crate::ssh_key::SSH_KEY_TYPE;
use crate::webhook::{WebhookForm, WebhookUpdate};

/// A personal field, and the object whose one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned<'a> {
    /// Type of the object.
    pub kind: &'static str,
    /// Its id.
    pub id: Cow<'a, str>,
    /// The field.
    pub field: &'a Personal,
}

impl Change {
    /// The personal fields of a change with whose they are: `user:<login>`, `role:<key>`, `api_key:<id>`, `fs_repo:<id>`,
    /// `request:<id>`, `mix_session:<id>` (with its requests), `tdp_permission:<number>`, `webhook:<id>`, `app:<client id>`,
    /// `mollie_organization:<id>`, `ssh_key:<id>`. One that is of two objects comes twice.
    pub fn personal_fields(&self) -> Vec<Owned<'_>> {
        match self {
            Self::UserCreated { login, name, .. } | Self::UserRenamed { login, name } => {
                of("user", &**login, [name.as_ref()])
            }
            Self::RoleCreated { key, display_name, description, .. }
            | Self::RoleChanged { key, display_name, description } => {
                of("role", &**key, [display_name.as_ref(), description.as_ref()])
            }
            Self::ApiKeyCreated { id, name, .. } => of("api_key", id.to_string(), [name.as_ref()]),
            Self::RepositoryCreated { id, name, .. } => of("fs_repo", id.to_string(), [name.as_ref()]),
            Self::TriggerCreated { trigger } => {
                of("fs_repo", trigger.repository.to_string(), [Some(&trigger.endpoint)])
            }
            Self::CataloguePermissionCreated { number, name, .. }
            | Self::CataloguePermissionChanged { number, name, .. } => {
                of(PERMISSION_TYPE, number.to_string(), [Some(name)])
            }
            Self::ApprovalSessionOpened { id, title, .. } => of(SESSION_TYPE, &**id, [title.as_ref()]),
            Self::RequestCreated { asked } => {
                let Asked { id, session, action, description, params, .. } = &**asked;
                of_request(*id, session, [Some(action), Some(description), Some(params)])
            }
            Self::RequestSettled { settlement } => {
                let Settlement { id, session, reason, edited_params, .. } = &**settlement;
                of_request(*id, session, [reason.as_ref(), edited_params.as_ref()])
            }
            Self::WebhookCreated { webhook } => {
                let WebhookForm { id, url, description, .. } = &**webhook;
                of("webhook", id.to_string(), [Some(url), description.as_ref()])
            }
            Self::WebhookChanged { update } => {
                let WebhookUpdate { id, url, description, .. } = &**update;
                let description = description.as_ref().and_then(Option::as_ref);
                of("webhook", id.to_string(), [url.as_ref(), description])
            }
            Self::Apps(change) => change.personal_field().into_iter().collect(),
            Self::Ssh(change) => match &**change {
                SshChange::KeyAdded { key } => of(SSH_KEY_TYPE, key.id.to_string(), [key.name.as_ref()]),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Those of one object.
    pub fn personal_fields_of(&self, object: ObjectRef<'_>) -> Vec<&Personal> {
        let owned = self.personal_fields().into_iter();
        owned.filter(|one| one.kind == object.kind && one.id == object.id).map(|one| one.field).collect()
    }
}

/// The fields that are there, as one object's.
fn of<'a, const N: usize>(
    kind: &'static str,
    id: impl Into<Cow<'a, str>>,
    fields: [Option<&'a Personal>; N],
) -> Vec<Owned<'a>> {
    let id = id.into();
    fields.into_iter().flatten().map(|field| Owned { kind, id: id.clone(), field }).collect()
}

/// A request is erased by itself or with its session.
fn of_request<'a, const N: usize>(
    id: Uuid,
    session: &'a str,
    fields: [Option<&'a Personal>; N],
) -> Vec<Owned<'a>> {
    let mut owned = of("request", id.to_string(), fields);
    owned.extend(of(SESSION_TYPE, session, fields));
    owned
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
            (SSH_KEY_TYPE, Ok(id)) => self.ssh_keys.erase_name(id),
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
            | PERMISSION_TYPE | APP_TYPE | ORGANIZATION_TYPE | SSH_KEY_TYPE => {
                Ok(Decision::one(Change::FieldsErased { object: self.object.clone() }, ()))
            }
            _ => Err(Refusal::invalid(
                "object",
                "only `user:<login>`, `role:<key>`, `api_key:<id>`, `fs_repo:<id>`, `request:<id>`, `mix_session:<id>`, \
                 `tdp_permission:<number>`, `webhook:<id>`, `app:<client_id>`, `mollie_organization:<id>` and `ssh_key:<id>` \
                 have personal fields",
            )),
        }
    }
}
