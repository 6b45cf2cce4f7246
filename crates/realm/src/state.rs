//! The state of a realm: the fold of its ledger.

mod apps;
mod ssh;

use std::sync::Arc;

use grantd_engine::{Fold, Folded, Graph, ObjectRef, Schema};
use uuid::Uuid;

use crate::api_key::ApiKeys;
use crate::app::Apps;
use crate::approval_session::{ApprovalSessions, SESSION_TYPE};
use crate::authorization::Authorizations;
use crate::catalogue::{Catalogue, CataloguePermission, ContentType, PERMISSION_TYPE};
use crate::change::{Change, Stamp, shared};
use crate::client_ca::ClientCa;
use crate::entity::Entities;
use crate::identity::Identities;
use crate::linked_account::LinkedAccounts;
use crate::organization::Organizations;
use crate::pulp::{PulpUri, URI_TYPE};
use crate::realms::Realms;
use crate::repository::Repositories;
use crate::request::Requests;
use crate::role::{ROLE_TYPE, Roles};
use crate::rule::Rules;
use crate::scope::Scopes;
use crate::ssh_ca::SshCa;
use crate::ssh_key::SshKeys;
use crate::token::{Bearer, Bearers};
use crate::trigger::Triggers;
use crate::user::Users;
use crate::vm::Vms;
use crate::webhook::{Webhooks, is_event};

/// A change that does not fit the state it should change: the ledger was not written by this fold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entry at revision {revision} does not fit the state before it: {problem}")]
pub struct Misfit {
    /// Which entry.
    pub revision: u64,
    /// What does not fit.
    pub problem: String,
}

/// A realm at one revision. A clone is a fork: it costs the same at any size, and neither sees the other's
/// later changes.
#[derive(Clone)]
pub struct State {
    pub(crate) name: Arc<str>,
    pub(crate) account: Uuid,
    /// What every realm begins with, and a deleted one goes back to.
    pub(crate) builtin: Arc<Schema>,
    /// The realm's own model, which stands beside the built-in ones; empty: none.
    pub(crate) model: Arc<str>,
    pub(crate) graph: Graph,
    pub(crate) realms: Realms,
    pub(crate) users: Users,
    pub(crate) roles: Roles,
    pub(crate) api_keys: ApiKeys,
    pub(crate) identities: Identities,
    pub(crate) repositories: Repositories,
    pub(crate) entities: Entities,
    pub(crate) bearers: Bearers,
    pub(crate) client_ca: Option<ClientCa>,
    pub(crate) approval_sessions: ApprovalSessions,
    pub(crate) requests: Requests,
    pub(crate) rules: Rules,
    pub(crate) triggers: Triggers,
    pub(crate) webhooks: Webhooks,
    pub(crate) linked_accounts: LinkedAccounts,
    pub(crate) catalogue: Catalogue,
    pub(crate) scopes: Scopes,
    pub(crate) organizations: Organizations,
    pub(crate) apps: Apps,
    pub(crate) authorizations: Authorizations,
    pub(crate) vms: Vms,
    pub(crate) ssh_keys: SshKeys,
    pub(crate) ssh_ca: Option<SshCa>,
}

impl State {
    /// The state before the first entry, under the built-in models.
    pub fn empty(schema: Arc<Schema>) -> Self {
        Self {
            name: "".into(),
            account: Uuid::nil(),
            model: "".into(),
            graph: Graph::new(schema.clone()),
            builtin: schema,
            realms: Realms::default(),
            users: Users::default(),
            roles: Roles::default(),
            api_keys: ApiKeys::default(),
            identities: Identities::default(),
            repositories: Repositories::default(),
            entities: Entities::default(),
            bearers: Bearers::default(),
            client_ca: None,
            approval_sessions: ApprovalSessions::default(),
            requests: Requests::default(),
            rules: Rules::default(),
            triggers: Triggers::default(),
            webhooks: Webhooks::default(),
            linked_accounts: LinkedAccounts::default(),
            catalogue: Catalogue::default(),
            scopes: Scopes::default(),
            organizations: Organizations::default(),
            apps: Apps::default(),
            authorizations: Authorizations::default(),
            vms: Vms::default(),
            ssh_keys: SshKeys::default(),
            ssh_ca: None,
        }
    }

