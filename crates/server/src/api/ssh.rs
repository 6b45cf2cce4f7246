//! `/api/v1/ssh`: what a VM's own sshd asks when somebody wants to log in, and whose certificates it is to trust.

use axum::Json;
use grantd_node::question::{Asking, Said};
use grantd_node::realm::State;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::engine::{ObjectRef, Question, SubjectRef};
use grantd_node::realm::ssh_ca::MakeSshCa;
use grantd_node::realm::ssh_key::SSH_KEY_TYPE;
use grantd_node::realm::ssh_public_key::PublicKey;
use grantd_node::realm::vm_grant::{LOGIN, VM_TYPE, login_place};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::{Call, read};
use crate::face::CallError;
use crate::ssh::certificate::{KeyId, authority, principal};
use crate::ssh::logins::LoginId;
use crate::ssh::pair;

/// The most bytes of what tells a connection from others.
const MAX_CONNECTION: usize = 255;

/// Somebody at the door of a VM. They show a key, or a certificate.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Login {
    /// The VM's id.
    #[schema(example = "build")]
    vm: String,
    /// As which Linux user.
    #[schema(example = "dev")]
    user: String,
    /// The key that they show.
    #[schema(example = "ssh-ed25519 AAAA...")]
    public_key: Option<String>,
    /// The key id of the certificate that they show.
    key_id: Option<String>,
    /// The key that sshd has seen to have signed it, in Base64.
    ca_key: Option<String>,
    /// What tells this connection from others: asked again about the same login, the same yes is not written into the decision log again.
    connection: Option<String>,
}

/// Whether they may come in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Authorized {
    allowed: bool,
    /// Who it is, if they may.
    identity: Option<Uuid>,
    /// For a certificate: the principal that it must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    /// The revision at which this holds.
    revision: u64,
}

/// Who signs certificates.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Ca {
    /// A line for `TrustedUserCAKeys`.
    #[schema(example = "ssh-ed25519 AAAA... grantd-ca")]
    public_key: String,
    /// As `ssh-keygen -l` shows it.
    fingerprint: String,
}

impl Ca {
    fn new(public: &PublicKey) -> Self {
        Self { public_key: format!("{public} grantd-ca"), fingerprint: public.fingerprint() }
    }
}

/// Who shows what at the door.
enum Guest<'a> {
    Key(PublicKey),
    Certificate { key_id: &'a str, ca_key: &'a str },
}

impl Guest<'_> {
    /// Who it is, if what they show is worth anything for this VM.
    fn identity(&self, vm: &str, state: &State) -> Option<Uuid> {
        match self {
            Self::Key(key) => state.ssh_keys().find(key).map(|key| key.form.identity),
            // A machine may trust other authorities as well, and they could write anything into theirs. Nor does one count that was replaced.
            Self::Certificate { key_id, ca_key } => {
                state.ssh_ca().filter(|ca| ca.public.to_string() == format!("ssh-ed25519 {ca_key}"))?;
                let key_id = KeyId::parse(key_id)?;
                (key_id.vm == vm && key_id.lasts(state)).then_some(key_id.identity)
            }
        }
    }
}

