//! POST `/api/v1/vms/{id}/certificates`: short-lived certificates for who may log in to a VM.

use axum::Json;

use grantd_node::realm::Caller;
use grantd_node::realm::caller::{Actor, Authority};
use grantd_node::realm::engine::ObjectRef;
use grantd_node::realm::entropy::secret_hash;
use grantd_node::realm::identity::Identity;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::ssh_public_key::PublicKey;
use grantd_node::realm::token::Bearer;
use grantd_node::realm::vm_grant::{LOGIN, VM_TYPE, describe, login_place};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::{Api, Call, read};
use crate::face::{Credential, Face as _};
use crate::ssh::certificate::{KeyId, LIFE, LIVES, Wanted, issue, principal};
use crate::time::rfc3339;

/// As many principals as OpenSSH reads.
const MAX_USERS: usize = 256;

/// As whom somebody logs in who does not say it, where they may as anybody.
const ROOT: &str = "root";

/// A certificate to be issued.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewCertificate {
    /// The key to certify: the line of a `.pub` file.
    #[schema(example = "ssh-ed25519 AAAA...")]
    public_key: String,
    /// As which Linux users. Without it: as those that the grant names, or as root if it names none.
    users: Option<Vec<String>>,
    /// How long it counts: 30 to 3600 seconds, if the operator allows that; 300 without it.
    ttl_seconds: Option<u64>,
    /// For whom: an identity asks for itself by its token; who holds `writer` names one.
    identity: Option<Uuid>,
}

/// A certificate.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Certificate {
    /// What goes into a `-cert.pub` file beside the key.
    certificate: String,
    serial: String,
    /// What sshd writes into its log.
    key_id: String,
    principals: Vec<String>,
    expires_at: String,
}

/// Certifies a key of an identity for the Linux users of a VM as whom it may log in now.
#[utoipa::path(
    post, path = "/api/v1/vms/{id}/certificates", tag = "ssh", params(("id" = String, Path)),
    request_body = NewCertificate,
    responses((status = 201, body = Certificate), (status = 400), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn issue_certificate(call: Call) -> Result<(http::StatusCode, Json<Certificate>), Error> {
    let NewCertificate { public_key, users, ttl_seconds, identity } = read(&call)?;
    let key = PublicKey::parse("public_key", &public_key)?;
    let (least, most) = (*LIVES.start(), call.app.ssh_certificate_ttl);
    let life = ttl_seconds.unwrap_or(LIFE.min(most));
    if !(least..=most).contains(&life) {
        return Err(invalid("ttl_seconds", format!("must be {least} to {most}")));
    }
    let key_id = whose(&call, identity)?;
    let users = users_of(&call, &key_id, users)?;
    let principals: Vec<String> = users.iter().map(|user| principal(user, &key_id.vm)).collect();
    let key_id = key_id.to_string();
    let wanted = Wanted { key: &key, key_id: &key_id, principals: &principals, life };
    let issued = issue(&call.realm, &wanted, call.now()).await?;
    let certificate = Certificate {
        certificate: issued.line,
        // More than a number of JavaScript holds.
        serial: issued.serial.to_string(),
        key_id,
        principals,
        expires_at: rfc3339(i64::try_from(issued.until).unwrap_or_default().saturating_mul(1_000_000)),
    };
    tracing::info!(
        realm = call.realm.name(),
        key_id = certificate.key_id,
        serial = issued.serial,
        "an SSH certificate"
    );
    Ok((http::StatusCode::CREATED, Json(certificate)))
}

/// For whom, by which token, for which VM.
fn whose(call: &Call, named: Option<Uuid>) -> Result<KeyId, Error> {
    let vm = call.param("id").to_owned();
    if let Actor::Identity(identity) = call.caller.actor
        && named.is_none_or(|named| named == identity)
    {
        return Ok(KeyId { identity, token: token(call), vm });
    }
    let published = call.published_for(&[Authority::Writer])?;
    let identity = named.ok_or_else(|| invalid("identity", "must name the identity that it is for"))?;
    Ok(KeyId { identity: Identity::find(&published.state, identity)?.id, token: None, vm })
}

/// The token that the caller shows.
fn token(call: &Call) -> Option<Uuid> {
    let shown = call.shown();
    let Credential::Bearer(secret) = Api::credential(&shown) else { return None };
    match call.realm.published().state.bearer(&secret_hash(secret)) {
        Some(Bearer::Token { token, .. }) => Some(token),
        _ => None,
    }
}

/// As whom they may log in now, of those that were asked for.
fn users_of(call: &Call, key_id: &KeyId, asked_for: Option<Vec<String>>) -> Result<Vec<String>, Error> {
    let published = call.published();
    let no_grant = || Refusal::not_found(Noun::VmGrant, &key_id.vm);
    let identity = Identity::find(&published.state, key_id.identity)?;
    let grant = describe(&published.state, identity, &key_id.vm).ok_or_else(no_grant)?;
    let users = asked_for.or(grant.allowed_users).unwrap_or_else(|| vec![ROOT.into()]);
    if users.is_empty() {
        return Err(no_grant().into());
    }
    if users.len() > MAX_USERS {
        return Err(invalid("users", format!("must be at most {MAX_USERS}: name those that are needed")));
    }
    // Asked as it will be at the door, in the identity's own name.
    let itself = Caller::local(Actor::Identity(key_id.identity));
    let asking = call.app.node.asking_of_oneself(published.clone(), &itself);
    for user in &users {
        let place = login_place(&key_id.vm, user);
        let may = |place: &String| asking.may(LOGIN, ObjectRef { kind: VM_TYPE, id: place }).is_allowed();
        if !place.as_ref().is_some_and(may) {
            return Err(invalid(
                "users",
                format!("has `{}`, as whom the grant lets nobody log in", user.escape_debug()),
            ));
        }
    }
    Ok(users)
}