    /// The built-in models, which every realm has.
    pub fn builtin(&self) -> &Arc<Schema> {
        &self.builtin
    }

    /// The realm's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The one UUID that stands for the realm where a dialect speaks of an account.
    pub fn account(&self) -> Uuid {
        self.account
    }

    /// The relationships, and what follows from them.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// People.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Roles.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// API keys.
    pub fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    /// Machine identities, with their tokens and VM grants.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// Repositories.
    pub fn repositories(&self) -> &Repositories {
        &self.repositories
    }

    /// Who signs client certificates, once anybody has asked for one.
    pub fn client_ca(&self) -> Option<&ClientCa> {
        self.client_ca.as_ref()
    }

    /// Stored properties.
    pub fn entities(&self) -> &Entities {
        &self.entities
    }

    /// What agents do in one go, as scopes of requests.
    pub fn approval_sessions(&self) -> &ApprovalSessions {
        &self.approval_sessions
    }

    /// What agents ask for.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Standing answers to requests.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Who is told of pushes to repositories.
    pub fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    /// Who is told of what happens.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// The accounts elsewhere by which people sign in.
    pub fn linked_accounts(&self) -> &LinkedAccounts {
        &self.linked_accounts
    }

    /// Permissions as records, by content type.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What apps can ask for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Who agrees to what apps ask for.
    pub fn organizations(&self) -> &Organizations {
        &self.organizations
    }

    /// Who asks.
    pub fn apps(&self) -> &Apps {
        &self.apps
    }

    /// What was agreed on.
    pub fn authorizations(&self) -> &Authorizations {
        &self.authorizations
    }

    /// Machines behind the SSH gateway.
    pub fn vms(&self) -> &Vms {
        &self.vms
    }

    /// By which keys identities are known to sshd.
    pub fn ssh_keys(&self) -> &SshKeys {
        &self.ssh_keys
    }

    /// Who signs SSH certificates, once anybody has asked for it.
    pub fn ssh_ca(&self) -> Option<&SshCa> {
        self.ssh_ca.as_ref()
    }

    /// In the realm `system`: the realms of this store.
    pub fn realms(&self) -> &Realms {
        &self.realms
    }

    /// Whose bearer secret this is, by its hash.
    pub fn bearer(&self, secret_hash: &[u8; 32]) -> Option<Bearer> {
        self.bearers.find(secret_hash)
    }

    /// The next state. All rules were applied when the change was decided; what is checked here is only that it
    /// fits at all.
    pub fn apply(&mut self, change: &Change, stamp: Stamp) -> Result<(), Misfit> {
        self.fold(change, stamp).map_err(|problem| Misfit { revision: stamp.revision, problem })
    }

