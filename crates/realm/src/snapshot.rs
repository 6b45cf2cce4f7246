//! A state as bytes: for snapshots, which spare start-up the fold of a whole ledger, and for the state hash.
//!
//! Both begin with the records in one canonical order. For the hash the relationships follow in key order, whatever
//! happened to them; a snapshot has them in bulk, as the engine holds them, so that reading millions costs little more than
//! copying. The hash covers commitments instead of personal values, so that it is the same before and after an erasure.

mod apps;
mod ssh;

use std::sync::Arc;

use grantd_engine::{Graph, Schema};
use uuid::Uuid;

use crate::State;
use crate::api_key::ApiKey;
use crate::approval_session::ApprovalSession;
use crate::caller::Actor;
use crate::catalogue::{CataloguePermission, ContentType};
use crate::change::{
    read_decider, read_object, read_outcome, read_rule, shared, unknown, write_decider, write_outcome,
    write_relationship_ref, write_rule,
};
use crate::client_ca::ClientCa;
use crate::codec::{CodecError, KnownValues, Reader, Writer};
use crate::identity::Identity;
use crate::linked_account::{AccountId, LinkedAccount};
use crate::repository::Repository;
use crate::request::{Request, Status};
use crate::role::Role;
use crate::rule::Rule;
use crate::token::{Bearer, Tokens};
use crate::trigger::{Trigger, TriggerForm};
use crate::user::User;
use crate::vm_grant::VmGrant;
use crate::webhook::{EventSet, Previous, Webhook};

/// Version of a snapshot's form. A snapshot of another form is thrown away and rebuilt from the ledger, but for the one at
/// the base of a ledger with an archive: a program with a new form must read that of the one before, or say in its notes
/// that archives have to be put back first.
pub const FORMAT: u32 = 11;

/// The form before, in which there were no VMs and SSH keys yet.
const WITHOUT_SSH: u32 = 10;

/// The one before that, in which nobody was told of pushes either.
const WITHOUT_TRIGGERS: u32 = 9;

/// Whether a snapshot of this form can be read.
pub fn can_read(format: u32) -> bool {
    [FORMAT, WITHOUT_SSH, WITHOUT_TRIGGERS].contains(&format)
}

/// Stands in front of what is hashed. Never changes: checkpoints hold state hashes for ever.
const HASHED_FORM: u32 = 1;

/// Begins the realm's own model in what is hashed, after everything else.
const MODEL: u8 = 1;

/// Begins the roles in what is hashed, after the model.
const ROLES: u8 = 2;

/// Begins, after that, how often all sessions of each user were ended, of those of whom they ever were.
const SESSIONS: u8 = 3;

/// Begins, after that, who signs client certificates.
const CLIENT_CA: u8 = 4;

/// Begins, after that, approval sessions, requests and rules.
const APPROVALS: u8 = 5;

/// Begins, after that, webhooks.
const WEBHOOKS: u8 = 6;

/// Begins, after that, the catalogue. The numbers in between are others'.
const CATALOGUE: u8 = 12;

/// Begins, at the very end, scopes, organizations, apps and authorizations.
const APPS: u8 = 20;

/// Begins, after that, the accounts by which people sign in, where there are any.
const LINKED_ACCOUNTS: u8 = 13;

/// Begins, at the very end, who is told of pushes, where anybody ever was.
const TRIGGERS: u8 = 21;

/// Begins, after that, VMs, SSH keys and their authority.
const SSH: u8 = 22;

