//! Issuing: a new key pair for a user, certified by the realm's authority, which is made when it is first needed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use grantd_node::realm::client_ca::{ClientCa, MakeClientCa, key_secret};
use grantd_node::realm::command::Secret;
use grantd_node::realm::user::User;
use grantd_node::realm::{Caller, Micros};
use grantd_node::{Realm, Request, StoreError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::name::{AUTHORITY, Holder};
use super::signed_by;
use crate::edge::EdgeError;
use crate::face::CallError;

/// How long a user's certificate holds, and an authority's.
pub(super) const LIFE: Micros = 7 * DAY;
pub(super) const AUTHORITY_LIFE: Micros = 3_650 * DAY;
const DAY: Micros = 24 * 3_600 * 1_000_000;

/// For clocks that are slow.
const BEFORE: Micros = 5 * 60 * 1_000_000;

/// Making an RSA key costs some tenths of a second of one core: one at a time.
static SLOT: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

/// What a sign-in gives, both in PEM.
pub(crate) struct Issued {
    pub(crate) key: Secret,
    pub(crate) certificate: String,
}

/// A key pair for a user, certified for a week.
pub(crate) async fn issue(realm: &Arc<Realm>, user: &User, now: Micros) -> Result<Issued, CallError> {
    let _slot = SLOT.acquire().await.map_err(|_| CallError::Edge(EdgeError::Internal))?;
    let mut authority = authority(realm, now).await?;
    let mut signing_key = signing_key(realm, &authority).await?;
    if signing_key.is_none() {
        // Lost with a master key of before; or another node has just put a new one in its place, which is taken then.
        authority = make(realm, authority.version, now).await?;
        signing_key = self::signing_key(realm, &authority).await?;
    }
    let unavailable = CallError::Edge(EdgeError::Unavailable { retry_after_secs: 1 });
    let signing_key = signing_key.ok_or(unavailable)?;
    let holder = Holder::of(user);
    off_the_threads(move || certify(&authority, &signing_key, &holder, now)).await
}

/// The private key of an authority; `None` if it cannot be had any more.
async fn signing_key(realm: &Realm, authority: &ClientCa) -> Result<Option<String>, CallError> {
    match realm.secret(&key_secret(authority.version)).await {
        Err(StoreError::Damaged(problem)) => {
            tracing::warn!(realm = realm.name(), problem, "the key that signs client certificates is lost");
            Ok(None)
        }
        other => Ok(other?),
    }
}

/// The authority in force; a new one if there is none, or if it ends before what it would sign.
async fn authority(realm: &Arc<Realm>, now: Micros) -> Result<ClientCa, CallError> {
    let lasts = |ca: &ClientCa| now + LIFE < ca.until;
    if let Some(ca) = in_force(realm).filter(lasts) {
        return Ok(ca);
    }
    realm.catch_up().await?;
    match in_force(realm) {
        Some(ca) if lasts(&ca) => Ok(ca),
        other => make(realm, other.map_or(0, |ca| ca.version), now).await,
    }
}

fn in_force(realm: &Realm) -> Option<ClientCa> {
    realm.published().state.client_ca().cloned()
}

/// Puts a new authority in the place of that version, unless another has come there meanwhile; gives the one in force.
async fn make(realm: &Arc<Realm>, replaces: u32, now: Micros) -> Result<ClientCa, CallError> {
    let until = now + AUTHORITY_LIFE;
    let (certificate, key) = off_the_threads(move || make_authority(now, until)).await?;
    let command = MakeClientCa { certificate, key, until, replaces };
    let caller = Caller::system("client-ca");
    realm.submit(Request { command, caller, via: "client-ca", reason: None, idempotency: None }).await?;
    in_force(realm).ok_or(CallError::Edge(EdgeError::Internal))
}

/// Long work of the processor.
async fn off_the_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, rcgen::Error> + Send + 'static,
) -> Result<T, CallError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            tracing::error!(%error, "a client certificate cannot be made");
            Err(CallError::Edge(EdgeError::Internal))
        }
        Err(_) => Err(CallError::Edge(EdgeError::Internal)),
    }
}

pub(super) fn make_authority(now: Micros, until: Micros) -> Result<(Vec<u8>, Secret), rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let certificate = of_authority(now, until).self_signed(&key)?;
    Ok((certificate.der().to_vec(), Secret(key.serialize_pem())))
}

fn of_authority(now: Micros, until: Micros) -> CertificateParams {
    let mut params = params(AUTHORITY, now, until);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

pub(super) fn certify(
    authority: &ClientCa,
    signing_key: &str,
    holder: &Holder,
    now: Micros,
) -> Result<Issued, rcgen::Error> {
    let signer = KeyPair::from_pkcs8_pem_and_sign_algo(signing_key, &PKCS_RSA_SHA256)?;
    let issuer = Issuer::new(of_authority(now, authority.until), signer);
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = params(&holder.common_name(), now, now + LIFE);
    params.subject_alt_names = vec![SanType::URI(holder.uri().try_into()?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    // The key was read after the authority: it must be that one's.
    let believed = signed_by(&CertificateDer::from(&*authority.certificate), certificate.der(), now);
    if believed.as_ref() != Some(holder) {
        return Err(rcgen::Error::CouldNotParseCertificate);
    }
    Ok(Issued { key: Secret(key.serialize_pem()), certificate: certificate.pem() })
}

fn params(common_name: &str, now: Micros, until: Micros) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(SerialNumber::from_slice(Uuid::new_v4().as_bytes()));
    let at = |micros: Micros| {
        date_time_ymd(1970, 1, 1) + Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    params.not_before = at(now - BEFORE);
    params.not_after = at(until);
    params
}
