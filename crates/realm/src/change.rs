//! The kinds of change: what an entry of the ledger says.
//!
//! Each kind has a number and a version. A number is never used again and a version's form never changes: golden
//! ledgers hold both. A reader that meets a kind or version it does not know stops; it never skips.

mod apps;
mod relationships;
mod requests;
mod ssh;
mod webhooks;

pub use apps::AppChange;
pub(crate) use apps::{
    read_consent, read_policy, read_scope, read_settings, read_token, write_consent, write_policy,
    write_scope, write_settings, write_token,
};
pub(crate) use relationships::{
    read_key, read_object, read_relationship, write_key, write_relationship, write_relationship_ref,
};
pub(crate) use requests::{read_decider, read_outcome, read_rule, write_decider, write_outcome, write_rule};
pub use ssh::SshChange;
pub(crate) use ssh::{read_gateway_key, read_ssh_ca, read_vm, write_gateway_key, write_ssh_ca, write_vm};

use std::sync::Arc;

use grantd_engine::{Key, Object, Relationship};
use uuid::Uuid;

use crate::Micros;
use crate::caller::Actor;
use crate::codec::{CodecError, Reader, Writer};
use crate::personal::Personal;
use crate::request::{Asked, Settlement};
use crate::rule::RuleForm;
use crate::trigger::TriggerForm;
use crate::webhook::{WebhookForm, WebhookUpdate};
use relationships::write_object;
use requests::{read_asked, read_settlement, write_asked, write_settlement};
use webhooks::{read_webhook, read_webhook_update, write_webhook, write_webhook_update};

/// Where in the ledger a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The entry's revision.
    pub revision: u64,
    /// The entry's time.
    pub time: Micros,
}

/// One change. The doc of each kind gives its number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields carry the names of the records that they make")]
pub enum Change {
    /// 1: the first change of every realm.
    RealmCreated { name: String, account: Uuid },
    /// 2: in the realm `system`: a realm of this store.
    RealmListed { name: String },
    /// 3: personal fields of this object were erased from the ledger.
    FieldsErased { object: Object },
    /// 5: in the realm `system`: no longer a realm of this store.
    RealmUnlisted { name: String },
    /// 6: the end of the realm. Its ledger stays, and goes on under another ledger id if the name is made again.
    RealmDeleted { name: String },

    /// 10
    RelationshipWritten { relationship: Relationship },
    /// 11
    RelationshipDeleted { key: Key },

    /// 20
    UserCreated { uuid: Uuid, number: u64, login: String, name: Option<Personal> },
    /// 21
    UserRenamed { login: String, name: Option<Personal> },
    /// 22: the password itself is a sealed secret of this version.
    UserPasswordSet { login: String, version: u32 },
    /// 23
    UserActivated { login: String, active: bool },
    /// 24: with everything that names them, and what was granted on their URI.
    UserDeleted { login: String },
    /// 25: no session of theirs of before counts any more.
    SessionsEnded { login: String },

    /// 30
    ApiKeyCreated { id: Uuid, name: Option<Personal>, hash: [u8; 32], expires: Option<Micros> },
    /// 31
    ApiKeyRevoked { id: Uuid },

    /// 40
    IdentityCreated { id: Uuid, number: u64, managed: bool },
    /// 41: with its tokens and grants.
    IdentityDeleted { id: Uuid },
    /// 42
    TokenCreated { identity: Uuid, id: Uuid, hash: [u8; 32] },
    /// 43
    TokenRevoked { identity: Uuid, id: Uuid },

    /// 50
    RepositoryCreated { id: Uuid, number: u64, name: Option<Personal>, default_branch: String },
    /// 51: with the grants on it and its triggers.
    RepositoryDeleted { id: Uuid },
    /// 52
    DefaultBranchSet { id: Uuid, default_branch: String },

    /// 160: who is told of pushes to a repository.
    TriggerCreated { trigger: Box<TriggerForm> },
    /// 161
    TriggerDeleted { repository: Uuid, id: Uuid },