impl State {
    /// BLAKE3 over the canonical bytes of the state, personal values left out. For ten million relationships this takes
    /// seconds.
    pub fn hash(&self) -> [u8; 32] {
        let mut w = Writer::hashing("grantd state 1");
        w.u32(HASHED_FORM);
        self.write_records(&mut w);
        w.u64(self.graph.len());
        self.graph.for_each_ref(|relationship| {
            write_relationship_ref(&mut w, &relationship);
            w.spill();
        });
        // Only a realm that has a model has these bytes, so that the hash of the others is what it always was.
        if !self.model.is_empty() {
            w.u8(MODEL);
            w.text(&self.model);
        }
        // Likewise: one that has other roles than those of its making.
        if !self.roles.are_founding() {
            w.u8(ROLES);
            self.write_roles(&mut w);
        }
        if self.users.by_login.values().any(|user| user.sessions > 0) {
            w.u8(SESSIONS);
            self.write_sessions(&mut w);
        }
        if self.client_ca.is_some() {
            w.u8(CLIENT_CA);
            self.write_client_ca(&mut w);
        }
        if self.has_approvals() {
            w.u8(APPROVALS);
            self.write_approvals(&mut w);
        }
        if self.webhooks.next_number > 0 {
            w.u8(WEBHOOKS);
            self.write_webhooks(&mut w);
        }
        if self.catalogue.has_begun() {
            w.u8(CATALOGUE);
            self.write_catalogue(&mut w);
        }
        if !self.linked_accounts.is_empty() {
            w.u8(LINKED_ACCOUNTS);
            self.write_linked_accounts(&mut w);
        }
        if self.has_apps() {
            w.u8(APPS);
            self.write_apps(&mut w);
        }
        if self.triggers.next_number > 0 {
            w.u8(TRIGGERS);
            self.write_triggers(&mut w);
        }
        if self.has_ssh() {
            w.u8(SSH);
            self.write_ssh(&mut w);
        }
        w.hash().unwrap_or_default()
    }