/// Says whether who shows this key or certificate may log in to a VM as this user, now.
#[utoipa::path(
    post, path = "/api/v1/ssh/authorize", tag = "ssh", request_body = Login,
    responses((status = 200, body = Authorized), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn authorize(call: Call) -> Result<Json<Authorized>, Error> {
    let login: Login = read(&call)?;
    if login.connection.as_ref().is_some_and(|text| text.len() > MAX_CONNECTION) {
        return Err(invalid("connection", format!("must be at most {MAX_CONNECTION} bytes")));
    }
    let guest = match (&login.public_key, &login.key_id, &login.ca_key) {
        (Some(line), None, None) => Guest::Key(PublicKey::parse("public_key", line)?),
        (None, Some(key_id), Some(ca_key)) => Guest::Certificate { key_id, ca_key },
        _ => return Err(invalid("public_key", "give this, or else both `key_id` and `ca_key`")),
    };
    let asking = call.app.node.asking(call.published(), &call.caller)?;
    let identity = admitted(&call, &asking, &login, &guest);
    let principal = match guest {
        Guest::Certificate { .. } => identity.map(|_| principal(&login.user, &login.vm)),
        Guest::Key(_) => None,
    };
    Ok(Json(Authorized { allowed: identity.is_some(), identity, principal, revision: asking.revision() }))
}

/// Who it is, if they may come in.
fn admitted(call: &Call, asking: &Asking<'_>, login: &Login, guest: &Guest<'_>) -> Option<Uuid> {
    let identity = guest.identity(&login.vm, &asking.published().state);
    // No VM has such an id, or no user such a name: nobody can have a grant there.
    let place = login_place(&login.vm, &login.user)?;
    let resource = ObjectRef { kind: VM_TYPE, id: &place };
    let Some(identity) = identity else {
        // A stranger holds nothing, but that they came is put on record as every question is.
        if let Guest::Key(key) = guest {
            let id = key.fingerprint();
            ask(asking, ObjectRef { kind: SSH_KEY_TYPE, id: &id }, resource);
        }
        return None;
    };
    let (id, seen, now) = (identity.to_string(), &call.app.ssh_logins, asking.time());
    let subject = ObjectRef { kind: "identity", id: &id };
    let login_id = login.connection.as_ref().map(|connection| login_id(call, login, &id, connection));
    if login_id.is_some_and(|login_id| seen.was_allowed(&login_id, now)) {
        let question = Question { subject: SubjectRef::Object(subject), action: LOGIN, resource };
        return asking.check_again(&question).is_allowed().then_some(identity);
    }
    let allowed = ask(asking, subject, resource);
    if let Some(login_id) = login_id.filter(|_| allowed) {
        seen.allow(login_id, now);
    }
    allowed.then_some(identity)
}

fn ask(asking: &Asking<'_>, subject: ObjectRef<'_>, resource: ObjectRef<'_>) -> bool {
    let question = Question { subject: SubjectRef::Object(subject), action: LOGIN, resource };
    asking.check(&question, Said::NOTHING).is_allowed()
}

/// All that tells a login from others: of which realm and VM, as whom, by which credential of whose, over which connection.
fn login_id(call: &Call, login: &Login, identity: &str, connection: &str) -> LoginId {
    let account = call.realm.published().state.account();
    let mut hasher = blake3::Hasher::new_derive_key("grantd ssh login 1");
    let shown = login.public_key.as_deref().or(login.key_id.as_deref()).unwrap_or_default();
    let asker = call.caller.actor.to_string();
    for part in [&account.to_string(), &asker, &*login.vm, &*login.user, identity, shown, connection] {
        hasher.update(&part.len().to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// Says whose certificates VMs are to trust. The authority is made when it is first asked for.
#[utoipa::path(
    get, path = "/api/v1/ssh/ca", tag = "ssh",
    responses((status = 200, body = Ca), (status = 401), (status = 403))
)]
pub(super) async fn get_ca(call: Call) -> Result<Json<Ca>, Error> {
    call.published_for(&[Authority::Checker, Authority::Auditor, Authority::Operator])?;
    Ok(Json(Ca::new(&authority(&call.realm).await?.public)))
}

/// Puts another authority in its place. At once no certificate of the one before opens anything; VMs have to be told of the new one.
#[utoipa::path(
    post, path = "/api/v1/ssh/ca", tag = "ssh",
    responses((status = 200, body = Ca), (status = 401), (status = 403))
)]
pub(super) async fn replace_ca(call: Call) -> Result<Json<Ca>, Error> {
    let replaces = call.published_for(&[Authority::Admin])?.state.ssh_ca().map(|ca| ca.id);
    let keys = pair::make().map_err(CallError::from)?;
    call.submit(MakeSshCa { pair: keys, replaces }).await?;
    Ok(Json(Ca::new(&authority(&call.realm).await?.public)))
}