    /// 60: who may log in as whom is in relationships; this is the record.
    VmGranted { identity: Uuid, vm: String, id: Uuid, restricted: bool },
    /// 61
    VmGrantChanged { identity: Uuid, vm: String, restricted: bool },
    /// 62
    VmGrantRevoked { identity: Uuid, vm: String },

    /// 70: the properties are JSON text.
    EntityPut { object: Object, properties: String },
    /// 71
    EntityDeleted { object: Object },

    /// 80: the realm's own model, in the modelling language; empty: none.
    ModelPut { text: String },

    /// 90: who is in it is in relationships.
    RoleCreated {
        uuid: Uuid,
        number: u64,
        key: String,
        display_name: Option<Personal>,
        description: Option<Personal>,
    },
    /// 91: both texts, as they are from now on.
    RoleChanged { key: String, display_name: Option<Personal>, description: Option<Personal> },
    /// 92: with everything that names it, and what was granted on its URI.
    RoleDeleted { key: String },

    /// 100: signs client certificates from now on, in place of the version before; the key is a sealed secret.
    ClientCaMade { version: u32, certificate: Vec<u8>, until: Micros },

    /// 110: who decides in it, and which one is above it, is in relationships.
    ApprovalSessionOpened {
        id: String,
        number: u64,
        title: Option<Personal>,
        parent: Option<String>,
        by: Actor,
    },
    /// 111: with its rules and everything that names it.
    ApprovalSessionClosed { id: String },
    /// 112
    RequestCreated { asked: Box<Asked> },
    /// 113: decided, cancelled or over; once for each.
    RequestSettled { settlement: Box<Settlement> },
    /// 114
    RuleCreated { rule: Box<RuleForm> },
    /// 115
    RuleDeleted { id: Uuid },
    /// 116: its secret, version 1, is sealed.
    WebhookCreated { webhook: Box<WebhookForm> },
    /// 117
    WebhookChanged { update: Box<WebhookUpdate> },
    /// 118
    WebhookDeleted { id: Uuid },
    /// 119: the sealed secret of this version signs from now on, the one before it until then.
    WebhookSecretRotated { id: Uuid, version: u32, until: Micros },

    /// 130: whoever proves to be this account of the issuer signs in as this user. The account is a hash: see
    /// [`crate::linked_account::AccountId`].
    AccountLinked { login: String, issuer: String, account: [u8; 32] },
    /// 131
    AccountUnlinked { account: [u8; 32] },
    /// 120: who holds its permissions is in relationships.
    ContentTypeCreated { number: u64, app_label: String, model: String },
    /// 121: keeps its permissions.
    ContentTypeRenamed { number: u64, app_label: String, model: String },
    /// 122: with its permissions, and everything that names these.
    ContentTypeDeleted { number: u64 },
    /// 123
    CataloguePermissionCreated { number: u64, content_type: u64, codename: String, name: Personal },
    /// 124: all of it, as it is from now on; keeps its holders.
    CataloguePermissionChanged { number: u64, content_type: u64, codename: String, name: Personal },
    /// 125: with everything that names it.
    CataloguePermissionDeleted { number: u64 },
    /// 140 to 155
    Apps(Box<AppChange>),
    /// 162 to 168
    Ssh(Box<SshChange>),
}

/// A change as bytes, with the personal fields that it names by slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Number of the kind.
    pub kind: u16,
    /// Version of its form.
    pub version: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Encodes the changes of one entry; the personal fields are numbered through all of them.
pub fn encode_all(changes: &[Change]) -> (Vec<Encoded>, Vec<Personal>) {
    let mut personal: Vec<Personal> = Vec::new();
    let encoded = changes
        .iter()
        .map(|change| {
            let mut w = Writer::from_slot(personal.len());
            change.write(&mut w);
            let (body, fields) = w.finish();
            personal.extend(fields);
            Encoded { kind: change.kind(), version: 1, body }
        })
        .collect();
    (encoded, personal)
}

impl Change {
    /// Writes a relationship that holds for ever and under no condition.
    pub(crate) fn grant(key: Key) -> Self {
        Self::RelationshipWritten { relationship: Relationship::lasting(key) }
    }