    /// The whole state as bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        self.snapshot_by(Writer::revealing())
    }

    /// The whole state but for its personal values, which are kept elsewhere and may be erased there: see
    /// [`Self::from_base`].
    pub fn to_base(&self) -> Vec<u8> {
        self.snapshot_by(Writer::withholding())
    }

    fn snapshot_by(&self, mut w: Writer) -> Vec<u8> {
        w.u32(FORMAT);
        self.write_records(&mut w);
        w.text(&self.model);
        self.write_roles(&mut w);
        self.write_sessions(&mut w);
        self.write_client_ca(&mut w);
        self.write_approvals(&mut w);
        self.write_webhooks(&mut w);
        self.write_catalogue(&mut w);
        self.write_linked_accounts(&mut w);
        self.write_apps(&mut w);
        self.write_triggers(&mut w);
        self.write_ssh(&mut w);
        w.append(|bytes| self.graph.dump(bytes));
        w.finish().0
    }

    /// The state that [`Self::to_snapshot`] wrote. Any bytes give a state or an error; that it is the right one, only its
    /// hash says.
    pub fn from_snapshot(bytes: &[u8], schema: Arc<Schema>) -> Result<Self, CodecError> {
        Self::read_whole(Reader::new(bytes), schema)
    }

    /// The state that [`Self::to_base`] wrote, with those of its personal values that are still known.
    pub fn from_base(bytes: &[u8], values: &KnownValues, schema: Arc<Schema>) -> Result<Self, CodecError> {
        Self::read_whole(Reader::with_values(bytes, values), schema)
    }

    fn read_whole(mut r: Reader<'_>, schema: Arc<Schema>) -> Result<Self, CodecError> {
        let state = Self::read(&mut r, schema)?;
        r.finish()?;
        Ok(state)
    }

    fn write_records(&self, w: &mut Writer) {
        w.text(&self.name);
        w.uuid(self.account);
        write_list(w, self.realms.created.len(), self.realms.created.iter(), |w, (name, created)| {
            w.text(name);
            w.i64(*created);
        });
        w.u64(self.users.next_number);
        write_list(w, self.users.by_login.len(), self.users.by_login.values(), write_user);
        write_list(w, self.api_keys.by_id.len(), self.api_keys.by_id.values(), write_api_key);
        w.u64(self.identities.next_number);
        write_list(w, self.identities.by_id.len(), self.identities.by_id.values(), write_identity);
        w.u64(self.repositories.next_number);
        write_list(w, self.repositories.by_id.len(), self.repositories.by_id.values(), write_repository);
        write_list(w, self.entities.len(), self.entities.iter(), |w, (object, properties)| {
            w.text(object.kind);
            w.text(object.id);
            w.text(properties);
        });
    }

    fn write_roles(&self, w: &mut Writer) {
        w.u64(self.roles.next_number);
        write_list(w, self.roles.by_key.len(), self.roles.by_key.values(), write_role);
    }

    fn write_sessions(&self, w: &mut Writer) {
        let ended = || self.users.by_login.values().filter(|user| user.sessions > 0);
        write_list(w, ended().count(), ended(), |w, user| {
            w.text(&user.login);
            w.u64(user.sessions);
        });
    }

    fn write_client_ca(&self, w: &mut Writer) {
        w.option(self.client_ca.as_ref(), |w, ca| {
            w.u32(ca.version);
            w.bytes(&ca.certificate);
            w.i64(ca.until);
        });
    }

    /// Whether there ever was any.
    fn has_approvals(&self) -> bool {
        self.approval_sessions.next_number > 0 || self.requests.next_number > 0 || self.rules.next_number > 0
    }

    fn write_approvals(&self, w: &mut Writer) {
        let sessions = &self.approval_sessions;
        w.u64(sessions.next_number);
        write_list(w, sessions.len(), sessions.iter_after(0), |w, session| write_session(w, session));
        w.u64(self.requests.next_number);
        write_list(w, self.requests.len(), self.requests.since(0), |w, request| write_request(w, request));
        w.u64(self.rules.next_number);
        write_list(w, self.rules.len(), self.rules.iter_after(0), |w, rule| {
            write_rule(w, &rule.form());
            w.i64(rule.created_at);
        });
    }

    fn write_linked_accounts(&self, w: &mut Writer) {
        let accounts = &self.linked_accounts;
        write_list(w, accounts.len(), accounts.iter(), |w, account| {
            w.fixed(&account.id.0);
            w.text(&account.issuer);
            w.text(&account.login);
            w.i64(account.linked_at);
        });
    }

    fn read_linked_accounts(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for _ in 0..r.u64()? {
            let account = LinkedAccount {
                id: AccountId(r.array()?),
                issuer: shared(r.text()?),
                login: shared(r.text()?),
                linked_at: r.i64()?,
            };
            self.linked_accounts.insert(account).map_err(unknown("a linked account"))?;
        }
        Ok(())
    }

    fn read_approvals(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            self.approval_sessions.insert(read_session(r)?).map_err(unknown("an approval session"))?;
        }
        self.approval_sessions.next_number = next_number;
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            self.requests.insert(read_request(r)?);
        }
        self.requests.next_number = next_number;
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let form = read_rule(r)?;
            self.rules.insert(Rule::of(&form, r.i64()?)).map_err(unknown("a rule"))?;
        }
        self.rules.next_number = next_number;
        Ok(())
    }

    fn write_webhooks(&self, w: &mut Writer) {
        w.u64(self.webhooks.next_number);
        write_list(w, self.webhooks.len(), self.webhooks.iter_after(0), |w, webhook| {
            write_webhook(w, webhook);
        });
    }

    fn read_webhooks(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            self.webhooks.insert(read_webhook(r)?).map_err(unknown("a webhook"))?;
        }
        self.webhooks.next_number = next_number;
        Ok(())
    }

    fn write_triggers(&self, w: &mut Writer) {
        w.u64(self.triggers.next_number);
        write_list(w, self.triggers.len(), self.triggers.iter(), |w, trigger| {
            trigger.form.write(w, Writer::personal);
            w.i64(trigger.created_at);
        });
    }

    fn read_triggers(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let form = TriggerForm::read(r, Reader::personal)?;
            self.triggers.insert(Trigger { form, created_at: r.i64()? }).map_err(unknown("a trigger"))?;
        }
        self.triggers.next_number = next_number;
        Ok(())
    }

    fn write_catalogue(&self, w: &mut Writer) {
        let catalogue = &self.catalogue;
        w.u64(catalogue.next_type);
        write_list(w, catalogue.types.len(), catalogue.types.values(), |w, kind| {
            w.u64(kind.number);
            w.text(&kind.app_label);
            w.text(&kind.model);
        });
        w.u64(catalogue.next_permission);
        write_list(w, catalogue.permissions.len(), catalogue.permissions.values(), |w, one| {
            w.u64(one.number);
            w.u64(one.content_type);
            w.text(&one.codename);
            w.personal(&one.name);
        });
    }

    fn read_catalogue(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        let next_type = r.u64()?;
        for _ in 0..r.u64()? {
            let kind = ContentType::of(r.u64()?, r.text()?, r.text()?);
            self.catalogue.put_type(kind, true).map_err(unknown("a content type"))?;
        }
        self.catalogue.next_type = next_type;
        let next_permission = r.u64()?;
        for _ in 0..r.u64()? {
            let (number, content_type, codename) = (r.u64()?, r.u64()?, r.text()?);
            let one = CataloguePermission::of(number, content_type, codename, &r.personal()?);
            self.catalogue.put_permission(one, true).map_err(unknown("a permission"))?;
        }
        self.catalogue.next_permission = next_permission;
        Ok(())
    }

    fn read(r: &mut Reader<'_>, schema: Arc<Schema>) -> Result<Self, CodecError> {
        let format = r.u32()?;
        if !can_read(format) {
            return Err(CodecError::Unknown { what: "the state's format", found: format.to_string() });
        }
        let mut state = Self::empty(schema);
        state.name = shared(r.text()?);
        state.account = r.uuid()?;
        for _ in 0..r.u64()? {
            state.realms.created.insert(shared(r.text()?), r.i64()?);
        }
        state.users.next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let user = read_user(r)?;
            state.users.by_login.insert(user.login.clone(), user);
        }
        for _ in 0..r.u64()? {
            let key = read_api_key(r)?;
            state.bearers.add(key.hash, Bearer::ApiKey(key.id));
            state.api_keys.by_id.insert(key.id, key);
        }
        state.identities.next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let identity = read_identity(r)?;
            for (token, (_, hash)) in &identity.tokens.by_id {
                state.bearers.add(*hash, Bearer::Token { identity: identity.id, token: *token });
            }
            state.identities.by_number.insert(identity.number, identity.id);
            state.identities.by_id.insert(identity.id, identity);
        }
        state.repositories.next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let repository = read_repository(r)?;
            state.repositories.by_number.insert(repository.number, repository.id);
            state.repositories.by_id.insert(repository.id, repository);
        }
        for _ in 0..r.u64()? {
            state.entities.put(&read_object(r)?, r.text()?);
        }
        state.put_model(r.text()?).map_err(unknown("the model"))?;
        state.roles.next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let role = read_role(r)?;
            state.roles.by_key.insert(role.key.clone(), role);
        }
        for _ in 0..r.u64()? {
            let (login, sessions) = (r.text()?, r.u64()?);
            let user = state.users.by_login.get_mut(login);
            user.ok_or_else(|| unknown("a user's sessions")(login))?.sessions = sessions;
        }
        state.client_ca = r.option(read_client_ca)?;
        state.read_approvals(r)?;
        state.read_webhooks(r)?;
        state.read_catalogue(r)?;
        state.read_linked_accounts(r)?;
        state.read_apps(r)?;
        if format != WITHOUT_TRIGGERS {
            state.read_triggers(r)?;
        }
        if ![WITHOUT_SSH, WITHOUT_TRIGGERS].contains(&format) {
            state.read_ssh(r)?;
        }
        let schema = state.graph.schema().clone();
        state.graph = Graph::from_dump(r.rest(), schema).map_err(unknown("the graph"))?;
        Ok(state)
    }
}