    fn fold(&mut self, change: &Change, stamp: Stamp) -> Result<(), String> {
        if is_event(change) {
            self.webhooks.note_event(stamp);
        }
        match change {
            Change::RealmCreated { name, account } => {
                if !self.name.is_empty() {
                    return Err("the realm exists already".into());
                }
                self.name = shared(name);
                self.account = *account;
                self.roles.found(*account, stamp)?;
            }
            Change::RealmListed { name } => self.realms.list(name, stamp),
            Change::RealmUnlisted { name } => self.realms.unlist(name)?,
            Change::RealmDeleted { name } => {
                if *name != *self.name {
                    return Err(format!("the realm is not `{name}`"));
                }
                *self = Self::empty(self.builtin.clone());
            }
            Change::FieldsErased { object } => self.erase_fields(object.as_ref()),
            Change::RelationshipWritten { relationship } => {
                self.graph.write(relationship.clone());
            }
            Change::RelationshipDeleted { key } => {
                if !self.graph.delete(key) {
                    return Err(format!("there is no relationship `{key}`"));
                }
            }
            Change::UserCreated { uuid, number, login, name } => {
                self.users.create(*uuid, *number, login, name.as_ref(), stamp)?;
            }
            Change::UserRenamed { login, name } => self.users.rename(login, name.as_ref())?,
            Change::UserPasswordSet { login, version } => self.users.set_password(login, *version)?,
            Change::UserActivated { login, active } => self.users.activate(login, *active)?,
            Change::UserDeleted { login } => {
                self.users.delete(login)?;
                self.linked_accounts.forget_user(login);
                self.forget(ObjectRef { kind: "user", id: login });
                self.forget_uri(&PulpUri::of_user(login));
            }
            Change::SessionsEnded { login } => self.users.end_sessions(login)?,
            Change::ApiKeyCreated { id, name, hash, expires } => {
                self.api_keys.create(*id, name.as_ref(), hash, *expires, stamp)?;
                self.bearers.add(*hash, Bearer::ApiKey(*id));
            }
            Change::ApiKeyRevoked { id } => {
                let hash = self.api_keys.revoke(*id)?;
                self.bearers.remove(&hash);
                self.forget(ObjectRef { kind: "api_key", id: &id.to_string() });
            }
            Change::IdentityCreated { id, number, managed } => {
                self.identities.create(*id, *number, *managed)?;
            }
            Change::IdentityDeleted { id } => {
                for hash in self.identities.delete(*id)? {
                    self.bearers.remove(&hash);
                }
                self.ssh_keys.forget(*id)?;
                self.forget(ObjectRef { kind: "identity", id: &id.to_string() });
            }
            Change::TokenCreated { identity, id, hash } => {
                self.identities.create_token(*identity, *id, hash)?;
                self.bearers.add(*hash, Bearer::Token { identity: *identity, token: *id });
            }
            Change::TokenRevoked { identity, id } => {
                let hash = self.identities.revoke_token(*identity, *id)?;
                self.bearers.remove(&hash);
            }
            Change::RepositoryCreated { id, number, name, default_branch } => {
                self.repositories.create(*id, *number, name.as_ref(), default_branch, stamp)?;
            }
            Change::RepositoryDeleted { id } => {
                self.repositories.delete(*id)?;
                self.triggers.forget(*id);
                self.forget(ObjectRef { kind: "fs_repo", id: &id.to_string() });
            }
            Change::DefaultBranchSet { id, default_branch } => {
                self.repositories.set_default_branch(*id, default_branch)?;
            }
            Change::VmGranted { identity, vm, id, restricted } => {
                self.identities.grant_vm(*identity, vm, *id, *restricted, stamp)?;
            }
            Change::VmGrantChanged { identity, vm, restricted } => {
                self.identities.change_vm_grant(*identity, vm, *restricted)?;
            }
            Change::VmGrantRevoked { identity, vm } => self.identities.revoke_vm_grant(*identity, vm)?,
            Change::EntityPut { object, properties } => self.entities.put(object, properties),
            Change::EntityDeleted { object } => self.entities.delete(object)?,
            Change::ModelPut { text } => self.put_model(text)?,
            Change::ApprovalSessionOpened { id, number, title, parent, by } => {
                self.approval_sessions.open(id, *number, title.as_ref(), parent.as_deref(), by, stamp)?;
            }
            Change::ApprovalSessionClosed { id } => {
                self.approval_sessions.close(id)?;
                self.rules.close_session(id);
                self.forget(ObjectRef { kind: SESSION_TYPE, id });
            }
            Change::RequestCreated { asked } => self.requests.create(asked, stamp)?,
            Change::RequestSettled { settlement } => self.requests.settle(settlement, stamp)?,
            Change::RuleCreated { rule } => self.rules.create(rule, stamp)?,
            Change::RuleDeleted { id } => self.rules.delete(*id)?,
            Change::TriggerCreated { trigger } => self.triggers.create(trigger, stamp)?,
            Change::TriggerDeleted { repository, id } => self.triggers.delete(*repository, *id)?,
            Change::WebhookCreated { webhook } => self.webhooks.create(webhook, stamp)?,
            Change::WebhookChanged { update } => self.webhooks.update(update)?,
            Change::WebhookDeleted { id } => self.webhooks.delete(*id)?,
            Change::WebhookSecretRotated { id, version, until } => {
                self.webhooks.rotate(*id, *version, *until)?;
            }
            Change::AccountLinked { login, issuer, account } => {
                if self.users.get(login).is_none() {
                    return Err(format!("there is no user `{login}`"));
                }
                self.linked_accounts.link(login, issuer, *account, stamp)?;
            }
            Change::AccountUnlinked { account } => self.linked_accounts.unlink(account)?,
            Change::ContentTypeCreated { number, app_label, model } => {
                self.catalogue.put_type(ContentType::of(*number, app_label, model), true)?;
            }
            Change::ContentTypeRenamed { number, app_label, model } => {
                self.catalogue.put_type(ContentType::of(*number, app_label, model), false)?;
            }
            Change::ContentTypeDeleted { number } => {
                for permission in self.catalogue.delete_type(*number)? {
                    self.forget(ObjectRef { kind: PERMISSION_TYPE, id: &permission.to_string() });
                }
            }
            Change::CataloguePermissionCreated { number, content_type, codename, name } => {
                let one = CataloguePermission::of(*number, *content_type, codename, name);
                self.catalogue.put_permission(one, true)?;
            }
            Change::CataloguePermissionChanged { number, content_type, codename, name } => {
                let one = CataloguePermission::of(*number, *content_type, codename, name);
                self.catalogue.put_permission(one, false)?;
            }
            Change::CataloguePermissionDeleted { number } => {
                self.catalogue.delete_permission(*number)?;
                self.forget(ObjectRef { kind: PERMISSION_TYPE, id: &number.to_string() });
            }
            Change::Apps(change) => self.fold_apps(change, stamp)?,
            Change::Ssh(change) => self.fold_ssh(change, stamp)?,
            Change::ClientCaMade { version, certificate, until } => {
                let certificate = certificate.as_slice().into();
                self.client_ca = Some(ClientCa { version: *version, certificate, until: *until });
            }
            Change::RoleCreated { uuid, number, key, display_name, description } => {
                let texts = (display_name.as_ref(), description.as_ref());
                self.roles.create(*uuid, *number, key, texts, stamp)?;
            }
            Change::RoleChanged { key, display_name, description } => {
                self.roles.change(key, display_name.as_ref(), description.as_ref())?;
            }
            Change::RoleDeleted { key } => {
                self.roles.delete(key)?;
                self.forget(ObjectRef { kind: ROLE_TYPE, id: key });
                self.forget_uri(&PulpUri::of_role(key));
                self.forget_uri(&PulpUri::of_members(key));
            }
        }
        Ok(())
    }