    /// A change about scopes, organizations, apps or authorizations.
    pub(crate) fn of(change: AppChange) -> Self {
        Self::Apps(Box::new(change))
    }

    /// A change about VMs, SSH keys or their authority.
    pub(crate) fn ssh(change: SshChange) -> Self {
        Self::Ssh(Box::new(change))
    }

    /// The number of its kind.
    pub fn kind(&self) -> u16 {
        match self {
            Self::RealmCreated { .. } => 1,
            Self::RealmListed { .. } => 2,
            Self::FieldsErased { .. } => 3,
            Self::RealmUnlisted { .. } => 5,
            Self::RealmDeleted { .. } => 6,
            Self::RelationshipWritten { .. } => 10,
            Self::RelationshipDeleted { .. } => 11,
            Self::UserCreated { .. } => 20,
            Self::UserRenamed { .. } => 21,
            Self::UserPasswordSet { .. } => 22,
            Self::UserActivated { .. } => 23,
            Self::UserDeleted { .. } => 24,
            Self::SessionsEnded { .. } => 25,
            Self::ApiKeyCreated { .. } => 30,
            Self::ApiKeyRevoked { .. } => 31,
            Self::IdentityCreated { .. } => 40,
            Self::IdentityDeleted { .. } => 41,
            Self::TokenCreated { .. } => 42,
            Self::TokenRevoked { .. } => 43,
            Self::RepositoryCreated { .. } => 50,
            Self::RepositoryDeleted { .. } => 51,
            Self::DefaultBranchSet { .. } => 52,
            Self::VmGranted { .. } => 60,
            Self::VmGrantChanged { .. } => 61,
            Self::VmGrantRevoked { .. } => 62,
            Self::EntityPut { .. } => 70,
            Self::EntityDeleted { .. } => 71,
            Self::ModelPut { .. } => 80,
            Self::RoleCreated { .. } => 90,
            Self::RoleChanged { .. } => 91,
            Self::RoleDeleted { .. } => 92,
            Self::ClientCaMade { .. } => 100,
            Self::ApprovalSessionOpened { .. } => 110,
            Self::ApprovalSessionClosed { .. } => 111,
            Self::RequestCreated { .. } => 112,
            Self::RequestSettled { .. } => 113,
            Self::RuleCreated { .. } => 114,
            Self::RuleDeleted { .. } => 115,
            Self::TriggerCreated { .. } => 160,
            Self::TriggerDeleted { .. } => 161,
            Self::WebhookCreated { .. } => 116,
            Self::WebhookChanged { .. } => 117,
            Self::WebhookDeleted { .. } => 118,
            Self::WebhookSecretRotated { .. } => 119,
            Self::AccountLinked { .. } => 130,
            Self::AccountUnlinked { .. } => 131,
            Self::ContentTypeCreated { .. } => 120,
            Self::ContentTypeRenamed { .. } => 121,
            Self::ContentTypeDeleted { .. } => 122,
            Self::CataloguePermissionCreated { .. } => 123,
            Self::CataloguePermissionChanged { .. } => 124,
            Self::CataloguePermissionDeleted { .. } => 125,
            Self::Apps(change) => change.kind(),
            Self::Ssh(change) => change.kind(),
        }
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Self::RealmCreated { name, account } => {
                w.text(name);
                w.uuid(*account);
            }
            Self::RealmListed { name }
            | Self::RealmUnlisted { name }
            | Self::RealmDeleted { name }
            | Self::ModelPut { text: name } => w.text(name),
            Self::FieldsErased { object } | Self::EntityDeleted { object } => write_object(w, object),
            Self::RelationshipWritten { relationship } => write_relationship(w, relationship),
            Self::RelationshipDeleted { key } => write_key(w, key),
            Self::UserCreated { uuid, number, login, name } => {
                w.uuid(*uuid);
                w.u64(*number);
                w.text(login);
                w.option(name.as_ref(), Writer::slot);
            }
            Self::UserRenamed { login, name } => {
                w.text(login);
                w.option(name.as_ref(), Writer::slot);
            }
            Self::UserPasswordSet { login, version } => {
                w.text(login);
                w.u32(*version);
            }
            Self::UserActivated { login, active } => {
                w.text(login);
                w.bool(*active);
            }
            Self::UserDeleted { login } | Self::SessionsEnded { login } => w.text(login),
            Self::ApiKeyCreated { id, name, hash, expires } => {
                w.uuid(*id);
                w.option(name.as_ref(), Writer::slot);
                w.fixed(hash);
                w.option(*expires, Writer::i64);
            }
            Self::ApiKeyRevoked { id } | Self::IdentityDeleted { id } | Self::RepositoryDeleted { id } => {
                w.uuid(*id);
            }
            Self::IdentityCreated { id, number, managed } => {
                w.uuid(*id);
                w.u64(*number);
                w.bool(*managed);
            }
            Self::TokenCreated { identity, id, hash } => {
                w.uuid(*identity);
                w.uuid(*id);
                w.fixed(hash);
            }
            Self::TokenRevoked { identity, id } => {
                w.uuid(*identity);
                w.uuid(*id);
            }
            Self::RepositoryCreated { id, number, name, default_branch } => {
                w.uuid(*id);
                w.u64(*number);
                w.option(name.as_ref(), Writer::slot);
                w.text(default_branch);
            }
            Self::DefaultBranchSet { id, default_branch } => {
                w.uuid(*id);
                w.text(default_branch);
            }
            Self::VmGranted { identity, vm, id, restricted } => {
                w.uuid(*identity);
                w.text(vm);
                w.uuid(*id);
                w.bool(*restricted);
            }
            Self::VmGrantChanged { identity, vm, restricted } => {
                w.uuid(*identity);
                w.text(vm);
                w.bool(*restricted);
            }
            Self::VmGrantRevoked { identity, vm } => {
                w.uuid(*identity);
                w.text(vm);
            }
            Self::EntityPut { object, properties } => {
                write_object(w, object);
                w.text(properties);
            }
            Self::RoleCreated { uuid, number, key, display_name, description } => {
                w.uuid(*uuid);
                w.u64(*number);
                w.text(key);
                w.option(display_name.as_ref(), Writer::slot);
                w.option(description.as_ref(), Writer::slot);
            }
            Self::RoleChanged { key, display_name, description } => {
                w.text(key);
                w.option(display_name.as_ref(), Writer::slot);
                w.option(description.as_ref(), Writer::slot);
            }
            Self::RoleDeleted { key } => w.text(key),
            Self::ApprovalSessionOpened { id, number, title, parent, by } => {
                w.text(id);
                w.u64(*number);
                w.option(title.as_ref(), Writer::slot);
                w.option(parent.as_deref(), Writer::text);
                by.write(w);
            }
            Self::ApprovalSessionClosed { id } => w.text(id),
            Self::RequestCreated { asked } => write_asked(w, asked),
            Self::RequestSettled { settlement } => write_settlement(w, settlement),
            Self::RuleCreated { rule } => write_rule(w, rule),
            Self::RuleDeleted { id } | Self::WebhookDeleted { id } => w.uuid(*id),
            Self::TriggerCreated { trigger } => trigger.write(w, Writer::slot),
            Self::TriggerDeleted { repository, id } => {
                w.uuid(*repository);
                w.uuid(*id);
            }
            Self::WebhookCreated { webhook } => write_webhook(w, webhook),
            Self::WebhookChanged { update } => write_webhook_update(w, update),
            Self::WebhookSecretRotated { id, version, until } => {
                w.uuid(*id);
                w.u32(*version);
                w.i64(*until);
            }
            Self::AccountLinked { login, issuer, account } => {
                w.text(login);
                w.text(issuer);
                w.fixed(account);
            }
            Self::AccountUnlinked { account } => w.fixed(account),
            Self::ContentTypeCreated { number, app_label, model }
            | Self::ContentTypeRenamed { number, app_label, model } => {
                w.u64(*number);
                w.text(app_label);
                w.text(model);
            }
            Self::ContentTypeDeleted { number } | Self::CataloguePermissionDeleted { number } => {
                w.u64(*number);
            }
            Self::CataloguePermissionCreated { number, content_type, codename, name }
            | Self::CataloguePermissionChanged { number, content_type, codename, name } => {
                w.u64(*number);
                w.u64(*content_type);
                w.text(codename);
                w.slot(name);
            }
            Self::Apps(change) => change.write(w),
            Self::Ssh(change) => change.write(w),
            Self::ClientCaMade { version, certificate, until } => {
                w.u32(*version);
                w.bytes(certificate);
                w.i64(*until);
            }
        }
    }

    /// Reads a change. `slots` are the entry's personal fields.
    pub fn decode(kind: u16, version: u16, body: &[u8], slots: &[Personal]) -> Result<Self, CodecError> {
        let mut r = Reader::with_slots(body, slots);
        let r = &mut r;
        let change = match (kind, version) {
            (1, 1) => Self::RealmCreated { name: r.text()?.into(), account: r.uuid()? },
            (2, 1) => Self::RealmListed { name: r.text()?.into() },
            (3, 1) => Self::FieldsErased { object: read_object(r)? },
            (5, 1) => Self::RealmUnlisted { name: r.text()?.into() },
            (6, 1) => Self::RealmDeleted { name: r.text()?.into() },
            (10, 1) => Self::RelationshipWritten { relationship: read_relationship(r)? },
            (11, 1) => Self::RelationshipDeleted { key: read_key(r)? },
            (20, 1) => Self::UserCreated {
                uuid: r.uuid()?,
                number: r.u64()?,
                login: r.text()?.into(),
                name: r.option(Reader::slot)?,
            },
            (21, 1) => Self::UserRenamed { login: r.text()?.into(), name: r.option(Reader::slot)? },
            (22, 1) => Self::UserPasswordSet { login: r.text()?.into(), version: r.u32()? },
            (23, 1) => Self::UserActivated { login: r.text()?.into(), active: r.bool()? },
            (24, 1) => Self::UserDeleted { login: r.text()?.into() },
            (25, 1) => Self::SessionsEnded { login: r.text()?.into() },
            (30, 1) => Self::ApiKeyCreated {
                id: r.uuid()?,
                name: r.option(Reader::slot)?,
                hash: r.array()?,
                expires: r.option(Reader::i64)?,
            },
            (31, 1) => Self::ApiKeyRevoked { id: r.uuid()? },
            (40, 1) => Self::IdentityCreated { id: r.uuid()?, number: r.u64()?, managed: r.bool()? },
            (41, 1) => Self::IdentityDeleted { id: r.uuid()? },
            (42, 1) => Self::TokenCreated { identity: r.uuid()?, id: r.uuid()?, hash: r.array()? },
            (43, 1) => Self::TokenRevoked { identity: r.uuid()?, id: r.uuid()? },
            (50, 1) => Self::RepositoryCreated {
                id: r.uuid()?,
                number: r.u64()?,
                name: r.option(Reader::slot)?,
                default_branch: r.text()?.into(),
            },
            (51, 1) => Self::RepositoryDeleted { id: r.uuid()? },
            (52, 1) => Self::DefaultBranchSet { id: r.uuid()?, default_branch: r.text()?.into() },
            (60, 1) => Self::VmGranted {
                identity: r.uuid()?,
                vm: r.text()?.into(),
                id: r.uuid()?,
                restricted: r.bool()?,
            },
            (61, 1) => {
                Self::VmGrantChanged { identity: r.uuid()?, vm: r.text()?.into(), restricted: r.bool()? }
            }
            (62, 1) => Self::VmGrantRevoked { identity: r.uuid()?, vm: r.text()?.into() },
            (70, 1) => Self::EntityPut { object: read_object(r)?, properties: r.text()?.into() },
            (71, 1) => Self::EntityDeleted { object: read_object(r)? },
            (80, 1) => Self::ModelPut { text: r.text()?.into() },
            (90, 1) => Self::RoleCreated {
                uuid: r.uuid()?,
                number: r.u64()?,
                key: r.text()?.into(),
                display_name: r.option(Reader::slot)?,
                description: r.option(Reader::slot)?,
            },
            (91, 1) => Self::RoleChanged {
                key: r.text()?.into(),
                display_name: r.option(Reader::slot)?,
                description: r.option(Reader::slot)?,
            },
            (100, 1) => {
                Self::ClientCaMade { version: r.u32()?, certificate: r.bytes()?.into(), until: r.i64()? }
            }
            (92, 1) => Self::RoleDeleted { key: r.text()?.into() },
            (110, 1) => Self::ApprovalSessionOpened {
                id: r.text()?.into(),
                number: r.u64()?,
                title: r.option(Reader::slot)?,
                parent: r.option(|r| r.text().map(Into::into))?,
                by: Actor::read(r)?,
            },
            (111, 1) => Self::ApprovalSessionClosed { id: r.text()?.into() },
            (112, 1) => Self::RequestCreated { asked: Box::new(read_asked(r)?) },
            (113, 1) => Self::RequestSettled { settlement: Box::new(read_settlement(r)?) },
            (114, 1) => Self::RuleCreated { rule: Box::new(read_rule(r)?) },
            (115, 1) => Self::RuleDeleted { id: r.uuid()? },
            (160, 1) => Self::TriggerCreated { trigger: Box::new(TriggerForm::read(r, Reader::slot)?) },
            (161, 1) => Self::TriggerDeleted { repository: r.uuid()?, id: r.uuid()? },
            (116, 1) => Self::WebhookCreated { webhook: Box::new(read_webhook(r)?) },
            (117, 1) => Self::WebhookChanged { update: Box::new(read_webhook_update(r)?) },
            (118, 1) => Self::WebhookDeleted { id: r.uuid()? },
            (119, 1) => Self::WebhookSecretRotated { id: r.uuid()?, version: r.u32()?, until: r.i64()? },
            (130, 1) => {
                Self::AccountLinked { login: r.text()?.into(), issuer: r.text()?.into(), account: r.array()? }
            }
            (131, 1) => Self::AccountUnlinked { account: r.array()? },
            (120, 1) => Self::ContentTypeCreated {
                number: r.u64()?,
                app_label: r.text()?.into(),
                model: r.text()?.into(),
            },
            (121, 1) => Self::ContentTypeRenamed {
                number: r.u64()?,
                app_label: r.text()?.into(),
                model: r.text()?.into(),
            },
            (122, 1) => Self::ContentTypeDeleted { number: r.u64()? },
            (123, 1) => Self::CataloguePermissionCreated {
                number: r.u64()?,
                content_type: r.u64()?,
                codename: r.text()?.into(),
                name: r.slot()?,
            },
            (124, 1) => Self::CataloguePermissionChanged {
                number: r.u64()?,
                content_type: r.u64()?,
                codename: r.text()?.into(),
                name: r.slot()?,
            },
            (125, 1) => Self::CataloguePermissionDeleted { number: r.u64()? },
            _ => {
                let of_a_kind = |r: &mut Reader<'_>| {
                    let apps = AppChange::decode(kind, r).map(|change| change.map(Self::of));
                    apps.or_else(|| SshChange::decode(kind, r).map(|change| change.map(Self::ssh)))
                };
                if let Some(change) = if version == 1 { of_a_kind(r) } else { None } {
                    let change = change?;
                    std::mem::replace(r, Reader::new(&[])).finish()?;
                    return Ok(change);
                }
                return Err(CodecError::Unknown {
                    what: "a change",
                    found: format!("kind {kind} version {version}"),
                });
            }
        };
        std::mem::replace(r, Reader::new(&[])).finish()?;
        Ok(change)
    }
}

pub(crate) fn unknown<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> CodecError {
    move |problem| CodecError::Unknown { what, found: problem.to_string() }
}

/// A text shared by records and indexes.
pub(crate) fn shared(text: &str) -> Arc<str> {
    Arc::from(text)
}