fn write_list<T>(w: &mut Writer, len: usize, items: impl Iterator<Item = T>, write: impl Fn(&mut Writer, T)) {
    w.u64(len as u64);
    items.for_each(|item| {
        write(w, item);
        w.spill();
    });
}

fn read_client_ca(r: &mut Reader<'_>) -> Result<ClientCa, CodecError> {
    Ok(ClientCa { version: r.u32()?, certificate: r.bytes()?.into(), until: r.i64()? })
}

fn write_user(w: &mut Writer, user: &User) {
    w.uuid(user.uuid);
    w.u64(user.number);
    w.text(&user.login);
    w.option(user.name.as_ref(), Writer::personal);
    w.option(user.password, Writer::u32);
    w.bool(user.active);
    w.i64(user.created_at);
}

fn read_user(r: &mut Reader<'_>) -> Result<User, CodecError> {
    Ok(User {
        uuid: r.uuid()?,
        number: r.u64()?,
        login: shared(r.text()?),
        name: r.option(Reader::personal)?,
        password: r.option(Reader::u32)?,
        active: r.bool()?,
        created_at: r.i64()?,
        sessions: 0,
    })
}

fn write_role(w: &mut Writer, role: &Role) {
    w.uuid(role.uuid);
    w.u64(role.number);
    w.text(&role.key);
    w.option(role.display_name.as_ref(), Writer::personal);
    w.option(role.description.as_ref(), Writer::personal);
    w.i64(role.created_at);
}