    /// Forgets every relationship that names an object, and its properties: one of the same name starts with nothing.
    fn forget(&mut self, object: ObjectRef<'_>) {
        self.graph.retire(object);
        self.entities.forget(object);
    }

    /// Forgets what was granted on a URI itself.
    fn forget_uri(&mut self, uri: &PulpUri) {
        self.forget(ObjectRef { kind: URI_TYPE, id: uri.as_str() });
    }

    /// Frees a bounded part of what deletions left behind; never changes an answer.
    pub fn tidy(&mut self) {
        self.graph.sweep(1_000);
    }

    /// Does now what the first reader would have to wait for: see [`Graph::sort`].
    pub fn prepare(&self) {
        self.graph.sort();
    }

    /// Whether the relationships should be brought into their compact form, and are so many that this must not be done
    /// while somebody waits: see [`Graph::needs_fold`].
    pub fn needs_compacting(&self) -> bool {
        self.graph.needs_fold()
    }

    /// Begins that, in O(1); what is given is to be run elsewhere.
    pub fn begin_compacting(&mut self) -> Fold {
        self.graph.begin_fold()
    }

    /// Takes what came of it, if it was begun on this state or one before it. Never changes an answer.
    pub fn adopt_compacted(&mut self, folded: Folded) -> bool {
        self.graph.adopt(folded)
    }
}