fn read_role(r: &mut Reader<'_>) -> Result<Role, CodecError> {
    Ok(Role {
        uuid: r.uuid()?,
        number: r.u64()?,
        key: shared(r.text()?),
        display_name: r.option(Reader::personal)?,
        description: r.option(Reader::personal)?,
        created_at: r.i64()?,
    })
}

fn write_session(w: &mut Writer, session: &ApprovalSession) {
    w.text(&session.id);
    w.u64(session.number);
    w.option(session.title.as_ref(), Writer::personal);
    w.option(session.parent.as_deref(), Writer::text);
    w.u64(session.parent_number);
    w.i64(session.created_at);
    session.created_by.write(w);
}

fn read_session(r: &mut Reader<'_>) -> Result<ApprovalSession, CodecError> {
    Ok(ApprovalSession {
        id: shared(r.text()?),
        number: r.u64()?,
        title: r.option(Reader::personal)?,
        parent: r.option(|r| r.text().map(shared))?,
        parent_number: r.u64()?,
        created_at: r.i64()?,
        created_by: Actor::read(r)?,
    })
}

fn write_request(w: &mut Writer, request: &Request) {
    w.uuid(request.id);
    w.u64(request.number);
    w.text(&request.session);
    w.text(&request.tool);
    w.option(request.path.as_deref(), Writer::text);
    w.personal(&request.action);
    w.personal(&request.description);
    w.personal(&request.params);
    w.option(request.parent_tool_call.as_deref(), Writer::text);
    request.requester.write(w);
    w.i64(request.created_at);
    w.u64(request.created_revision);
    w.i64(request.expires_at);
    w.u32(request.asked_size);
    w.option(request.settled(), |w, settled| {
        write_outcome(w, settled.outcome);
        write_decider(w, settled.by);
        w.i64(settled.at);
        w.u64(settled.revision);
        w.option(request.reason.as_ref(), Writer::personal);
        w.option(request.edited_params.as_ref(), Writer::personal);
        w.u32(request.settled_size);
    });
}

fn read_request(r: &mut Reader<'_>) -> Result<Request, CodecError> {
    let mut request = Request {
        id: r.uuid()?,
        number: r.u64()?,
        session: shared(r.text()?),
        tool: shared(r.text()?),
        path: r.option(|r| r.text().map(shared))?,
        action: r.personal()?,
        description: r.personal()?,
        params: r.personal()?,
        parent_tool_call: r.option(|r| r.text().map(shared))?,
        requester: Actor::read(r)?,
        created_at: r.i64()?,
        created_revision: r.u64()?,
        expires_at: r.i64()?,
        asked_size: r.u32()?,
        status: Status::Pending,
        decided_by: None,
        decided_at: None,
        decided_revision: None,
        reason: None,
        edited_params: None,
        settled_size: 0,
    };
    if r.bool()? {
        request.status = read_outcome(r)?.status();
        request.decided_by = Some(read_decider(r)?);
        request.decided_at = Some(r.i64()?);
        request.decided_revision = Some(r.u64()?);
        request.reason = r.option(Reader::personal)?;
        request.edited_params = r.option(Reader::personal)?;
        request.settled_size = r.u32()?;
    }
    Ok(request)
}

fn write_webhook(w: &mut Writer, webhook: &Webhook) {
    w.uuid(webhook.id);
    w.u64(webhook.number);
    w.personal(&webhook.url);
    webhook.events.write(w);
    w.option(webhook.description.as_ref(), Writer::personal);
    w.option(webhook.app.as_deref(), Writer::text);
    w.bool(webhook.enabled);
    w.u32(webhook.secret);
    w.option(webhook.previous, |w, previous| {
        w.u32(previous.version);
        w.i64(previous.until);
    });
    webhook.created_by.write(w);
    w.i64(webhook.created_at);
}

fn read_webhook(r: &mut Reader<'_>) -> Result<Webhook, CodecError> {
    Ok(Webhook {
        id: r.uuid()?,
        number: r.u64()?,
        url: r.personal()?,
        events: EventSet::read(r)?,
        description: r.option(Reader::personal)?,
        app: r.option(|r| r.text().map(shared))?,
        enabled: r.bool()?,
        secret: r.u32()?,
        previous: r.option(|r| Ok(Previous { version: r.u32()?, until: r.i64()? }))?,
        created_by: Actor::read(r)?,
        created_at: r.i64()?,
    })
}

fn write_api_key(w: &mut Writer, key: &ApiKey) {
    w.uuid(key.id);
    w.option(key.name.as_ref(), Writer::personal);
    w.fixed(&key.hash);
    w.option(key.expires, Writer::i64);
    w.i64(key.created_at);
}

fn read_api_key(r: &mut Reader<'_>) -> Result<ApiKey, CodecError> {
    Ok(ApiKey {
        id: r.uuid()?,
        name: r.option(Reader::personal)?,
        hash: r.array()?,
        expires: r.option(Reader::i64)?,
        created_at: r.i64()?,
    })
}

fn write_identity(w: &mut Writer, identity: &Identity) {
    w.uuid(identity.id);
    w.u64(identity.number);
    w.bool(identity.managed);
    w.u64(identity.tokens.next_number);
    let tokens = &identity.tokens.by_id;
    write_list(w, tokens.len(), tokens.iter(), |w, (id, (number, hash)): (&Uuid, &(u64, [u8; 32]))| {
        w.uuid(*id);
        w.u64(*number);
        w.fixed(hash);
    });
    w.u64(identity.next_grant);
    write_list(w, identity.vm_grants.len(), identity.vm_grants.iter(), |w, (vm, grant)| {
        w.text(vm);
        w.uuid(grant.id);
        w.u64(grant.number);
        w.bool(grant.restricted);
        w.i64(grant.granted_at);
    });
}

fn read_identity(r: &mut Reader<'_>) -> Result<Identity, CodecError> {
    let (id, number, managed) = (r.uuid()?, r.u64()?, r.bool()?);
    let mut tokens = Tokens { next_number: r.u64()?, ..Tokens::default() };
    for _ in 0..r.u64()? {
        tokens.by_id.insert(r.uuid()?, (r.u64()?, r.array()?));
    }
    let next_grant = r.u64()?;
    let mut vm_grants = imbl::OrdMap::new();
    for _ in 0..r.u64()? {
        let vm = shared(r.text()?);
        let grant = VmGrant { id: r.uuid()?, number: r.u64()?, restricted: r.bool()?, granted_at: r.i64()? };
        vm_grants.insert(vm, grant);
    }
    Ok(Identity { id, number, managed, tokens, vm_grants, next_grant })
}

fn write_repository(w: &mut Writer, repository: &Repository) {
    w.uuid(repository.id);
    w.u64(repository.number);
    w.option(repository.name.as_ref(), Writer::personal);
    w.text(&repository.default_branch);
    w.i64(repository.created_at);
}

fn read_repository(r: &mut Reader<'_>) -> Result<Repository, CodecError> {
    Ok(Repository {
        id: r.uuid()?,
        number: r.u64()?,
        name: r.option(Reader::personal)?,
        default_branch: shared(r.text()?),
        created_at: r.i64()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
    use super::*;
    use crate::builtin;

    /// An archive's base may be of a form before.
    #[test]
    fn the_forms_before_are_read() {
        let state = State::empty(builtin::schema().unwrap());
        let bytes = state.to_snapshot();
        let mut graph = Vec::new();
        state.graph.dump(&mut graph);
        // In front of the graph stand: no VMs, the next number of SSH keys and none, no authority; before that the next number
        // of triggers and none.
        let (ssh, triggers) = (8 + 16 + 1, 16);
        for (format, absent) in [(WITHOUT_SSH, ssh), (WITHOUT_TRIGGERS, ssh + triggers)] {
            let mut w = Writer::new();
            w.u32(format);
            let (mut before, _) = w.finish();
            before.extend(&bytes[4..bytes.len() - graph.len() - absent]);
            before.extend(&graph);
            let read = State::from_snapshot(&before, builtin::schema().unwrap()).unwrap();
            assert_eq!(read.hash(), state.hash());
            assert_eq!(read.to_snapshot(), bytes);
        }
    }
}
